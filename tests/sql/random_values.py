# SPDX-License-Identifier: Apache-2.0
"""What random queries are made of: tables, constants and functions, for Spark and for DuckDB.

A text is for both: dual(spark, duck) is a place where they differ, between BEGIN and END, and why says what differs
in meaning. What DuckDB has nothing for is NOTHING. sides takes a text apart."""
import re

BEGIN, MIDDLE, END, NOTHING = "\u27e6", "\u00a6", "\u27e7", "\u2205"
INT, BIGINT, STRING, MONEY, FINE, DOUBLE, DATE, TIME, BOOLEAN = (
    "int", "bigint", "string", "decimal(7,2)", "decimal(10,3)", "double", "date", "timestamp", "boolean")
INTS, STRINGS, MAP, STRUCT = "array<int>", "array<string>", "map<string,int>", "struct<x:int,y:string>"
NESTED = (INTS, STRINGS, MAP, STRUCT)
NUMBERS = (INT, BIGINT, MONEY, FINE, DOUBLE)
EXACT = (INT, BIGINT, MONEY)

# name: (column, type)
COLUMNS = {
    "t1": [("a", INT), ("b", BIGINT), ("c", STRING), ("d", MONEY), ("e", DATE)],
    "t2": [("a", INT), ("k", INT), ("c", STRING), ("x", DOUBLE), ("e", DATE), ("g", TIME)],
    "t3": [("k", INT), ("b", BIGINT), ("d", FINE), ("f", BOOLEAN)],
    "t4": [("a", INT), ("l", INTS), ("w", STRINGS), ("m", MAP), ("s", STRUCT), ("c", STRING)],
}


def dual(spark, duck, why=""):
    """A place where the two are not written alike; why: where they do not mean the same, either."""
    return f"{BEGIN}{spark}{MIDDLE}{duck}{MIDDLE}{why}{END}"


def sides(text):
    """What Spark is asked, what DuckDB is asked, and what differs in meaning between the two."""
    stack, why = [[["", ""]]], set() # of each open place its parts, for either
    for piece in re.split(f"([{BEGIN}{MIDDLE}{END}])", text):
        if piece == BEGIN:
            stack.append([["", ""]])
        elif piece == MIDDLE:
            stack[-1].append(["", ""])
        elif piece == END:
            spark, duck, reason = stack.pop()
            stack[-1][-1][0] += spark[0]
            stack[-1][-1][1] += duck[1]
            why.add(reason[0])
        else:
            stack[-1][-1][0] += piece
            stack[-1][-1][1] += piece
    return stack[0][0][0], stack[0][0][1], why - {""}


def only_spark(template):
    """A template that DuckDB has nothing for."""
    return dual("", NOTHING, "a function that DuckDB has not, or that gives something else there") + template


def around(before, text, after, why):
    """text, which DuckDB wants within something."""
    return dual("", before, why) + text + dual("", after, why)


def array(*members):
    return dual("array(", "list_value(") + ", ".join(members) + ")"


POOL = {
    INT: ["1", "2", "3", "4", "7", "-5", "0", "NULL"],
    BIGINT: [dual("10L", "10"), dual("20L", "20"), dual("-1L", "-1"), "30", "NULL"],
    STRING: ["'x'", "'y'", "'zz'", "''", "' Ab '", "'12'", "'q,z'", "NULL"],
    MONEY: ["1.50", "2.25", "-3.10", "100.00", "0.00", "NULL"],
    FINE: ["1.500", "0.125", "-3.100", "NULL"],
    DOUBLE: [dual("0.5D", "0.5"), dual("1.5D", "1.5"), dual("-2.25D", "-2.25"), "4e0", "NULL"],
    DATE: ["DATE'2024-01-31'", "DATE'2024-02-29'", "DATE'2023-12-31'", "NULL"],
    TIME: ["TIMESTAMP'2024-01-31 10:20:30'", "TIMESTAMP'2024-02-29 00:00:00'", "TIMESTAMP'2023-12-31 23:59:59.5'", "NULL"],
    BOOLEAN: ["true", "false", "NULL"],
    INTS: [array("1", "2", "3"), array("3", "NULL", "1"), array("7"), "NULL"],
    STRINGS: [array("'x'", "'y'"), array("'zz'", "NULL", "'x'"), array("''"), "NULL"],
    MAP: [dual("map('x', 1, 'y', 2)", "MAP {'x': 1, 'y': 2}"), dual("map('zz', CAST(NULL AS int))", "MAP {'zz': CAST(NULL AS int)}"), "NULL"],
    STRUCT: [dual("named_struct('x', 1, 'y', 'x')", "{'x': 1, 'y': 'x'}"),
             dual("named_struct('x', CAST(NULL AS int), 'y', 'zz')", "{'x': CAST(NULL AS int), 'y': 'zz'}"), "NULL"],
}
DUCK_TYPES = {INTS: "int[]", STRINGS: "varchar[]", MAP: "map(varchar, int)", STRUCT: "struct(x int, y varchar)"}


def type_text(kind):
    return dual(kind, DUCK_TYPES[kind]) if kind in DUCK_TYPES else kind


def cast(text, kind):
    return f"CAST({text} AS {type_text(kind)})"


CUT = "casts of fractions to integers: cut in Spark, rounded in DuckDB"
SCALE = "decimals: quotients and averages have a scale in Spark, are doubles in DuckDB"
TO_DATE = "dates and months: a DATE in Spark, a TIMESTAMP in DuckDB"
SKIPS = "concat: NULL in Spark where an argument is, skipped in DuckDB"
SUNDAY = "dayofweek: from 1 in Spark, from 0 in DuckDB"
FROM_ONE = "a[i]: from 0 in Spark, from 1 in DuckDB"
ARRAYS = "arrays: NULLs come first and are no member in Spark, not in DuckDB"
BY_ZERO = "a division by zero: refused (or NULL by try_) in Spark, NULL in DuckDB"

# {0}: the argument, {1}: a small number; the result's type, or None where nothing more is done with it.
FUNCTIONS = {
    STRING: (
        ("upper({0})", STRING), ("lower({0})", STRING), ("trim({0})", STRING), ("ltrim({0})", STRING), ("rtrim({0})", STRING),
        ("reverse({0})", STRING), ("({0} || 'q')", STRING), ("({0} || {0})", STRING),
        (dual("concat({0}, 'q')", "({0} || 'q')", SKIPS), STRING), ("concat_ws('-', {0}, 'q', {0})", STRING),
        ("substring({0}, 1, 1)", STRING), ("substring({0}, 2)", STRING), ("replace({0}, 'z', 'w')", STRING), ("length({0})", INT),
        (dual("ascii({0})", "CASE WHEN {0} = '' THEN 0 ELSE ascii({0}) END", "ascii of an empty text: 0 in Spark"), INT),
        ("instr({0}, 'z')", INT), ("lpad({0}, 3, '*')", STRING), ("rpad({0}, {1}, 'ab')", STRING), ("left({0}, 1)", STRING),
        ("right({0}, 2)", STRING), ("repeat({0}, 2)", STRING), ("translate({0}, 'xz', 'u')", STRING), ("md5({0})", STRING),
        ("starts" + dual("", "_") + "with({0}, 'z')", BOOLEAN), ("contains({0}, 'z')", BOOLEAN), ("split_part({0}, ',', 1)", STRING),
        ("regexp_replace({0}, '[xz]', '-'" + dual("", ", 'g'") + ")", STRING), ("levenshtein({0}, 'zx')", INT),
        (only_spark("initcap({0})"), STRING), (only_spark("try_cast({0} AS int)"), INT), (only_spark("substring({0}, -2, 1)"), STRING),
        (only_spark("substring_index({0}, ',', {1})"), STRING), (only_spark("split({0}, ',')[0]"), STRING),
        (only_spark("soundex({0})"), STRING), (only_spark("overlay({0} PLACING 'u' FROM 1)"), STRING), (only_spark("hash({0})"), INT),
        (only_spark("nvl2({0}, 'n', 'm')"), STRING), (only_spark("locate('z', {0}, 2)"), INT), (only_spark("elt({1}, {0}, 'a')"), None),
        (only_spark("regexp_extract({0}, '([a-z]+)', 1)"), STRING), (only_spark("size(split({0}, ''))"), INT),
        (only_spark("decode({0}, 'x', 1, 'y', 2, 0)"), INT), (only_spark("hex({0})"), STRING)),
    DATE: (
        ("month({0})", INT), ("year({0})", INT), ("day({0})", INT), ("quarter({0})", INT), ("dayofyear({0})", INT),
        ("weekofyear({0})", INT), (dual("datediff(", "datediff('day', DATE'2024-01-01', ") + "{0}" + dual(", DATE'2024-01-01'", "") + ")", INT),
        ("last_day({0})", DATE), (dual("date_add({0}, 30)", "({0} + 30)"), DATE), (dual("date_sub({0}, {1})", "({0} - {1})"), DATE),
        (dual("add_months({0}, {1})", "CAST({0} + INTERVAL {1} MONTH AS date)", TO_DATE), DATE),
        (dual("({0} - INTERVAL '1' MONTH)", "CAST({0} - INTERVAL '1' MONTH AS date)", TO_DATE), DATE),
        (dual("({0} + INTERVAL '3' DAY)", "CAST({0} + INTERVAL '3' DAY AS date)", TO_DATE), DATE),
        ("CAST({0} AS string)", STRING), (dual("dayofweek({0})", "(dayofweek({0}) + 1)", SUNDAY), INT), ("CAST({0} AS timestamp)", TIME),
        (dual("trunc({0}, 'MM')", "CAST(date_trunc('month', {0}) AS date)", TO_DATE), DATE),
        ("extract(YEAR FROM {0})", INT), (dual("({0} + INTERVAL '2' HOUR)", "({0} + INTERVAL '2' HOUR)"), TIME),
        (only_spark("months_between({0}, DATE'2024-01-15')"), None), (only_spark("next_day({0}, 'MON')"), DATE),
        (only_spark("date_format({0}, 'EEE dd.MM.yy')"), STRING), (only_spark("({0} - DATE'2024-01-01')"), None),
        (only_spark("unix_date({0})"), INT)),
    TIME: (
        ("hour({0})", INT), ("minute({0})", INT), ("date_trunc('HOUR', {0})", TIME), ("CAST({0} AS date)", DATE),
        ("({0} + INTERVAL '90' MINUTE)", TIME), ("year({0})", INT), ("({0} - INTERVAL '1' DAY)", TIME),
        (only_spark("second({0})"), INT), (only_spark("CAST({0} AS string)"), STRING), (only_spark("unix_micros({0})"), BIGINT),
        (only_spark("date_format({0}, 'yyyy-MM-dd HH:mm:ss.SSS')"), STRING), (only_spark("({0} - TIMESTAMP'2024-01-01 00:00:00')"), None),
        (only_spark("timestampdiff(DAY, TIMESTAMP'2024-01-01 00:00:00', {0})"), BIGINT)),
    INT: (
        ("({0} + {1})", INT), ("({0} * {1})", INT), ("({0} - {1})", INT), ("({0} % 3)", INT), ("abs({0})", INT), ("(- {0})", INT),
        ("CAST({0} AS bigint)", BIGINT), ("CAST({0} AS double)", DOUBLE), ("CAST({0} AS string)", STRING),
        ("CAST({0} AS decimal(7,2))", MONEY), (dual("({0} DIV 2)", "({0} // 2)"), BIGINT), ("({0} / 2)", DOUBLE),
        ("sign({0})", DOUBLE), ("CAST({0} AS boolean)", BOOLEAN), ("({0} & 6)", INT), ("({0} | 1)", INT),
        (dual("({0} ^ 3)", "xor({0}, 3)"), INT), (dual("try_divide(12, {0})", "(12 / nullif({0}, 0))", BY_ZERO), DOUBLE), ("({0} * 1.5)", None),
        ("greatest({0}, {1})", INT), (dual("pmod({0}, 3)", "((({0} % 3) + 3) % 3)"), INT), (only_spark("hash({0})"), INT),
        (only_spark("hex({0})"), STRING), (only_spark("round({0}, -1)"), INT), (only_spark("width_bucket({0}, 0, 10, 4)"), BIGINT),
        (only_spark("(12 / {0})"), DOUBLE), (only_spark("(12 % {0})"), INT), (only_spark("shiftleft({0}, 2)"), INT),
        (only_spark("nullif(CAST({0} AS tinyint), {1}Y)"), None), (only_spark("array_join(array({0}, 3), ',')"), STRING)),
    BIGINT: (
        ("({0} + {1})", BIGINT), ("({0} - {1})", BIGINT), ("({0} * {1})", BIGINT), ("CAST({0} AS int)", INT), ("CAST({0} AS string)", STRING),
        ("({0} % 7)", BIGINT), ("({0} & 6)", BIGINT), ("({0} / 4)", DOUBLE), ("({0} <= {1})", BOOLEAN), ("CAST({0} AS decimal(10,3))", FINE),
        (only_spark("conv({0}, 10, 2)"), STRING), (only_spark("bit_count({0})"), INT), (only_spark("timestamp_seconds({0})"), TIME)),
    MONEY: (
        ("CAST({0} * 2 AS decimal(7,2))", MONEY), ("({0} + 1)", None), (dual("CAST({0} AS int)", "CAST(trunc({0}) AS int)", CUT), INT),
        ("CAST({0} AS string)", STRING), ("round({0}, 1)", None), ("CAST({0} AS double)", DOUBLE), ("({0} * {0})", None), ("({0} % 2)", None),
        (dual("({0} / 3)", "round({0} / 3, 6)", SCALE), None), ("floor({0})", None), ("ceil({0})", None), ("abs({0})", MONEY), ("(- {0})", MONEY),
        (only_spark("bround({0}, 1)"), None), (only_spark("CAST({0} / 3 AS decimal(10,3))"), FINE), (only_spark("({0} DIV 2)"), BIGINT),
        (only_spark("format_number({0}, 1)"), STRING), (only_spark("CAST({0} AS boolean)"), BOOLEAN)),
    FINE: (
        ("CAST({0} + {1} AS decimal(10,3))", FINE), ("CAST({0} AS decimal(7,2))", MONEY), ("ceil({0})", None), ("CAST({0} AS string)", STRING),
        ("({0} * 1.25)", None), ("({0} - 0.5)", None), ("CAST({0} AS double)", DOUBLE), (dual("CAST({0} AS int)", "CAST(trunc({0}) AS int)", CUT), INT)),
    DOUBLE: (
        ("({0} * 2)", DOUBLE), ("abs({0})", DOUBLE), ("({0} + {1})", DOUBLE), ("({0} / 4)", DOUBLE), ("floor({0})", BIGINT), ("ceil({0})", BIGINT),
        (dual("CAST({0} AS int)", "CAST(trunc({0}) AS int)", CUT), INT), ("CAST({0} AS decimal(10,3))", FINE), ("round({0}, 1)", DOUBLE),
        ("({0} > {1})", BOOLEAN), ("(- {0})", DOUBLE), (only_spark("CAST({0} AS string)"), STRING), (only_spark("sqrt(abs({0}))"), None),
        (only_spark("nanvl({0}, 1)"), DOUBLE), (only_spark("CAST({0} AS float)"), None)),
    BOOLEAN: (
        ("(NOT {0})", BOOLEAN), ("CAST({0} AS int)", INT), ("CAST({0} AS string)", STRING), ("({0} IS TRUE)", BOOLEAN),
        ("({0} IS NOT FALSE)", BOOLEAN), (only_spark("({0} IS UNKNOWN)"), BOOLEAN)),
    INTS: (
        (dual("size({0})", "len({0})"), INT), (dual("get({0}, 0)", "{0}[1]", FROM_ONE), INT), (dual("try_element_at({0}, 2)", "{0}[2]"), INT),
        (dual("try_element_at({0}, -1)", "{0}[-1]"), INT),
        (dual("array_max({0})", "list_aggregate({0}, 'max')"), INT), (dual("array_min({0})", "list_aggregate({0}, 'min')"), INT),
        (dual("sort_array({0})", "list_sort({0}, 'ASC', 'NULLS FIRST')", ARRAYS), None), (only_spark("array_contains({0}, {1})"), BOOLEAN),
        (only_spark("aggregate({0}, 0, (s, v) -> s + coalesce(v, 9))"), INT), (only_spark("exists({0}, v -> v > {1})"), BOOLEAN),
        (only_spark("array_join(transform({0}, v -> v * 2), '+')"), STRING), (only_spark("size(filter({0}, v -> v IS NOT NULL))"), INT),
        (only_spark("array_distinct(concat({0}, array(1)))"), None), (only_spark("array_position({0}, {1})"), BIGINT),
        (only_spark("slice({0}, 1, 2)"), None), (only_spark("array_union({0}, array(2, 9))"), None), (only_spark("reverse({0})"), None),
        (only_spark("array_except({0}, array(1))"), None), (only_spark("arrays_zip({0}, {0})"), None), (only_spark("{0}[0]"), INT),
        (only_spark("array_append({0}, {1})"), None), (only_spark("to_json({0})"), STRING), (only_spark("zip_with({0}, {0}, (x, y) -> x + y)"), None)),
    STRINGS: (
        (dual("size({0})", "len({0})"), INT), (dual("get({0}, 1)", "{0}[2]", FROM_ONE), STRING), (only_spark("array_join({0}, '-')"), STRING),
        (only_spark("array_join({0}, '-', '?')"), STRING), (only_spark("concat_ws(',', {0})"), STRING), (only_spark("array_contains({0}, 'x')"), BOOLEAN),
        (only_spark("array_sort({0})"), None), (only_spark("forall({0}, v -> length(v) > 0)"), BOOLEAN)),
    MAP: (
        (dual("try_element_at({0}, 'x')", "{0}['x']"), INT), (dual("{0}['y']", "{0}['y']"), INT),
        (dual("size({0})", "cardinality({0})"), INT), (dual("size(map_keys({0}))", "len(map_keys({0}))"), INT),
        (only_spark("sort_array(map_keys({0}))"), None), (only_spark("map_contains_key({0}, 'x')"), BOOLEAN),
        (only_spark("map_values({0})"), None), (only_spark("map_filter({0}, (n, v) -> v > 1)"), None), (only_spark("to_json({0})"), STRING),
        (only_spark("map_concat({0}, map('q', 9))"), None), (only_spark("transform_values({0}, (n, v) -> v + 1)"), None)),
    STRUCT: (
        ("({0}).x", INT), ("({0}).y", STRING), (only_spark("to_json({0})"), STRING), (only_spark("({0} = named_struct('x', 1, 'y', 'x'))"), BOOLEAN),
        ("({0} IS NULL)", BOOLEAN)),
}


def tables(rng):
    """Statements that define the tables."""
    made = []
    for name, columns in COLUMNS.items():
        rows = ", ".join("(" + ", ".join(cast(rng.choice(POOL[t]), t) for _, t in columns) + ")" for _ in range(rng.choice((1, 6, 12))))
        made.append(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM {dual('', '(')}VALUES {rows}{dual('', ')')} AS "
                    f"{name}({', '.join(c for c, _ in columns)})")
    return made
