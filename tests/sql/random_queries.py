# SPDX-License-Identifier: Apache-2.0
"""Random queries over four small tables with NULLs: joins of all kinds (ON, USING, NATURAL, comma, LATERAL, LATERAL VIEW),
subqueries (scalar, IN, EXISTS; correlated or not), common table expressions (also recursive ones), set operations, ROLLUP,
CUBE and GROUPING SETS, FILTER and DISTINCT aggregates, windows with frames, QUALIFY, CASE, casts, decimals, dates, texts,
arrays, maps, structs, ORDER BY with LIMIT and OFFSET. Texts are for Spark and DuckDB (random_values.py).

What is asked is determined: sums are exact, windows and limits order by all there is."""
import random

from random_values import (BIGINT, COLUMNS, DATE, EXACT, FUNCTIONS, INT, INTS, MONEY, NESTED, NUMBERS, POOL, SCALE,
                           STRING, STRINGS, STRUCT, TIME, BOOLEAN, around, array, cast, dual, only_spark, tables)

IN_LIST = "x IN (subquery) outside of WHERE's conjunctions: FALSE in Spark where the standard says NULL"
COUNTED = "count(DISTINCT a, b): without rows where one is NULL in Spark"


class Maker:
    """Makes one query: a scope is a list of (qualified name, type); a type None is of a column nothing is done with."""

    def __init__(self, rng):
        self.rng = rng
        self.count = 0

    def alias(self):
        self.count += 1
        return f"r{self.count}"

    def pick(self, scope, types=None):
        found = [c for c in scope if c[1] is not None and (c[1] in types if types else c[1] not in NESTED)]
        return self.rng.choice(found) if found else None

    def literal(self, kind, null=True):
        return cast(self.rng.choice([v for v in POOL[kind] if null or v != "NULL"]), kind)

    # ---- expressions

    def value(self, scope, depth=2, subqueries=False):
        """An expression and its type."""
        rng = self.rng
        nested = self.pick(scope, NESTED)
        if nested and depth and rng.random() < 0.3:
            return self.function(nested, depth)
        one = self.pick(scope)
        if not one:
            return "1", INT
        kind = rng.randrange(14)
        if depth == 0 or kind < 3:
            return one
        if kind < 7:
            inner = self.value(scope, depth - 1) if depth > 1 and rng.random() < 0.4 else one
            return self.function(inner if inner[1] else one, depth)
        if kind == 7:
            return f"{rng.choice(('coalesce', 'coalesce', 'ifnull'))}({one[0]}, {self.literal(one[1], False)})", one[1]
        if kind == 8:
            other = self.pick(scope, (one[1],))
            more = f" WHEN {self.condition(scope, 0)} THEN {self.literal(one[1])}" if rng.random() < 0.3 else ""
            tail = f" ELSE {rng.choice((other[0], self.literal(one[1])))}" if rng.random() < 0.6 else ""
            return f"CASE WHEN {self.condition(scope, depth - 1)} THEN {one[0]}{more}{tail} END", one[1]
        if kind == 9:
            other = self.pick(scope, (one[1],))
            name = rng.choice(("nullif", "least", "greatest", "coalesce"))
            return f"{name}({one[0]}, {other[0]})", one[1]
        if kind == 10 and one[1] in (INT, STRING):
            i = rng.randint(0, 1)
            members = (one[0], self.literal(one[1]))
            return rng.choice((array(*members) + dual(f"[{i}]", f"[{i + 1}]"),
                               dual("element_at(", "list_extract(") + array(*members) + f", {rng.choice((1, -1))})",
                               f"CASE {one[0]} WHEN {self.literal(one[1], False)} THEN {one[0]} END")), one[1]
        if kind == 11 and subqueries:
            return self.scalar(scope, one)
        if kind == 12:
            return self.two(scope, one)
        return f"if({self.condition(scope, 1)}, {one[0]}, NULL)", one[1]

    def two(self, scope, one):
        """Something of two columns."""
        rng = self.rng
        other = self.pick(scope, (one[1],))
        if one[1] in (INT, BIGINT):
            return f"({one[0]} {rng.choice('+-*')} {other[0]})", one[1]
        if one[1] == STRING:
            return f"({one[0]} || {other[0]})", STRING
        if one[1] == DATE:
            return dual(f"datediff({one[0]}, {other[0]})", f"datediff('day', {other[0]}, {one[0]})"), INT
        number = self.pick(scope, NUMBERS)
        if one[1] in NUMBERS:
            return f"({one[0]} {rng.choice('+-*')} {number[0]})", None
        return f"({one[0]} {rng.choice(('=', '<', '<=>'))} {other[0]})".replace("<=>", dual("<=>", "IS NOT DISTINCT FROM")), BOOLEAN

    def function(self, one, depth=1):
        """A function of a value; a nested one's is not used further where nothing is known of its type."""
        text, kind = self.rng.choice([f for f in FUNCTIONS[one[1]] if f[1] or depth > 1] or FUNCTIONS[one[1]])
        return text.format(one[0], self.rng.randint(1, 9)), kind

    def scalar(self, scope, one):
        """A scalar subquery that names a column of the scope, or none."""
        table, columns = self.rng.choice(list(COLUMNS.items()))
        alias = self.alias()
        if self.rng.random() < 0.15: # one row by its order
            what = self.pick([(f"{alias}.{c}", t) for c, t in columns])
            return f"(SELECT {what[0]} FROM {table} {alias} WHERE {self.condition([what], 0)} ORDER BY 1 DESC LIMIT 1)", what[1]
        inner = [(f"{alias}.{c}", t) for c, t in columns]
        what = self.pick(inner, EXACT) or inner[0]
        met = self.pick(inner, (one[1],))
        where = f" WHERE {met[0]} = {one[0]}" if met and self.rng.random() < 0.7 else ""
        name = self.rng.choice(("max", "min", "count") + (("sum",) if what[1] in EXACT else ()))
        kind = {"count": "bigint", "sum": None}.get(name, what[1])
        return f"(SELECT {name}({what[0]}) FROM {table} {alias}{where})", kind

    def condition(self, scope, depth=2, where=None):
        """A condition; where: "AND": it is one of WHERE's conjunctions; "OR": of those below a NOT there;
        "NOT": it is below a NOT elsewhere."""
        rng = self.rng
        kind = rng.randrange(11)
        if kind == 0 and depth:
            word = rng.choice(("AND", "OR"))
            inner = where if where in (word, None, "NOT") else {"AND": None, "OR": "NOT"}[where]
            return f"({self.condition(scope, depth - 1, inner)} {word} {self.condition(scope, depth - 1, inner)})"
        if kind == 1 and depth:
            return f"NOT ({self.condition(scope, depth - 1, {'AND': 'OR', 'OR': 'AND', None: 'NOT'}.get(where))})"
        one = self.pick(scope)
        if not one:
            return "1 = 1"
        if kind == 2:
            return f"{one[0]} IS {rng.choice(('', 'NOT '))}NULL"
        if kind == 3 and depth:
            return self.subquery_condition(scope, one, depth, where)
        other = self.pick(scope, (one[1],))
        right = other[0] if rng.random() < 0.4 else self.literal(one[1])
        if kind == 4:
            return f"{one[0]} {rng.choice(('', 'NOT '))}IN ({right}, {self.literal(one[1])})"
        if kind == 5:
            return f"{one[0]} {dual('<=>', 'IS NOT DISTINCT FROM')} {right}"
        if kind == 6:
            return f"{one[0]} {rng.choice(('', 'NOT '))}BETWEEN {self.literal(one[1])} AND {right}"
        if kind == 8:
            return f"{one[0]} IS {rng.choice(('', 'NOT '))}DISTINCT FROM {right}"
        if kind == 7 and one[1] == STRING and rng.random() < 0.3:
            return dual(f"{one[0]} RLIKE '^[xy]'", f"regexp_matches({one[0]}, '^[xy]')")
        if kind == 7 and one[1] == STRING and rng.random() < 0.3:
            return f"{one[0]} ILIKE {rng.choice(('%A%', 'X%'))!r}"
        if kind == 7 and one[1] == "string":
            return f"{one[0]} {rng.choice(('', 'NOT '))}LIKE {rng.choice(('%z%', 'x', '_', '%', ' %'))!r}"
        if kind == 7 and depth:
            made = self.value(scope, 1)
            if made[1]:
                return f"{made[0]} {rng.choice(('=', '<', '>=', '<>'))} {self.literal(made[1], False)}"
        return f"{one[0]} {rng.choice(('=', '<', '<=', '>', '<>'))} {right}"

    def subquery_condition(self, scope, one, depth, where_=None):
        rng = self.rng
        names = [(t, [c for c, u in columns if u == one[1]]) for t, columns in COLUMNS.items()]
        names = [(t, cs) for t, cs in names if cs]
        table, columns = rng.choice(names)
        alias, column = self.alias(), rng.choice(columns)
        inner = [(f"{alias}.{c}", u) for c, u in COLUMNS[table]]
        where = "" if rng.random() < 0.3 else f" WHERE {self.condition(inner, depth - 1, 'AND')}"
        glue = " AND " if where else " WHERE "
        kind = rng.randrange(6)
        if kind == 0:
            return self.in_query(one, f"SELECT {alias}.{column} FROM {table} {alias}{where}", where_)
        if kind == 1:
            return (f"{rng.choice(('', 'NOT '))}EXISTS (SELECT 1 FROM {table} {alias}{where}{glue}"
                    f"{alias}.{column} = {one[0]})")
        if kind == 2:
            return f"{one[0]} {rng.choice(('=', '<', '>='))} (SELECT {rng.choice(('min', 'max'))}({alias}.{column}) FROM {table} {alias}{where})"
        if kind == 3:
            met = self.pick(inner, EXACT)
            out = self.pick(scope, (met[1],)) if met else None
            if out:
                return self.in_query(one, f"SELECT {alias}.{column} FROM {table} {alias}{where}{glue}{met[0]} = {out[0]}", where_)
        if kind == 5 and rng.random() < 0.3:
            return self.in_query(one, f"SELECT {rng.choice(('min', 'max'))}({alias}.{column}) FROM {table} {alias}{where} GROUP BY {inner[0][0]}", where_)
        if kind == 4:
            return f"EXISTS (SELECT 1 FROM {table} {alias}{where}{glue}{alias}.{column} {rng.choice(('<', '<>', '>'))} {one[0]})"
        return (f"(SELECT count(*) FROM {table} {alias}{where}{glue}{alias}.{column} = {one[0]}) "
                f"{rng.choice(('=', '<', '>'))} {rng.randint(0, 2)}")

    def in_query(self, one, text, where):
        """x [NOT] IN (query), NULL where it is not known: in a conjunction of WHERE as the standard has it. Elsewhere Spark has
        FALSE for both, below a NOT for what that makes of them."""
        negated = self.rng.random() < 0.5
        if where in ("AND", "OR"):
            return f"{one[0]} {'NOT ' if negated else ''}IN ({text})"
        unknown = "true" if negated != (where == "NOT") else "false"
        return f"{'(NOT ' if negated else ''}{around('coalesce(', f'({one[0]} IN ({text}))', f', {unknown})', IN_LIST)}{')' if negated else ''}"

    # ---- FROM

    def relation(self, depth, alone=True):
        """FROM's text and its scope; alone: it is all of it, so that names without a qualifier mean one column."""
        rng = self.rng
        kind = rng.randrange(9)
        alias = self.alias()
        if depth and kind == 0:
            text, columns = self.query(depth - 1)
            names = [f"c{i}" for i in range(len(columns))]
            return f"({text}) {alias}({', '.join(names)})", [(f"{alias}.{n}", t) for n, t in zip(names, columns)]
        table = rng.choice(list(COLUMNS))
        text, scope = f"{table} {alias}", [(f"{alias}.{c}", t) for c, t in COLUMNS[table]]
        if depth and kind == 1 and alone:
            return self.named_join(table, text, alias)
        if depth and kind == 2 and rng.random() < 0.4:
            return self.lateral(text, scope)
        if depth and kind < 6:
            return self.join(text, scope, *self.relation(depth - 1, False))
        if kind == 6 and rng.random() < 0.2:
            rows = ", ".join(f"({self.literal(INT)}, {self.literal(STRING)})" for _ in range(3))
            return f"{dual('', '(')}VALUES {rows}{dual('', ')')} {alias}(v, w)", [(f"{alias}.v", INT), (f"{alias}.w", STRING)]
        if kind == 7 and rng.random() < 0.2:
            return f"range({rng.randint(0, 2)}, 6) {alias}{dual('', '(id)')}", [(f"{alias}.id", BIGINT)]
        return text, scope

    def join(self, text, scope, other, more):
        rng = self.rng
        if " JOIN " in other or "LATERAL" in other:
            other = f"({other})"
        join = rng.choice(("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN", "CROSS JOIN"))
        if join == "CROSS JOIN":
            return f"{text} CROSS JOIN {other}", scope + more
        left = self.pick(scope)
        right = self.pick(more, (left[1],))
        equal = rng.choice(("=", "=", "=", dual("<=>", "IS NOT DISTINCT FROM"), "<"))
        on = f"{left[0]} {equal} {right[0]}" if right else f"{left[0]} IS NOT NULL"
        second = self.pick(scope)
        also = self.pick(more, (second[1],))
        if rng.random() < 0.2 and also:
            on += f" AND {second[0]} = {also[0]}"
        extra = self.pick(more)
        if rng.random() < 0.4 and extra:
            on += f" {rng.choice(('AND', 'AND', 'OR'))} {self.condition([extra, left], 0)}"
        half = join in ("SEMI JOIN", "ANTI JOIN")
        return f"{text} {dual('LEFT ', '') if half else ''}{join} {other} ON {on}", scope if half else scope + more

    def lateral(self, text, scope):
        """A subquery that names columns of what stands before it."""
        rng = self.rng
        table, columns = rng.choice(list(COLUMNS.items()))
        inner, alias = self.alias(), self.alias()
        found = [(f"{inner}.{c}", t) for c, t in columns]
        left = self.pick(scope)
        met = self.pick(found, (left[1],))
        where = f" WHERE {met[0]} {rng.choice(('=', '=', '<'))} {left[0]}" if met else ""
        one = self.pick(found)
        if rng.random() < 0.5:
            query, kind = f"SELECT {rng.choice(('max', 'min'))}({one[0]}) v FROM {table} {inner}{where}", one[1]
        else:
            made = self.value(found + [left], 1)
            query, kind = f"SELECT {made[0]} v FROM {table} {inner}{where}", made[1]
        glue, on = rng.choice(((" JOIN LATERAL", dual("", " ON true")), (" LEFT JOIN LATERAL", " ON true"), (" CROSS JOIN LATERAL", "")))
        return f"{text}{glue} ({query}) {alias}{on}", scope + [(f"{alias}.v", kind)]

    def named_join(self, table, text, alias):
        """USING or NATURAL of two tables: the columns they share stand once, without a qualifier."""
        rng = self.rng
        other = rng.choice([t for t in COLUMNS if t != table])
        second = self.alias()
        shared = [c for c in COLUMNS[table] if c in COLUMNS[other]]
        join = rng.choice(("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"))
        if not shared:
            return f"{text}, {other} {second}", [(f"{alias}.{c}", t) for c, t in COLUMNS[table]]
        used = shared if rng.random() < 0.3 else [rng.choice(shared)]
        names = {c for c, _ in used}
        scope = list(used)
        scope += [(f"{alias}.{c}", t) for c, t in COLUMNS[table] if c not in names]
        scope += [(f"{second}.{c}", t) for c, t in COLUMNS[other] if c not in names]
        if len(names) == len(shared) and rng.random() < 0.5:
            return f"{text} NATURAL {join} {other} {second}", scope
        return f"{text} {join} {other} {second} USING ({', '.join(sorted(names))})", scope

    # ---- SELECT

    def aggregate(self, scope):
        rng = self.rng
        one = self.pick(scope, NUMBERS + (STRING, DATE, TIME))
        if not one or rng.random() < 0.15:
            return "count(*)", BIGINT
        filter_ = f" FILTER (WHERE {self.condition(scope, 0)})" if rng.random() < 0.2 else ""
        kind, distinct = rng.randrange(13), rng.choice(("", "", "DISTINCT "))
        if kind == 0:
            return f"count({rng.choice(('', 'DISTINCT '))}{one[0]}){filter_}", BIGINT
        exact = self.pick(scope, EXACT)
        if kind == 1 and exact:
            return f"sum({distinct}{exact[0]}){filter_}", BIGINT if exact[1] != MONEY else None
        if kind == 2 and exact:
            what = f"avg({distinct}{exact[0]}){filter_}"
            return around("round(", what, ", 6)", SCALE) if exact[1] == MONEY else what, None
        other = self.pick(scope, NUMBERS + (STRING, DATE))
        if kind == 3 and other:
            return (dual(f"count(DISTINCT {one[0]}, {other[0]})",
                         f"count(DISTINCT CASE WHEN {one[0]} IS NOT NULL AND {other[0]} IS NOT NULL THEN row({one[0]}, {other[0]}) END)", COUNTED) + filter_, BIGINT)
        if kind == 4:
            return around("coalesce(", f"count_if({self.condition(scope, 0)}){filter_}", ", 0)", "count_if of no rows: 0 in Spark, NULL in DuckDB"), BIGINT
        if kind == 5 and exact and exact[1] != MONEY:
            made = self.value([exact], 1)
            return (f"sum({made[0]}){filter_}", BIGINT) if made[1] in (INT, BIGINT) else ("count(*)", BIGINT)
        if kind == 6:
            name = rng.choice((("bool_and", "bool_and"), ("bool_or", "bool_or"), ("every", "bool_and"), ("any", "bool_or")))
            return f"{dual(*name)}({self.condition(scope, 0)}){filter_}", BOOLEAN
        if kind == 7:
            return only_spark(rng.choice((f"sort_array(collect_set({one[0]})){filter_ and ''}", f"sort_array(collect_list({distinct}{one[0]}))",
                                          f"size(array_agg({one[0]}){filter_})"))), None
        whole = self.pick(scope, (INT, BIGINT))
        if kind == 8 and whole:
            return f"{rng.choice(('bit_and', 'bit_or', 'bit_xor'))}({whole[0]}){filter_}", whole[1]
        if kind == 9 and whole:
            return f"median({whole[0]}){filter_}", None
        if kind == 10:
            return only_spark(rng.choice((f"max_by({one[0]}, {one[0]}){filter_}", f"count({one[0]}, {one[0]}){filter_}",
                                          f"approx_count_distinct({one[0]}) > 0", f"max(struct({one[0]}, {other[0] if other else 1})){filter_}"))), None
        return f"{rng.choice(('min', 'max'))}({one[0]}){filter_}", one[1]

    def window(self, scope):
        rng = self.rng
        parts = self.pick(scope)
        if not parts:
            return "count(*) OVER ()", None
        order = ", ".join(f"{c[0]}{rng.choice(('', ' DESC', ' NULLS LAST', ' DESC NULLS FIRST'))}" for c in scope
                          if c[1] and c[1] not in NESTED)
        exact = self.pick(scope, EXACT)
        one = self.pick(scope)
        by = rng.choice((f"PARTITION BY {parts[0]} ", f"PARTITION BY {parts[0]}, {one[0]} ", ""))
        over = f"({by}ORDER BY {order}"
        kind = rng.randrange(13)
        if kind == 0 or not exact:
            return f"{rng.choice(('rank', 'dense_rank'))}() OVER {over})", INT
        if kind == 1:
            return f"{rng.choice(('min', 'max', 'count'))}({exact[0]}) OVER {over})", None
        if kind == 2:
            name = rng.choice(("sum", "avg"))
            what = f"{name}({exact[0]}) OVER ({by})"
            return around("round(", what, ", 6)", SCALE) if name == "avg" and exact[1] == MONEY else what, None
        if kind == 3:
            return f"sum({exact[0]}) OVER {over} RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)", None
        if kind == 4: # rows that are equal in all that is ordered by are the same ones to the function
            bounds = rng.choice(("1 PRECEDING AND CURRENT ROW", "2 PRECEDING AND 1 FOLLOWING", "UNBOUNDED PRECEDING AND CURRENT ROW",
                                 "CURRENT ROW AND UNBOUNDED FOLLOWING", "1 FOLLOWING AND 2 FOLLOWING", "2 PRECEDING AND 1 PRECEDING"))
            filter_ = f" FILTER (WHERE {self.condition(scope, 0)})" if rng.random() < 0.2 else ""
            return f"{rng.choice(('sum', 'count', 'min', 'max'))}({exact[0]}){filter_} OVER {over} ROWS BETWEEN {bounds})", None
        if kind == 5:
            number = self.pick(scope, (INT, BIGINT))
            if number:
                bounds = rng.choice(("1 PRECEDING AND 1 FOLLOWING", "2 PRECEDING AND CURRENT ROW", "CURRENT ROW AND 10 FOLLOWING"))
                return (f"{rng.choice(('sum', 'count', 'max'))}({exact[0]}) OVER ({by}ORDER BY {number[0]}"
                        f"{rng.choice(('', ' DESC'))} RANGE BETWEEN {bounds})"), None
        if kind == 6:
            ignore = rng.random() < 0.2
            more = rng.choice(("", ", 2", f", 1, {self.literal(one[1], False)}"))
            return (f"{rng.choice(('lag', 'lead'))}({one[0]}{more}{dual('', ' IGNORE NULLS') if ignore else ''})"
                    f"{dual(' IGNORE NULLS', '') if ignore else ''} OVER {over})"), one[1]
        if kind == 7:
            return f"{rng.choice(('row_number()', 'ntile(2)', 'ntile(3)'))} OVER {over})", None
        if kind == 8:
            return f"{rng.choice(('percent_rank()', 'cume_dist()'))} OVER {over})", None
        if kind == 9:
            return f"nth_value({one[0]}, 2) OVER {over} ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)", one[1]
        day = self.pick(scope, (DATE, TIME))
        if kind == 10 and day:
            return (f"count({one[0]}) OVER ({by}ORDER BY {day[0]} RANGE BETWEEN INTERVAL {rng.choice((1, 31))} DAY PRECEDING AND "
                    f"{rng.choice(('CURRENT ROW', 'INTERVAL 30 DAY FOLLOWING'))})"), None
        if kind == 11:
            return f"{rng.choice(('sum', 'avg'))}({self.rng.choice(('1', '2'))}) OVER ({by})", None
        return f"{rng.choice(('first_value', 'last_value'))}({one[0]}) OVER {over})", one[1]

    def grouped(self, scope, text, where):
        """SELECT with GROUP BY, of any form."""
        rng = self.rng
        keys = [k for k in (self.value(scope, 1) for _ in range(rng.randint(1, 3))) if k[1] and k[1] not in NESTED] or [self.pick(scope) or ("1 + 0", INT)]
        aggregates = [self.aggregate(scope) for _ in range(rng.randint(1, 3))]
        names = [k[0] for k in keys]
        all_names = ", ".join(names)
        plain, sets = rng.random() < 0.55, False
        if plain:
            group = rng.choice((all_names, all_names, ", ".join(str(i + 1) for i in range(len(keys))), "ALL"))
        else:
            sets = True
            group = rng.choice((f"ROLLUP ({all_names})", f"CUBE ({all_names})", f"{dual('', 'ROLLUP (')}{all_names}{dual(' WITH ROLLUP', ')')}",
                                f"GROUPING SETS (({all_names}), ({names[0]}), ())", f"{names[0]}, ROLLUP ({', '.join(names[1:]) or names[0]})",
                                f"GROUPING SETS (({all_names}), ({names[-1]}))"))
        having = ""
        if rng.random() < 0.3:
            having = f" HAVING count(*) {rng.choice(('>', '<='))} {rng.randint(0, 3)}"
        elif rng.random() < 0.2:
            having = f" HAVING {self.aggregate(scope)[0]} IS NOT NULL"
        if sets: # over no rows DuckDB gives a grand total all the same
            having += dual("", f"{' AND' if having else ' HAVING'} count(*) > 0", "grouping sets of no rows: no row in Spark, a total in DuckDB")
        items = keys + aggregates
        if sets and rng.random() < 0.3:
            items = items + [(f"grouping({names[0]})", None)]
        if not sets and rng.random() < 0.15:
            items = items + [(f"sum(count(*)) OVER (PARTITION BY {rng.choice(names)})", None)]
        if rng.random() < 0.15:
            one = rng.choice(aggregates)
            items = items + [(f"CASE WHEN count(*) > 1 THEN {one[0]} END", one[1])]
        return f"SELECT {', '.join(i[0] for i in items)} FROM {text}{where} GROUP BY {group}{having}", [i[1] for i in items]

    def view(self, scope):
        """LATERAL VIEW, and what it adds."""
        rng = self.rng
        number = self.pick(scope, (INT,))
        nested = self.pick(scope, (INTS, STRINGS))
        outer, alias = rng.random() < 0.5, self.alias()
        if nested and rng.random() < 0.7:
            what, kind = nested[0], INT if nested[1] == INTS else STRING
        elif number:
            what, kind = array(number[0], str(rng.randint(0, 5))), INT
        else:
            return "", []
        lateral = " LEFT JOIN LATERAL" if outer else ", LATERAL"
        return (dual(f" LATERAL VIEW {'OUTER ' if outer else ''}explode({what}) {alias} AS v{alias}",
                     f"{lateral} (SELECT unnest({what})) {alias}(v{alias}){' ON true' if outer else ''}"), [(f"{alias}.v{alias}", kind)])

    def select(self, depth):
        """A SELECT and the types of its columns."""
        rng = self.rng
        text, scope = self.relation(depth)
        if depth and rng.random() < 0.12:
            view, more = self.view(scope)
            text, scope = text + view, scope + more
        where = f" WHERE {self.condition(scope, 2, 'AND')}" if rng.random() < 0.6 else ""
        kind = rng.randrange(8)
        if kind < 2:
            return self.grouped(scope, text, where)
        if kind == 2:
            items = [self.aggregate(scope) for _ in range(rng.randint(1, 3))]
            having = f" HAVING count(*) > {rng.randint(0, 5)}" if rng.random() < 0.15 else ""
            return f"SELECT {', '.join(i[0] for i in items)} FROM {text}{where}{having}", [i[1] for i in items]
        items = [self.value(scope, 2, True) for _ in range(rng.randint(1, 3))]
        qualify = ""
        if kind == 3:
            items.append(self.window(scope))
            if rng.random() < 0.3:
                qualify = f" QUALIFY {items[-1][0]} IS NOT NULL"
            return f"SELECT {', '.join(i[0] for i in items)} FROM {text}{where}{qualify}", [i[1] for i in items]
        distinct = "DISTINCT " if rng.random() < 0.2 else ""
        nested = self.pick(scope, (INTS, STRINGS, STRUCT))
        if nested and kind == 5 and not distinct:
            items.append((nested[0], None))
            return f"SELECT {', '.join(i[0] for i in items)} FROM {text}{where}", [i[1] for i in items]
        tail = ""
        if kind == 4 and rng.random() < 0.7 and all(i[1] for i in items):
            ends = ("", " DESC", "", " NULLS LAST", " DESC NULLS FIRST")
            tail = f" ORDER BY {', '.join(str(i + 1) + rng.choice(ends) for i in range(len(items)))}"
            tail += rng.choice(("", f" LIMIT {rng.randint(0, 6)}", f" LIMIT {rng.randint(1, 6)} OFFSET {rng.randint(1, 3)}", " OFFSET 2"))
        return f"SELECT {distinct}{', '.join(i[0] for i in items)} FROM {text}{where}{tail}", [i[1] for i in items]

    def query(self, depth):
        """A query whose columns may all be used."""
        for _ in range(50):
            text, types = self.select(depth)
            if None not in types and not set(types) & set(NESTED):
                break
        else:
            return "SELECT 1", ["int"]
        if depth and self.rng.random() < 0.2:
            for _ in range(30):
                other, more = self.select(0)
                if more == types:
                    word = self.rng.choice(("UNION ALL", "UNION", "EXCEPT", "INTERSECT", "EXCEPT ALL", "INTERSECT ALL"))
                    return f"({text}) {word} ({other})", types
        return text, types

    def statement(self):
        """A statement; some are about a common table expression that is read twice."""
        rng = self.rng
        if rng.random() < 0.02:
            table, column = rng.choice((("t1", "a"), ("t2", "k"), ("t3", "k")))
            return (f"WITH RECURSIVE r(n, m) AS (SELECT {column}, 0 FROM {table} UNION ALL SELECT n {rng.choice(('+ 1', '- 2', '* 2'))}, m + 1 FROM r "
                    f"WHERE m < {rng.randint(0, 4)} AND n < 20) SELECT {rng.choice(('n, m', 'count(*), sum(n)', 'DISTINCT n'))} FROM r")
        if rng.random() < 0.2:
            inner, types = self.query(1)
            names = [f"c{i}" for i in range(len(types))]
            scope = [(f"q.{n}", t) for n, t in zip(names, types)]
            head = f"WITH q({', '.join(names)}) AS ({inner})"
            where = f" WHERE {self.condition(scope, 2, 'AND')}" if rng.random() < 0.7 else ""
            if rng.random() < 0.4:
                i = rng.randrange(len(names))
                join = rng.choice(("JOIN", "LEFT JOIN", "LEFT ANTI JOIN", "FULL JOIN"))
                what = "q.*" if "ANTI" in join else "q.*, p.*"
                join = join.replace("LEFT ANTI", dual("LEFT ", "") + "ANTI")
                return f"{head} SELECT {what} FROM q {join} q p ON q.{names[i]} = p.{names[i]}{where}"
            if rng.random() < 0.3:
                other, more = self.query(1)
                head += f", w AS ({other})"
                return f"{head} SELECT q.*, (SELECT count(*) FROM w) FROM q{where}"
            return f"{head} SELECT q.*, p.* FROM q CROSS JOIN (SELECT count(*) n FROM q) p{where}"
        return self.query(2)[0] if rng.random() < 0.3 else self.select(2)[0]


def statements(seed, count):
    """Batches: tables, then queries over them; (is a query, text)."""
    made = []
    for batch in range((count + 24) // 25):
        rng = random.Random(f"{seed}.{batch}")
        made += [(False, s) for s in tables(rng)]
        made += [(True, Maker(random.Random(f"{seed}.{batch}.{i}")).statement()) for i in range(min(25, count - 25 * batch))]
    return made
