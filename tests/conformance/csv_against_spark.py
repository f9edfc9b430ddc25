#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares how libspark and Spark read CSV: files and options made from seeds, cell by cell.

usage: csv_against_spark.py CSV_CASES [--seed N] [--number N] [--only N] [--keep DIR]

CSV_CASES is the built program conformance_csv_cases. Needs PySpark 3.5 or later for this python3, and
Java; says so and ends with 77 where one is missing. Not generated, because both differ by intent
(src/README.md): doubled quotes where the escape is another sign, integers of more than 64 bits
without a type, hexadecimal doubles, times without a date, bytes that are no UTF-8, files without a line and a type. Nor
what that parser does by accident: quotes that are not escaped, and blanks, where the separator
has several bytes, an empty last column there, \\r\\n in files where a \\n within quotes comes first.
"""
import datetime
import math

import spark_cases

TYPES = ["int", "bigint", "smallint", "tinyint", "double", "float", "boolean", "date", "timestamp",
         "string", "decimal(10,2)"]
WORDS = ["a", "Rome", "x y", " pad ", "naïve", "NULL", "NA", "a'b", "\\", "a\\b", "\\\\", "tab\there",
         "#no", "-", "1-2", "é", "null", "{}", "a=b", "3 4"]
NUMBERS = ["0", "1", "-1", "+7", "12", "127", "128", "-129", "32768", "2147483647", "2147483648",
           "-9223372036854775808", "9223372036854775807", "007", " 5", "6 ", "1_0"]
DOUBLES = ["1.5", "-0.25", ".5", "1e3", "1E-3", "1e400", "-1e400", "1e-400", "NaN", "Inf", "-Inf",
           "Infinity", "-Infinity", "nan", "inf", "3.14159265358979312", "1d", "2.5f", " 1.5 ",
           "123456789012345678.5", "0.1", "100.005", "99999999.995", "1.", "1.2.3", "e5",
           "1e", "4.9e-324", "1.7976931348623157e308", "9007199254740993"]
BOOLS = ["true", "false", "TRUE", "False", "yes", "t", "1"]
DATES = ["2024-02-29", "2023-02-29", "1970-01-01", "1999-12-31", "1000-01-01", "2024-2-9", "2024-13-01",
         "2024-05", "2024", "31/12/1999", "2024-02-29 10:11:12", "2024-02-29T10:11:12"]
TIMES = ["2024-02-29 10:11:12", "2024-02-29T10:11:12", "2024-02-29T10:11:12.5",
         "2024-02-29T10:11:12.123456", "2024-02-29T10:11:12.123456789", "2024-02-29T10:11:12Z",
         "2024-02-29T10:11:12+02:00", "2024-02-29 10:11", "2024-02-29 24:00:00", "2024-02-30 00:00:00",
         "1969-12-31 23:59:59.999999", "2024-02-29 1:2:3", "2024-02-29T10:11:12-0530"]
POOLS = {"int": NUMBERS, "bigint": NUMBERS, "smallint": NUMBERS, "tinyint": NUMBERS,
         "double": DOUBLES + NUMBERS, "float": DOUBLES + NUMBERS, "boolean": BOOLS, "date": DATES,
         "timestamp": TIMES + DATES, "string": WORDS + NUMBERS + DATES,
         "decimal(10,2)": ["1", "1.5", "-1.005", "1.004", "99999999.99", "99999999.995", "1e3", "1e-3",
                           "+2.50", "abc", "123456789", "0"]}
CLEAN = {"int": ["1", "-5", "2147483647"], "bigint": ["1", "99999999999"], "double": ["1.5", "2", "-1e3"],
         "boolean": ["true", "FALSE"], "date": ["2024-02-29", "1999-12-31"],
         "timestamp": ["2024-02-29 10:11:12", "2024-02-29T10:11:12.5Z"], "string": WORDS}


def make_case(rng):
    """Options, columns (name, type) or None, and the bytes of a file."""
    options = {}
    sep = rng.choice([",", ",", ",", ";", "|", "\t", "||", ", "])
    if sep != ",":
        options["sep"] = sep
    if rng.random() < 0.25:
        options["escape"] = '"'
    if rng.random() < 0.15:
        options["quote"] = "'"
    if rng.random() < 0.2:
        options["nullValue"] = rng.choice(["NULL", "NA", "-"])
    if rng.random() < 0.1:
        options["emptyValue"] = "EMPTY"
    if rng.random() < 0.2 and len(sep) == 1:
        options["ignoreLeadingWhiteSpace"] = "true"
    if rng.random() < 0.2 and len(sep) == 1:
        options["ignoreTrailingWhiteSpace"] = "true"
    if rng.random() < 0.2:
        options["comment"] = "#"
    if rng.random() < 0.5:
        options["header"] = "true"
    if rng.random() < 0.25:
        options["multiLine"] = "true"
    if rng.random() < 0.3:
        options["mode"] = rng.choice(["PERMISSIVE", "DROPMALFORMED", "DROPMALFORMED", "FAILFAST"])
    if rng.random() < 0.2:
        options["unescapedQuoteHandling"] = rng.choice(
            ["STOP_AT_DELIMITER", "STOP_AT_CLOSING_QUOTE", "SKIP_VALUE", "RAISE_ERROR"])
    if rng.random() < 0.1:
        options["dateFormat"] = "dd/MM/yyyy"
    if rng.random() < 0.1:
        options["timestampFormat"] = rng.choice(
            ["yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss[.SSSSSS][XXX]"])
    if rng.random() < 0.1:
        options["encoding"] = "ISO-8859-1"
    typed = rng.random() < 0.55
    infer = not typed and rng.random() < 0.75
    if infer:
        options["inferSchema"] = "true"
    pools = CLEAN if infer and rng.random() < 0.7 else POOLS
    n = rng.randint(1, 6)
    kinds = [rng.choice(list(pools)) for _ in range(n)]
    names = [f"c{i}" for i in range(n)]
    columns = list(zip(names, kinds)) if typed else None
    if typed and rng.random() < 0.25 and options.get("mode") in (None, "PERMISSIVE"):
        columns.append(("_corrupt_record", "string"))
    lines = []
    if "header" in options:
        heads = list(names)
        if not typed and rng.random() < 0.3:
            heads = [rng.choice(["a", "A", "", "b", " x", "c d"]) for _ in heads]
            heads[0] = heads[0] or "first"
        lines.append(sep.join(heads))
    for _ in range(rng.choice([0, 1, 3, 10, 30])):
        lines.append(make_line(rng, options, sep, kinds, pools, pools is CLEAN))
    if not typed and not any(line.strip() for line in lines):
        lines.append("1")
    if len(sep) > 1:
        lines = [line + "z" if line.endswith(sep) else line for line in lines]
    end = "\n" if "multiLine" in options else rng.choice(["\n", "\n", "\r\n"])
    text = end.join(lines) + (end if rng.random() < 0.8 and lines else "")
    return options, columns, text.encode(options.get("encoding", "UTF-8"), "replace")


def make_line(rng, options, sep, kinds, pools, clean):
    kind = rng.random()
    if kind < 0.03:
        return rng.choice(["", "   "])
    if kind < 0.06:
        return "#" + "comment" + sep + "x"
    cells = [make_cell(rng, options, sep, rng.choice(pools[k]), clean) for k in kinds]
    if not clean and rng.random() < 0.1:
        cells = cells[:-1] if rng.random() < 0.5 else cells + ["extra"]
    quote = options.get("quote", '"')
    if options.get("escape") != '"' and any(cell.count(quote) % 2 for cell in cells):
        cells = ["" if cell == quote * 2 else cell for cell in cells]  # within quotes it would be a doubled one
    return sep.join(cells)


def make_cell(rng, options, sep, text, clean):
    quote = options.get("quote", '"')
    escape = options.get("escape", "\\")
    kind = rng.random()
    if kind < 0.1:
        return ""
    if kind < 0.15 and options.get("unescapedQuoteHandling") != "STOP_AT_CLOSING_QUOTE":
        return quote * 2
    if kind < 0.25 and not clean and escape == "\\" and len(sep) == 1 \
            and "multiLine" not in options:  # quotes where none should be
        text = text.replace(quote, "").replace("\\", "")
        return rng.choice([f"{quote}{text}{quote}x", f"a{quote}{text}", f"{quote}{text}",
                           f"{quote}{text}{quote} ", f"{quote}a{quote}b{quote}", f" {quote}{text}{quote}",
                           f"{quote}{text}{quote} x"])
    if kind < 0.45 or sep in text or (quote in text and kind < 0.9):
        extra = rng.choice(["", "", sep, quote, "\\", " "])
        if "multiLine" in options and rng.random() < 0.3:
            extra += "\n"
        text = text + extra
        if extra and escape != '"':
            text += "z"
        body = "".join((escape + c) if c == quote or (c == escape and escape != quote) else c
                       for c in text)
        return quote + body + quote
    return text


def spark_cell(value, kind):
    if value is None:
        return "null"
    if kind in ("int", "bigint", "smallint", "tinyint"):
        return f"i{value}"
    if kind in ("double", "float") or kind.startswith("decimal"):
        value = float(value)
        return "fnan" if math.isnan(value) else f"f{value!r}"
    if kind == "boolean":
        return f"b{int(value)}"
    if kind == "date":
        return f"d{(value - datetime.date(1970, 1, 1)).days}"
    if kind == "timestamp":
        return f"t{(value - datetime.datetime(1970, 1, 1)) // datetime.timedelta(microseconds=1)}"
    return "s" + value.encode("UTF-8", "surrogatepass").hex()


def ask_spark(spark, path, options, columns):
    """(type, rows), or None for an error."""
    reader = spark.read.options(**options)
    if columns:
        reader = reader.schema(", ".join(f"`{n}` {k}" for n, k in columns))
    try:
        frame = reader.csv(str(path))
        fields = [(f.name, f.dataType.simpleString()) for f in frame.schema.fields]
        rows = [[spark_cell(v, k) for v, (_, k) in zip(row, fields)] for row in frame.collect()]
    except Exception as e:  # Spark's own, whatever it is called
        return ("error", str(e)[:300])
    fields = [(n, k if not k.startswith("decimal") or columns else "double") for n, k in fields]
    return fields, rows


def ask_libspark(program, cases):
    text = []
    for path, options, columns in cases:
        text.append(f"path {str(path).encode().hex()}")
        text += [f"option {n} {v.encode().hex()}" for n, v in options.items()]
        if columns and "header" in options:
            text.append(f"option enforceSchema {b'true'.hex()}")
        text += [f"member {n.encode().hex()} {k}" for n, k in columns or []]
        text.append("run")
    found = []
    for lines in spark_cases.answers(program, text):
        head = lines[0]
        if head.startswith("error"):
            found.append(("error", head))
        else:
            fields = [(bytes.fromhex(w.split(":")[0]).decode(), w.split(":")[1])
                      for w in head.split(" ")[1:]]
            found.append((fields, [row.split("\t") for row in lines[1:]]))
    return found


def same_cell(a, b):
    if a == b:
        return True
    if a[:1] == b[:1] == "f" and "fnan" not in (a, b):
        return float(a[1:]) == float(b[1:])
    return False


def differences(_, spark, ours):
    if spark[0] == "error" or ours[0] == "error":
        yield from spark_cases.failures(spark, ours)
        return
    if spark[0] != ours[0]:
        yield f"type: Spark {spark[0]}, libspark {ours[0]}"
        return
    if len(spark[1]) != len(ours[1]):
        yield f"rows: Spark {len(spark[1])}, libspark {len(ours[1])}"
    for i, (a, b) in enumerate(zip(spark[1], ours[1])):
        for j, (x, y) in enumerate(zip(a, b)):
            if not same_cell(x, y):
                yield f"row {i}, column {j}: Spark {x}, libspark {y}"


def main():
    spark_cases.compare("csv", 200, make_case, ask_libspark, ask_spark, differences,
                        lambda rows: sum(len(row) for row in rows), "cells")


if __name__ == "__main__":
    spark_cases.in_utc(main)
