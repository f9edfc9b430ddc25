#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random expressions, computed here and by Spark: types, values and error conditions must agree.

usage: compare_spark.py EVAL_LINES [SEED [COUNT]]
       compare_spark.py --lines SEED COUNT     only prints the statements

Without pyspark it says so and passes."""
import random
import re
import subprocess
import sys

VALUES = {
    "int": ["0", "1", "-1", "7", "2147483647", "-2147483648", "cast(null as int)", "42", "-100"],
    "bigint": ["0L", "3L", "-5L", "9223372036854775807L", "-9223372036854775808", "cast(null as bigint)"],
    "smallint": ["0S", "32767S", "-7S"],
    "tinyint": ["1Y", "127Y", "-128Y"],
    "decimal": ["0.5", "1.25", "-3.10", "99999.99", "0.000001", "12345678901234567890.12", "cast(null as decimal(5,2))",
                "cast(1.5 as decimal(38,10))", "123456789012.345678"],
    "double": ["0.0D", "1.5D", "-2.25D", "1e10", "1e-5", "double('NaN')", "double('Infinity')", "cast(null as double)"],
    "float": ["cast(1.5 as float)", "cast(-0.25 as float)", "float('NaN')"],
    "string": ["'abc'", "''", "'12'", "'-1.5'", "' 7 '", "'2020-02-29'", "'true'", "'aXbXc'", "'héllo'", "cast(null as string)",
               "'2021-03-04 05:06:07.89'"],
    "boolean": ["true", "false", "cast(null as boolean)"],
    "date": ["date'2020-02-29'", "date'1969-12-31'", "date'1582-10-15'", "cast(null as date)", "date'2000-01-01'"],
    "timestamp": ["timestamp'2020-02-29 12:34:56.789'", "timestamp'1969-12-31 23:59:59.5'", "cast(null as timestamp)"],
    "interval": ["interval '1-2' year to month", "interval '3' month", "interval '1 02:03:04.5' day to second", "interval '90' minute"],
    "array": ["array(1, 2, 3)", "array(1, null)", "array('a', 'b')", "cast(null as array<int>)", "array(1.5, 2)"],
}
NUMBERS = ["int", "bigint", "smallint", "tinyint", "decimal", "double", "float"]
CASTS = ["int", "bigint", "smallint", "tinyint", "decimal(10,2)", "decimal(38,18)", "double", "float", "string", "boolean", "date",
         "timestamp"]
UNARY = {
    "numbers": ["abs({})", "-({})", "sqrt({})", "ceil({})", "floor({})", "round({})", "round({}, 1)", "bround({}, 1)", "sign({})",
                "hex({})", "bin({})", "round({}, -1)", "exp(cast({} as int) % 3) > 1", "format_number({}, 2)", "hash({})",
                "xxhash64({})"],
    "string": ["upper({})", "lower({})", "length({})", "reverse({})", "trim({})", "initcap({})", "md5({})", "sha1({})", "hex({})",
               "ascii({})", "base64({})", "soundex({})", "substring({}, 2, 3)", "left({}, 2)", "right({}, 2)", "repeat({}, 2)",
               "lpad({}, 6, 'xy')", "rpad({}, 6, 'xy')", "split({}, 'X')", "instr({}, 'b')", "replace({}, 'X', '-')",
               "substring_index({}, 'X', -1)", "concat_ws('-', {}, 'z')", "{} like '%b%'", "{} rlike '^[a-c]'",
               "regexp_replace({}, '[aeiou]', '*')", "regexp_extract({}, '(\\\\d+)', 1)", "translate({}, 'abc', 'x')", "hash({})",
               "levenshtein({}, 'abd')", "crc32({})", "xxhash64({})", "octet_length({})", "find_in_set({}, 'abc,12')"],
    "date": ["year({})", "month({})", "day({})", "dayofweek({})", "weekofyear({})", "quarter({})", "last_day({})", "dayofyear({})",
             "add_months({}, 1)", "date_add({}, 10)", "trunc({}, 'MM')", "next_day({}, 'MON')", "date_format({}, 'yyyy-MM-dd EEE')",
             "unix_date({})", "datediff({}, date'2020-01-01')", "months_between({}, date'2020-01-31')", "weekday({})",
             "extract(yearofweek from {})", "date_trunc('QUARTER', {})"],
    "timestamp": ["hour({})", "minute({})", "second({})", "extract(second from {})", "date_trunc('HOUR', {})", "unix_micros({})",
                  "date_format({}, 'HH:mm:ss.SSS a')", "to_date({})", "unix_timestamp({})", "{} + interval '1' hour"],
    "boolean": ["not {}", "{} is true", "if({}, 1, 2)", "case when {} then 'x' else 'y' end"],
    "array": ["size({})", "array_max({})", "sort_array({})", "array_contains({}, 1)", "element_at({}, 1)", "{}[0]", "reverse({})",
              "array_join({}, '-')", "array_distinct({})", "slice({}, 1, 1)", "transform({}, x -> x)"],
    "interval": ["-({})", "abs({})", "{} * 2", "{} / 3", "date'2020-01-31' + {}", "timestamp'2020-01-31 00:00:00' - {}",
                 "cast({} as string)", "extract(month from {})", "extract(second from {})", "{} + {}", "hash({})"],
}
BINARY = ["{} + {}", "{} - {}", "{} * {}", "{} / {}", "{} % {}", "{} div {}", "{} = {}", "{} < {}", "{} <=> {}", "{} >= {}", "{} <> {}",
          "coalesce({}, {})", "greatest({}, {})", "least({}, {})", "nullif({}, {})", "if(true, {}, {})", "{} in ({}, 1)", "array({}, {})",
          "concat({}, {})", "pmod({}, {})", "try_add({}, {})", "try_divide({}, {})", "{} & {}", "named_struct('a', {}, 'b', {})",
          "pow({}, {}) > 2", "{} between {} and 5"]


def value(rng, kind=None):
    return rng.choice(VALUES[kind or rng.choice(list(VALUES))])


def expression(rng, depth=0):
    pick = rng.random()
    if pick < 0.35:
        kind = rng.choice(list(UNARY))
        arg = value(rng, rng.choice(NUMBERS) if kind == "numbers" else kind)
        return rng.choice(UNARY[kind]).replace("{}", arg)
    if pick < 0.6:
        kinds = NUMBERS if rng.random() < 0.7 else list(VALUES)
        return rng.choice(BINARY).format(*[value(rng, rng.choice(kinds)) for _ in range(3)])
    if pick < 0.85 or depth > 1:
        how = rng.choice(["cast", "try_cast"])
        return f"{how}({value(rng)} as {rng.choice(CASTS)})"
    form = rng.choice(BINARY)
    return form.format(*[f"({expression(rng, depth + 1)})" if rng.random() < 0.5 else value(rng) for _ in range(3)])


def ask_spark(statements):
    """What Spark answers, in the form of eval_lines."""
    from pyspark.sql import SparkSession
    from pyspark.sql.functions import col
    spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
             .config("spark.sql.session.timeZone", "UTC").config("spark.log.level", "OFF").getOrCreate())
    answers = []
    for sql in statements:
        try:
            frame = spark.sql(sql)
            types = ",".join(f.dataType.simpleString() for f in frame.schema.fields)
            names = [f"c{i}" for i in range(len(frame.columns))]
            row = frame.toDF(*names).select(*[col(n).cast("string") for n in names]).collect()[0]
            answers.append(f"[{types}] " + "|".join("NULL" if v is None else v for v in row))
        except Exception as error:
            answers.append(f"ERR {error.getCondition()} {error.getSqlState()} {error.getMessageParameters()}")
    spark.stop()
    return answers


def normal(answer):
    """Without nullability; an error by its condition and SQLSTATE."""
    found = re.match(r"ERR (\S+) (\S+)", answer)
    return found.groups() if found else answer.replace("!", "")


def main():
    if sys.argv[1] == "--lines":
        rng = random.Random(int(sys.argv[2]))
        for _ in range(int(sys.argv[3])):
            print("select " + expression(rng))
        return 0
    try:
        import pyspark  # noqa: F401
    except ImportError:
        print("compare_spark: skipped, there is no pyspark")
        return 0
    seed, count = int(sys.argv[2]) if len(sys.argv) > 2 else 1, int(sys.argv[3]) if len(sys.argv) > 3 else 500
    rng = random.Random(seed)
    statements = ["select " + expression(rng) for _ in range(count)]
    ours = subprocess.run([sys.argv[1]], input="\n".join(statements) + "\n", stdout=subprocess.PIPE, text=True, check=True)
    mine = dict(line.split(" => ", 1) for line in ours.stdout.splitlines() if " => " in line)
    bad = 0
    for sql, answer in zip(statements, ask_spark(statements)):
        if normal(answer) != normal(mine.get(sql, "")):
            bad += 1
            print(f"{sql}\n  Spark {answer}\n  here  {mine.get(sql)}")
    print(f"compare_spark: {count - bad} of {count} agree")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
