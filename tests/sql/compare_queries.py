#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random queries (random_queries.py), asked here, of Spark and of DuckDB.

usage: compare_queries.py SQL_LINES [SEED|FROM-TO [COUNT [--spare|--duck]]]
       compare_queries.py --lines SEED COUNT     only prints the statements

Types, rows (in their order where the statement has one) and error conditions must be Spark's. DuckDB is asked too, where
it is there, in words that mean to it what they mean to Spark; why the words are others, and what still differs, is counted
by cause, and what has none is printed as unexplained. With --spare Spark is asked only where DuckDB does not agree with what
is given here, which is some ten times as fast; types are not compared then. With --duck it is not asked at all: of what DuckDB has no answer to is only counted why. Without
pyspark (and without --duck) it says so and passes."""
import re
import subprocess
import sys
from collections import Counter
from decimal import Decimal, InvalidOperation

from random_queries import statements
from random_values import NOTHING, sides

ORDERED = re.compile(r" ORDER BY [0-9A-Z ,]+?( LIMIT \d+)?( OFFSET \d+)?$")

# What DuckDB refuses, by its message.
REFUSALS = (("GROUP BY ALL beside windows of aggregates: refused by DuckDB", "Cannot mix aggregates with non-aggregated columns"),)
# Where DuckDB's rows are others: by what the statement holds.
DIFFERENCES = ()


class Duck:
    """DuckDB, asked what Spark is asked."""

    def __init__(self):
        try:
            import duckdb
        except ImportError:
            self.db = None
            return
        self.db = duckdb.connect(config={"threads": 1})
        self.db.execute("SET default_null_order = 'nulls_first_on_asc_last_on_desc'")
        self.db.execute("SET TimeZone = 'UTC'")

    def ask(self, sql):
        """Rows, or the text of an error."""
        try:
            return self.db.execute(sql).fetchall()
        except Exception as e:  # noqa: BLE001
            return str(e).split("\n")[0]


def shown(value, kind=""):
    """A value of DuckDB as Spark prints it, as far as both can be compared."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join("null" if v is None else shown(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join("null" if v is None else shown(v) for v in value.values()) + "}"
    text = str(value)
    return re.sub(r"(:\d\d\.\d*?)0+$", r"\1", text) if kind == "timestamp" and "." in text else text


def plain(text):
    """Numbers by their value to 9 digits."""
    try:
        return str((Decimal(f"{Decimal(text) + 0:.9g}") + 0).normalize()) if text not in ("NULL", "") else text
    except InvalidOperation:
        return text


def rows_of(answer):
    """Types and rows of a line as sql_lines prints it."""
    types, _, lines = answer.partition("] ")
    return types[1:], lines.split(" / ") if lines else []


def says_the_same(rows, wanted, ordered):
    """Whether DuckDB's rows are those of a line."""
    types, lines = rows_of(wanted)
    if lines == [] and len(rows) == 1 and wanted.endswith("] "):
        lines = [""]
    kinds = re.split(r",(?![^<(]*[>)])", types)
    spark = ["|".join(plain(c) for c in line.split("|")) for line in lines]
    duck = ["|".join(plain(shown(c, k)) for c, k in zip(row, kinds)) for row in rows]
    return spark == duck if ordered else sorted(spark) == sorted(duck)


def ask_spark(spark, sql):
    """As sql_lines prints it."""
    from pyspark.sql.functions import col
    try:
        frame = spark.sql(sql)
        types = ",".join(f.dataType.simpleString() for f in frame.schema.fields)
        names = [f"c{i}" for i in range(len(frame.columns))]
        rows = frame.toDF(*names).select(*[col(n).cast("string") for n in names]).collect()
        return f"[{types}] " + " / ".join("|".join("NULL" if v is None else v for v in row) for row in rows)
    except Exception as e:  # noqa: BLE001
        try:
            return f"ERR {e.getCondition()}"
        except Exception:  # noqa: BLE001
            found = re.search(r"\[([A-Z_.]+)\]", str(e))
            return f"ERR {found.group(1) if found else str(e)[:200]}"


def in_order(answer, ordered):
    """An answer whose rows may be compared as they stand."""
    if answer.startswith("ERR") or ordered:
        return answer
    types, lines = rows_of(answer)
    return f"[{types}] " + " / ".join(sorted(lines))


class Totals:
    """What has been found so far."""

    def __init__(self):
        self.good = self.bad = self.refused = self.same = self.unexplained = self.settled = self.unasked = 0
        self.words, self.causes = Counter(), Counter()

    def __str__(self):
        return (f"{self.good} of {self.good + self.bad + self.unasked} agree with Spark ({self.settled} of them by DuckDB), which refuses "
                f"{self.refused}; of {self.unasked} nobody was asked; DuckDB agrees in {self.same}, "
                f"differs for a reason in {sum(self.causes.values())}, for none that is known in {self.unexplained}")

    def print_causes(self):
        for title, counter in (("asked in other words", self.words), ("not comparable, or differs", self.causes)):
            print(f"DuckDB, {title}:")
            for cause, n in counter.most_common():
                print(f"  {n:6} {cause}")


def duck_says(duck, sql, wanted, ordered, total):
    """Notes what DuckDB says to a statement; what it said where it does not agree."""
    _, text, why = sides(sql)
    if wanted.startswith("ERR"):
        total.causes["refused: " + wanted[4:]] += 1
        return "was not asked"
    if NOTHING in text:
        total.causes["functions that DuckDB has not, or that give something else there"] += 1
        return "was not asked"
    rows = duck.ask(text)
    if isinstance(rows, str):
        cause = next((c for c, pattern in REFUSALS if re.search(pattern, rows)), None)
    elif says_the_same(rows, wanted, ordered):
        total.same += 1
        total.words.update(why)
        return "agrees with Spark"
    else:
        cause = next((c for c, test in DIFFERENCES if test(text, rows, wanted)), None)
    if cause:
        total.causes[cause] += 1
    else:
        total.unexplained += 1
        print(f"unexplained: {text}\n   Spark:  {wanted[:500]}\n   DuckDB: {str(rows)[:500]}", flush=True)
    return f"gives {str(rows)[:300]}"


class Asker:
    """Spark, which is given the tables when it is first asked about them."""

    def __init__(self, spark):
        self.spark, self.tables = spark, []

    def define(self, sql):
        self.tables.append(sql)

    def ask(self, sql):
        for table in self.tables:
            self.spark.sql(table)
        self.tables = []
        return ask_spark(self.spark, sql)


def settles(duck, sql, found, ordered):
    """Whether DuckDB gives the rows that are given here."""
    text = sides(sql)[1]
    if found.startswith("ERR") or NOTHING in text:
        return False
    rows = duck.ask(text)
    return not isinstance(rows, str) and says_the_same(rows, found, ordered)


def compare_seed(seed, count, spark, duck, total, spare):
    """One seed's statements."""
    made = statements(seed, count)
    asked = [sides(s)[0] for _, s in made]
    here = subprocess.run([sys.argv[1]], input="\n".join(asked) + "\n", capture_output=True, text=True, check=False)
    mine = here.stdout.split("\n")
    if here.returncode:
        print(f"seed {seed}: ended with {here.returncode} after {len(mine)} statements: {asked[len(mine) - 1]}", flush=True)
        total.bad += 1
        return
    for (query, sql), spark_sql, found in zip(made, asked, mine):
        if not query:
            spark.define(spark_sql)
            refused = duck.ask(sides(sql)[1]) if duck.db else None
            if isinstance(refused, str):
                print(f"DuckDB refuses {sides(sql)[1]}: {refused}")
            continue
        ordered = ORDERED.search(spark_sql) is not None
        settled = (spare or not spark.spark) and duck.db and settles(duck, sql, found, ordered)
        wanted = found if settled or not spark.spark else spark.ask(spark_sql)
        total.settled += bool(settled)
        total.unasked += not settled and not spark.spark
        third = duck_says(duck, sql, wanted, ordered, total) if duck.db else "is not there"
        total.refused += wanted.startswith("ERR")
        agrees = in_order(found, ordered) == in_order(wanted, ordered)
        total.good += agrees and bool(settled or spark.spark)
        if not agrees:
            total.bad += 1
            print(f"seed {seed}: {spark_sql}\n   Spark: {wanted[:600]}\n   here:  {found[:600]}\n   DuckDB {third}", flush=True)


def open_spark():
    from pyspark.sql import SparkSession
    spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false").config("spark.log.level", "OFF")
             .config("spark.sql.shuffle.partitions", "1").config("spark.sql.session.timeZone", "UTC")
             .config("spark.sql.adaptive.enabled", "false").config("spark.sql.codegen.wholeStage", "false").config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
             .config("spark.driver.extraJavaOptions", "-XX:+UseSerialGC -XX:TieredStopAtLevel=1").getOrCreate())
    spark.sparkContext.setLogLevel("OFF")
    return spark


def main():
    if sys.argv[1] == "--lines":
        for _, sql in statements(sys.argv[2], int(sys.argv[3])):
            print(sides(sql)[0])
        return 0
    numbers = [a for a in sys.argv[2:] if not a.startswith("--")]
    seeds, count = (numbers[0] if numbers else "1"), int(numbers[1]) if len(numbers) > 1 else 100
    try:
        asker = Asker(None if "--duck" in sys.argv else open_spark())
    except ImportError:
        print("skipped: pyspark is not there")
        return 0
    duck, total = Duck(), Totals()
    first, _, last = seeds.partition("-")
    for seed in range(int(first), int(last or first) + 1):
        compare_seed(str(seed), count, asker, duck, total, "--spare" in sys.argv)
        print(f"seed {seed}: {total}", flush=True)
    total.print_causes()
    return 1 if total.bad or total.unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
