#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares how libspark and Spark read and write JSON: files and options made from seeds, cell by cell.

usage: json_against_spark.py JSON_CASES [--seed N] [--number N] [--only N] [--keep DIR]

JSON_CASES is the built program conformance_json_cases. Needs PySpark 3.5 or later for this python3, and
Java; says so and ends with 77 where one is missing. Each file is read by both, and, where that gave rows,
written by both: the lines must be the same bytes. Not generated, because both differ by intent
(src/README.md): text behind the value of a record, halves of surrogates, bytes that are no UTF-8, names that
occur twice in an object, microseconds, integers of more than 64 bits with prefersDecimal, values that do not
fit in arrays of rows, exponents with prefersDecimal. Nor what Spark does by accident: objects behind an
element that does not fit its array (it goes on inside of it); all of a row that has a string that is no base 64 where
bytes are wanted; control characters between single quotes, which it
refuses whatever allowUnquotedControlChars says; floats that Java before 19 prints with more digits than they need.
"""
import datetime
import math
import struct
from pathlib import Path

import spark_cases

SCALARS = ["bigint", "bigint", "int", "smallint", "tinyint", "double", "double", "float", "boolean", "date",
           "timestamp", "string", "string", "decimal(10,2)", "binary"]
LONGS = ["0", "1", "-1", "12", "127", "-129", "32768", "2147483648", "9223372036854775807",
         "-9223372036854775808", "-0", "9007199254740993"]
BIG = ["9223372036854775808", "12345678901234567890123", "-99999999999999999999999999999999999999",
       "1234567890123456789012345678901234567890"]
DOUBLES = ["1.5", "-0.25", "1e3", "1E-3", "1e400", "3.14159265358979312", "0.1", "100.005", "1.0", "-0.0",
           "123456789012345678.5", "4.9e-324", "1.7976931348623157e308", "1e22", "12345678.9", "0.001", "0.0001"]
NAMED = ["NaN", "Infinity", "-Infinity", "+Infinity", "+INF", "-INF"]
WORDS = ["", "a", "Rome", "x y", " pad ", "na\u00efve", "\u6f22\u5b57", "\U0001f600", "quote \" here", "back\\slash",
         "tab\there", "line\nend", "null", "true", "1", "1.50", "12", "0.05", "-7", "slash/", "\u0001\u001f", "\u007f",
         "'single'", "{}", "[1]", "2024-02-29", "NaN", "Infinity", "aGVsbG8=", "YQ==", "\u2028", "\ufb01"]
DATES = ["2024-02-29", "1970-01-01", "1999-12-31", "2024-2-9", "2023-02-29", "2024-05", "x", ""]
TIMES = ["2024-02-29 10:11:12", "2024-02-29T10:11:12", "2024-02-29T10:11:12.5", "2024-02-29T10:11:12.123Z",
         "2024-02-29T10:11:12+02:00", "2024-02-30 00:00:00", "1969-12-31 23:59:59.999", "2024-02-29", "no"]


def quoted(rng, text, single=False):
    """A string of JSON, with one of the ways to write each sign."""
    quote = "'" if single else '"'
    out = []
    for c in text:
        short = {"\"": '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "/": "/"}.get(c)
        if c == quote or (single and c == "'"):
            out.append("\\" + c)
        elif ord(c) < 32 or c == "\\":
            out.append(short or f"\\u{ord(c):04x}")
        elif c == '"' and single:
            out.append(c)
        elif rng.random() < 0.1 and ord(c) < 0x10000:
            out.append(f"\\u{ord(c):04X}" if rng.random() < 0.9 or c != "/" else "\\/")
        elif rng.random() < 0.1 and ord(c) >= 0x10000:
            high, low = struct.unpack("<HH", c.encode("utf-16-le"))
            out.append(f"\\u{high:04x}\\u{low:04x}")
        else:
            out.append(c)
    return quote + "".join(out) + quote


class Writer:
    """Draws texts under the options of a case."""

    def __init__(self, rng, options, dirt):
        self.rng, self.options, self.dirt = rng, options, dirt
        self.clean = False  # in arrays of rows: Spark takes all of them for malformed where one is
        self.multi = options.get("multiLine") == "true"

    def on(self, name):
        default = "true" if name in ("allowSingleQuotes", "allowNonNumericNumbers") else "false"
        return self.options.get(name, default) == "true"

    def safe(self, kind):
        """A value that fits."""
        pools = {"date": '"2024-02-29"', "timestamp": '"2024-02-29T10:11:12Z"', "boolean": "true", "binary": '"YQ=="',
                 "decimal(10,2)": "1.5", "double": "-2.5", "float": "1e3"}
        if kind == "date" and "dateFormat" in self.options:
            return "null"
        if kind == "timestamp" and "timestampFormat" in self.options:
            return "null"
        if "prefersDecimal" in self.options and kind == "float":
            return "7.25"
        return pools.get(kind) or (self.string(self.rng.choice(WORDS)) if kind == "string" else
                                   self.rng.choice(["0", "1", "-7", "127"]))

    def blank(self):
        kind = self.rng.random()
        if kind < 0.8:
            return ""
        if kind > 0.95 and self.on("allowComments"):
            return self.rng.choice(["/* c */", "/**/", "/* ' \" { */ "])
        return self.rng.choice([" ", "\t", "  "] + (["\n", "\r\n "] if self.multi else []))

    def string(self, text):
        single = self.rng.random() < 0.1 and self.on("allowSingleQuotes")
        body = quoted(self.rng, text, single)
        if self.on("allowUnquotedControlChars") and not single and self.rng.random() < 0.2:
            body = body[:-1] + "\t" + body[-1]
        if self.rng.random() < 0.1 and self.on("allowBackslashEscapingAnyCharacter"):
            body = body[:-1] + "\\q" + body[-1]
        return body

    def name(self, name):
        if self.on("allowUnquotedFieldNames") and self.rng.random() < 0.4 and name.isidentifier() and name.isascii():
            return name
        if self.rng.random() < 0.1:
            return quoted(self.rng, name, self.on("allowSingleQuotes") and self.rng.random() < 0.5)
        return '"' + name + '"'

    def number(self, pool):
        text = self.rng.choice(pool)
        if self.rng.random() < 0.05 and self.on("allowNumericLeadingZeros"):
            text = text.replace("-", "-00", 1) if text.startswith("-") else "00" + text
        return text

    def scalar(self, kind):
        rng = self.rng
        if rng.random() < 0.12:
            return "null"
        if self.clean:
            return self.safe(kind)
        if rng.random() < self.dirt:
            return self.any_scalar() if kind != "binary" else rng.choice(LONGS)
        if kind in ("bigint", "int", "smallint", "tinyint"):
            return self.number(LONGS)
        if kind in ("double", "float", "decimal(10,2)"):
            if rng.random() < 0.1 and kind != "decimal(10,2)" and self.on("allowNonNumericNumbers") \
                    and "prefersDecimal" not in self.options:
                return rng.choice(NAMED) if rng.random() < 0.5 else '"' + rng.choice(NAMED) + '"'
            pool = DOUBLES + LONGS[:6]
            if kind == "float":  # which Java before 19 prints with more digits than are needed
                pool = [x for x in pool if len(x) < 8]
            if "prefersDecimal" in self.options:
                pool = [x for x in pool if "e" not in x.lower() and not x.startswith("-0")]
            return self.number(pool)
        if kind == "boolean":
            return rng.choice(["true", "false"])
        if kind == "date":
            return self.string(rng.choice(DATES))
        if kind == "timestamp":
            return self.string(rng.choice(TIMES)) if rng.random() < 0.9 else rng.choice(["0", "1700000000", "-5"])
        if kind == "binary":
            return quoted(rng, rng.choice(["", "aGVsbG8=", "YQ==", "YWI=", "YWJj"]))
        return self.string(rng.choice(WORDS))

    def any_scalar(self):
        rng = self.rng
        pool = LONGS + ([] if "prefersDecimal" in self.options else BIG + DOUBLES) + ["true", "false"]
        return rng.choice(pool) if rng.random() < 0.6 else self.string(rng.choice(WORDS))

    def value(self, kind, depth=0):
        rng = self.rng
        if isinstance(kind, dict):
            if rng.random() < 0.1:
                return "null"
            if rng.random() < self.dirt / 2 and depth > 0 and not self.clean:
                return self.any_scalar()
            return self.object(kind, depth)
        if isinstance(kind, list):
            if rng.random() < 0.1:
                return "null"
            if rng.random() < self.dirt / 2 and not self.clean:
                return self.any_scalar()
            n = rng.choice([0, 1, 2, 3, 9])
            dirt, clean = self.dirt, self.clean
            self.dirt, self.clean = 0, clean or isinstance(kind[0], dict)
            all_ = [self.blank() + self.value(kind[0], depth + 1) + self.blank() for _ in range(n)]
            self.dirt, self.clean = dirt, clean
            return "[" + ",".join(all_) + "]"
        return self.scalar(kind)

    def object(self, kind, depth):
        rng = self.rng
        names = [n for n in kind if rng.random() < 0.85]
        if rng.random() < 0.2:
            rng.shuffle(names)
        if rng.random() < 0.1 and depth == 0:
            names.append("extra " + str(rng.randint(0, 3)))
        parts = []
        for n in names:
            inner = self.value(kind.get(n, "string"), depth + 1)
            parts.append(self.blank() + self.name(n) + self.blank() + ":" + self.blank() + inner + self.blank())
        return "{" + ",".join(parts) + (self.blank() if not parts else "") + "}"

    def record(self, kind):
        rng = self.rng
        text = self.object(kind, 0)
        if rng.random() < self.dirt:
            self.clean = True
            text = self.broken(text, self.object(kind, 0))
            self.clean = False
        elif rng.random() < 0.04:
            self.clean = True
            text = "[" + ",".join(self.object(kind, 0) for _ in range(rng.choice([0, 1, 3]))) + "]"
            self.clean = False
        return text

    def broken(self, text, good):
        """No object, or something beside it, or one that is wrong outside of its values: Spark may keep what it has
        read before a value that it cannot read, and go on inside of it."""
        broken = [text[:-1], "5", '"x"', "nul", "{", "]", '{"a" 1}', '{"a":1,}', '{,}', "x", "NaN",
                  "null", '""', "[null]", "[5]", f"[{good},null]", f"[[],{good}]", f'["",{good}]', f"[[{good}],[]]"]
        if not self.on("allowSingleQuotes"):
            broken.append("{'a':1}")
        if not self.on("allowUnquotedFieldNames"):
            broken.append("{a:1}")
        if not self.on("allowComments"):
            broken.append("/* c */ {}")
        if not self.on("allowUnquotedControlChars"):
            broken.append('{"a\tb":1}')
        if not self.on("allowBackslashEscapingAnyCharacter"):
            broken.append('{"a\\qb":1}')
        return self.rng.choice(broken)


def draw_type(rng, depth=0):
    kind = rng.random()
    if kind < 0.7 or depth > 2:
        return rng.choice(SCALARS)
    if kind < 0.85:
        return [draw_type(rng, depth + 1)]
    return draw_struct(rng, depth + 1)


def draw_struct(rng, depth):
    names = rng.sample(["id", "name", "b", "c", "zip", "a b", "\u00e9t\u00e9", "\u6f22", "value", "key", "_x", "d.e",
                        "\U0001f600", "\ufb01", "n1", "n2"], rng.randint(1, 6))
    return {n: draw_type(rng, depth) for n in names}


def type_text(kind, name=lambda n: n):
    if isinstance(kind, dict):
        return "struct<" + ",".join(f"{name(n)}:{type_text(k, name)}" for n, k in kind.items()) + ">"
    if isinstance(kind, list):
        return f"array<{type_text(kind[0], name)}>"
    return kind


def hex_of(text):
    return text.encode("utf-8").hex()


def make_case(rng):
    """Options, a type or None, and the bytes of a file."""
    options = {}
    typed = rng.random() < 0.5
    for name, share in (("allowComments", 0.15), ("allowUnquotedFieldNames", 0.15), ("allowNumericLeadingZeros", 0.15),
                        ("allowBackslashEscapingAnyCharacter", 0.1), ("allowUnquotedControlChars", 0.1),
                        ("multiLine", 0.2)):
        if rng.random() < share:
            options[name] = "true"
    for name in ("allowSingleQuotes", "allowNonNumericNumbers"):
        if rng.random() < 0.15:
            options[name] = "false"
    if rng.random() < 0.3:
        options["mode"] = rng.choice(["PERMISSIVE", "DROPMALFORMED", "FAILFAST"])
    if rng.random() < 0.1:
        options["columnNameOfCorruptRecord"] = "bad"
    if rng.random() < 0.1:
        options["dateFormat"] = "dd/MM/yyyy"
    if rng.random() < 0.1:
        options["timestampFormat"] = "yyyy-MM-dd HH:mm:ss"
    if rng.random() < 0.2:
        options["ignoreNullFields"] = "false"
    if not typed:
        for name, share in (("primitivesAsString", 0.15), ("prefersDecimal", 0.2), ("dropFieldIfAllNull", 0.2),
                            ("inferTimestamp", 0.2)):
            if rng.random() < share:
                options[name] = "true"
    kind = draw_struct(rng, 0)
    dirt = rng.choice([0, 0, 0.03, 0.1])
    writer = Writer(rng, options, dirt)
    if options.get("multiLine"):
        n = rng.choice([1, 3, 20])
        writer.clean = n > 1
        text = writer.record(kind) if n == 1 else "[" + ",\n".join(writer.object(kind, 0) for _ in range(n)) + "]"
    else:
        lines = []
        for _ in range(rng.choice([1, 3, 10, 40])):
            lines.append(writer.blank() * (rng.random() < 0.1) if rng.random() < 0.05 else writer.record(kind))
        end = rng.choice(["\n", "\n", "\r\n"])
        if rng.random() < 0.1:
            end = options["lineSep"] = rng.choice(["\n", ";\n", "\n\n"])
        text = end.join(lines) + (end if rng.random() < 0.8 else "")
    if typed and rng.random() < 0.3:
        kind = dict(list(kind.items())[: rng.randint(1, len(kind))])
    if typed and rng.random() < 0.3:
        kind[options.get("columnNameOfCorruptRecord", "_corrupt_record")] = "string"
    return options, kind if typed else None, text.encode("utf-8", "surrogatepass")


# ---- Spark's answer ----

def ours(kind):
    """The type that libspark has for one of Spark's."""
    from pyspark.sql import types
    if isinstance(kind, types.StructType):
        return {f.name: ours(f.dataType) for f in kind.fields}
    if isinstance(kind, types.ArrayType):
        return [ours(kind.elementType)]
    text = kind.simpleString()
    return "double" if text.startswith("decimal") and kind.precision > 18 else text


def has_wide(kind):
    """Whether a type of Spark has decimals of more digits than libspark's, which are doubles there."""
    from pyspark.sql import types
    if isinstance(kind, types.StructType):
        return any(has_wide(f.dataType) for f in kind.fields)
    if isinstance(kind, types.ArrayType):
        return has_wide(kind.elementType)
    return isinstance(kind, types.DecimalType) and kind.precision > 18


def cell(value, kind):
    if value is None:
        return "null"
    if isinstance(kind, dict):
        return "{" + ",".join(cell(v, k) for v, k in zip(value, kind.values())) + "}"
    if isinstance(kind, list):
        return "[" + ",".join(cell(v, kind[0]) for v in value) + "]"
    if kind in ("bigint", "int", "smallint", "tinyint"):
        return f"i{value}"
    if kind in ("double", "float"):
        value = float(value)
        return "fnan" if math.isnan(value) else "f" + struct.pack(">d", value).hex()
    if kind.startswith("decimal"):
        return "e" + format(value, "f")
    if kind == "boolean":
        return f"b{int(value)}"
    if kind == "date":
        return f"d{(value - datetime.date(1970, 1, 1)).days}"
    if kind == "timestamp":
        return f"t{(value - datetime.datetime(1970, 1, 1)) // datetime.timedelta(microseconds=1)}"
    if kind == "binary":
        return "s" + bytes(value).hex()
    return "s" + value.encode("utf-8", "surrogatepass").hex()


def ask_spark(spark, path, options, kind):
    """(type, rows, has_wide), or "error" and why."""
    reader = spark.read.options(**options)
    if kind:
        reader = reader.schema(", ".join(f"`{n}` {type_text(k, lambda n: f'`{n}`')}" for n, k in kind.items()))
    try:
        frame = reader.json(str(path))
        found = ours(frame.schema)
        rows = [cell(row, found) for row in frame.cache().collect()]
        frame.coalesce(1).write.options(**options).mode("overwrite").json(str(path) + ".spark")
        frame.unpersist()
    except Exception as e:  # Spark's own, whatever it is called
        return ("error", str(e)[:300])
    return type_text(found, hex_of), rows, has_wide(frame.schema)


def ask_libspark(program, cases):
    text = []
    for path, options, kind in cases:
        text.append(f"path {str(path).encode().hex()}")
        text.append(f"write {(str(path) + '.ours').encode().hex()}")
        text += [f"option {n} {v.encode().hex()}" for n, v in options.items()]
        if kind:
            text.append(f"schema {type_text(kind, hex_of)}")
        text.append("run")
    return [("error", lines[0]) if lines[0].startswith("error") else (lines[0][5:], lines[1:])
            for lines in spark_cases.answers(program, text)]


def written(directory, options):
    parts = sorted(Path(directory).glob("part-*"))
    return b"".join(p.read_bytes() for p in parts)


def differences(case, want, have):
    path, options, _ = case
    if want[0] == "error" or have[0] == "error":
        yield from spark_cases.failures(want, have)
        return
    if want[0] != have[0]:
        yield f"type: Spark {want[0]}"
        yield f"   libspark {have[0]}"
        return
    if len(want[1]) != len(have[1]):
        yield f"rows: Spark {len(want[1])}, libspark {len(have[1])}"
    for i, (a, b) in enumerate(zip(want[1], have[1])):
        if a != b:
            yield f"row {i}: Spark    {a}"
            yield f"       libspark {b}"
    if want[2]:  # which are written as such
        return
    a, b = written(str(path) + ".spark", options), written(str(path) + ".ours", options)
    end = options.get("lineSep", "\n").encode()
    for x, y in zip(a.split(end), b.split(end)):
        if x != y:
            yield f"written: Spark    {x!r}"
            yield f"         libspark {y!r}"


def main():
    # Of nothing but malformed records Spark refuses to say that they are.
    spark_cases.compare("json", 150, make_case, ask_libspark, ask_spark, differences, len, "rows",
                        passed="QUERY_ONLY_CORRUPT_RECORD", sql_caseSensitive="true")


if __name__ == "__main__":
    spark_cases.in_utc(main)
