#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The queries derived from TPC-DS, over CSV files, against answers: all by the shell for SQL.

usage: tpcds.py SQL_SHELL [QUERY...]

SPARK_TPCDS: a directory with queries/q1.sql ..., answers/q1.out ... (rows behind a line "-- output", tabs
between members) and data/*.csv with headers, as `tpcgen-cli tpcds csv -s 1` makes them; not set: skipped.
SPARK_TPCDS_LEAST: how many must be equal (95). SPARK_TPCDS_SECONDS, SPARK_TPCDS_MB: what a query may take of processors
(120 s) and of memory (6,144 MB of addresses). Nothing of that is the project's. Derived from TPC-DS, not comparable to
published TPC results.

Rows are compared as sets. Integers, dates, texts and decimals of up to 14 characters must be the same; longer ones and
doubles (averages, deviations, ratios) agree in 9 digits, for the order in which rows are added up is not Spark's."""
import csv
import io
import os
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

MONEY = re.compile(r"_(price|cost|amt|amount|amt_inc_tax|tax|fee|cash|charge|credit|loss|paid|paid_inc_tax|paid_inc_ship|"
                   r"paid_inc_ship_tax|profit|refunded_cash|ext_.*|coupon_amt|store_credit|return_.*cost)$")
NUMBERS = set("""cc_employees cc_sq_ft cc_mkt_id cc_division cc_company cp_catalog_number cp_catalog_page_number c_birth_day
c_birth_month c_birth_year cd_purchase_estimate cd_dep_count cd_dep_employed_count cd_dep_college_count d_month_seq d_week_seq
d_quarter_seq d_year d_dow d_moy d_dom d_qoy d_fy_year d_fy_quarter_seq d_fy_week_seq d_first_dom d_last_dom d_same_day_ly
d_same_day_lq hd_dep_count hd_vehicle_count ib_lower_bound ib_upper_bound inv_quantity_on_hand i_brand_id i_class_id
i_category_id i_manufact_id i_manager_id p_response_target s_number_employees s_floor_space s_market_id s_division_id
s_company_id t_time t_hour t_minute t_second w_warehouse_sq_ft web_mkt_id web_company_id wp_char_count wp_link_count
wp_image_count wp_max_ad_count""".split())


def type_of(column):
    """The type of a column by its name."""
    if column.endswith("_sk") or column in NUMBERS or re.search(r"_(sales_|return_)?quantity$", column):
        return "INT"
    if column.endswith(("order_number", "ticket_number")):
        return "BIGINT"
    if column.endswith(("rec_start_date", "rec_end_date")) or column == "d_date":
        return "DATE"
    if column.endswith(("gmt_offset", "tax_percentage")):
        return "DECIMAL(5,2)"
    if column == "p_cost":
        return "DECIMAL(15,2)"
    return "DECIMAL(7,2)" if MONEY.search(column) else "STRING"


def views(data):
    """Statements that define the tables, by the headers of their files."""
    made = []
    for file in sorted(data.glob("*.csv")):
        with file.open(encoding="utf-8") as lines:
            names = lines.readline().strip().split(",")
        columns = ", ".join(f"{name} {type_of(name)}" for name in names)
        made.append(f"CREATE TEMP VIEW {file.stem} ({columns}) USING csv OPTIONS (path '{file}', header 'true');\n")
    return "".join(made)


def shown(cell):
    """A cell as it is compared: 9 digits of what has a point and is no decimal of few digits."""
    if re.fullmatch(r"-?\d+\.\d+(E-?\d+)?", cell) and (len(cell) > 14 or "E" in cell):
        return f"{float(cell):.9g}"
    return cell


def answer(path):
    """The rows of an answer; NULL is printed as nothing by the shell."""
    text = path.read_text(encoding="utf-8").split("-- output\n")[1].rstrip("\n")
    return [["" if cell == "NULL" else cell for cell in line.split("\t")] for line in text.split("\n")] if text else []


def ask(shell, statements, seconds, megabytes):
    """The rows the shell prints, without the names, or what it complains about; its processor time and memory."""
    def limits():
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 2))
        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))

    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file, tempfile.TemporaryFile("w+") as out, \
            tempfile.TemporaryFile("w+") as err:
        file.write(statements)
        file.flush()
        with subprocess.Popen([shell, "--csv", file.name], stdout=out, stderr=err, preexec_fn=limits) as child:
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        spent = used.ru_utime + used.ru_stime, used.ru_maxrss >> 10
        if spent[0] >= seconds:
            return None, f"more than {seconds} s", spent
        if child.returncode:
            return None, err.read()[-600:] or f"ended with {child.returncode}", spent
        return list(csv.reader(io.StringIO(out.read())))[1:], "", spent


def lines(rows):
    """Rows as lines in order, blanks at their ends left out."""
    return sorted("\t".join(shown(cell) for cell in row).rstrip() for row in rows)


def main():
    root = os.environ.get("SPARK_TPCDS")
    if not root:
        print("skipped: SPARK_TPCDS names no directory")
        return 77
    root = Path(root)
    wanted = sys.argv[2:] or sorted((q.stem for q in (root / "queries").glob("q*.sql")),
                                    key=lambda q: (int(re.sub(r"\D", "", q)), q))
    limits = int(os.environ.get("SPARK_TPCDS_SECONDS", "120")), int(os.environ.get("SPARK_TPCDS_MB", "6144"))
    tables, good = views(root / "data"), 0
    for name in wanted:
        query = (root / "queries" / f"{name}.sql").read_text(encoding="utf-8")
        found, why, (took, room) = ask(sys.argv[1], tables + query, *limits)
        if not (root / "answers" / f"{name}.out").exists():
            print(f"{name}: no answer{': ' + why if why else ''}", flush=True)
            continue
        rows = answer(root / "answers" / f"{name}.out")
        mine, theirs = lines(found or []), lines(rows)
        same = found is not None and mine == theirs
        good += same
        only = [line for line in mine if line not in set(theirs)], [line for line in theirs if line not in set(mine)]
        print(f"{name}: {'equal' if same else 'differs'} {took:.1f} s {room} MB" + ("" if same else f": {why}" if why else
              f": {len(mine)} rows for {len(theirs)}; here {only[0][:2]}, there {only[1][:2]}"), flush=True)
    print(f"{good} of {len(wanted)}")
    return 0 if good >= int(os.environ.get("SPARK_TPCDS_LEAST", str(min(95, len(wanted))))) else 1


if __name__ == "__main__":
    sys.exit(main())
