/* SPDX-License-Identifier: Apache-2.0 */
/* JSON, checked once and then walked along. The check is a loop with a bit for each open array or object,
 * so that no text makes it use the stack; what is checked is not checked again, so a walk only counts
 * brackets and skips strings. */
#include "format/json.h"

#include "type/number.h"

/* ---- the check ---- */

typedef struct check {
    const char *p, *end;
    const char *why;
    uint64_t objects[(SPARK_JSON_DEPTH + 63) / 64]; /* a bit a level: it is an object */
    size_t depth;
} check;

static bool fail(check *c, const char *why)
{
    c->why = why;
    return false;
}

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
        p++;
    return p;
}

static bool is_digit(char c)
{
    return (unsigned)(unsigned char)c - '0' <= 9;
}

static bool is_hex(char c)
{
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* check_bytes: one sign of several bytes, as UTF-8 has them: no longer than need be, no surrogate, nothing
 * above U+10FFFF (Unicode, table 3-7). */
static bool check_bytes(check *c)
{
    const unsigned char *p = (const unsigned char *)c->p;
    const size_t left = (size_t)(c->end - c->p);
    const size_t n = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;
    const unsigned char low = *p == 0xe0 ? 0xa0 : *p == 0xf0 ? 0x90 : 0x80;
    const unsigned char high = *p == 0xed ? 0x9f : *p == 0xf4 ? 0x8f : 0xbf;
    if (*p < 0xc2 || *p > 0xf4 || left < n || p[1] < low || p[1] > high)
        return fail(c, "a byte that is no UTF-8");
    for (size_t i = 2; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return fail(c, "a byte that is no UTF-8");
    c->p += n;
    return true;
}

static bool check_escape(check *c)
{
    const size_t left = (size_t)(c->end - c->p);
    if (left < 2 || !strchr("\"\\/bfnrtu", c->p[1]) || !c->p[1])
        return fail(c, "an escape that there is not");
    if (c->p[1] == 'u') {
        for (size_t i = 2; i < 6; i++)
            if (i >= left || !is_hex(c->p[i]))
                return fail(c, "\\u wants four hexadecimal digits");
        c->p += 4;
    }
    c->p += 2;
    return true;
}

static bool check_string(check *c)
{
    for (c->p++; c->p < c->end && *c->p != '"';) {
        const unsigned char byte = (unsigned char)*c->p;
        if (byte < 0x20)
            return fail(c, "a control character in a string");
        if (byte == '\\' ? !check_escape(c) : byte >= 0x80 && !check_bytes(c))
            return false;
        if (byte != '\\' && byte < 0x80)
            c->p++;
    }
    if (c->p == c->end)
        return fail(c, "a string does not end");
    c->p++;
    return true;
}

static bool check_digits(check *c)
{
    if (c->p == c->end || !is_digit(*c->p))
        return fail(c, "a digit is missing");
    while (c->p < c->end && is_digit(*c->p))
        c->p++;
    return true;
}

static bool check_number(check *c)
{
    c->p += *c->p == '-';
    const char *first = c->p;
    if (!check_digits(c))
        return false;
    if (*first == '0' && c->p - first > 1)
        return fail(c, "a number with a zero in front");
    if (c->p < c->end && *c->p == '.') {
        c->p++;
        if (!check_digits(c))
            return false;
    }
    if (c->p < c->end && (*c->p | 0x20) == 'e') {
        c->p++;
        c->p += c->p < c->end && (*c->p == '-' || *c->p == '+');
        return check_digits(c);
    }
    return true;
}

static bool check_word(check *c, const char *word)
{
    const size_t n = strlen(word);
    if ((size_t)(c->end - c->p) < n || memcmp(c->p, word, n) != 0)
        return fail(c, "no value");
    c->p += n;
    return true;
}

static bool check_scalar(check *c)
{
    switch (c->p < c->end ? *c->p : '\0') {
    case '"':
        return check_string(c);
    case 't':
        return check_word(c, "true");
    case 'f':
        return check_word(c, "false");
    case 'n':
        return check_word(c, "null");
    default:
        if (c->p < c->end && (*c->p == '-' || is_digit(*c->p)))
            return check_number(c);
        return fail(c, c->p == c->end ? "the text ends too early" : "no value");
    }
}

static bool in_object(const check *c)
{
    return c->objects[(c->depth - 1) / 64] >> (c->depth - 1) % 64 & 1;
}

/* check_key: the name of a member and its colon. */
static bool check_key(check *c)
{
    c->p = skip_blanks(c->p, c->end);
    if (c->p == c->end || *c->p != '"')
        return fail(c, "the name of a member is missing");
    if (!check_string(c))
        return false;
    c->p = skip_blanks(c->p, c->end);
    if (c->p == c->end || *c->p != ':')
        return fail(c, "a colon is missing");
    c->p++;
    return true;
}

/* enter: an array or object; *empty: it has ended already. */
static bool enter(check *c, bool *empty)
{
    const bool object = *c->p == '{';
    if (c->depth == SPARK_JSON_DEPTH)
        return fail(c, "nested deeper than 1000");
    const uint64_t bit = UINT64_C(1) << c->depth % 64;
    c->objects[c->depth / 64] = (c->objects[c->depth / 64] & ~bit) | (object ? bit : 0);
    c->depth++;
    c->p = skip_blanks(c->p + 1, c->end);
    *empty = c->p < c->end && *c->p == (object ? '}' : ']');
    return *empty || !object || check_key(c);
}

/* leave: from behind a value to the next one; *done: all that was open has ended. */
static bool leave(check *c, bool *done)
{
    for (*done = false; c->depth > 0;) {
        const bool object = in_object(c);
        c->p = skip_blanks(c->p, c->end);
        if (c->p < c->end && *c->p == ',') {
            c->p++;
            return !object || check_key(c);
        }
        if (c->p == c->end || *c->p != (object ? '}' : ']'))
            return fail(c, object ? "a comma or } is missing" : "a comma or ] is missing");
        c->p++;
        c->depth--;
    }
    *done = true;
    return true;
}

static bool check_text(check *c)
{
    for (bool done = false; !done;) {
        bool empty = false;
        c->p = skip_blanks(c->p, c->end);
        if (c->p < c->end && (*c->p == '{' || *c->p == '[')) {
            if (!enter(c, &empty))
                return false;
            if (!empty)
                continue;
        } else if (!check_scalar(c)) {
            return false;
        }
        if (!leave(c, &done))
            return false;
    }
    c->p = skip_blanks(c->p, c->end);
    return c->p == c->end || fail(c, "more behind the value");
}

/* ---- the walk ---- */

static spark_json_kind kind_at(const char *p)
{
    switch (*p) {
    case '{':
        return SPARK_JSON_OBJECT;
    case '[':
        return SPARK_JSON_ARRAY;
    case '"':
        return SPARK_JSON_STRING;
    case 't':
    case 'f':
        return SPARK_JSON_BOOL;
    case 'n':
        return SPARK_JSON_NULL;
    default:
        return SPARK_JSON_NUMBER;
    }
}

/* behind_string: p is at its opening quote. */
static const char *behind_string(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++)
        p += *p == '\\';
    return p + 1;
}

/* behind_value: of a text that was checked. */
static const char *behind_value(const char *p, const char *end)
{
    size_t depth = 0;
    do {
        if (*p == '"') {
            p = behind_string(p, end);
        } else if (*p == '{' || *p == '[') {
            depth++;
            p++;
        } else if (*p == '}' || *p == ']') {
            depth--;
            p++;
        } else if (depth > 0) {
            p++;
        } else {
            while (p < end && !strchr(",]} \t\n\r", *p))
                p++;
        }
    } while (depth > 0 && p < end);
    return p;
}

bool spark_json_parse(spark_str text, spark_json *value, spark_json_error *error)
{
    if (!text.ptr)
        text = (spark_str) { "", 0 };
    check c = { .p = text.ptr, .end = text.ptr + text.len };
    spark_json own;
    value = value ? value : &own;
    *value = (spark_json) { SPARK_JSON_NOTHING, { NULL, 0 } };
    if (!check_text(&c)) {
        if (error)
            *error = (spark_json_error) { (size_t)(c.p - text.ptr), c.why };
        return false;
    }
    const char *begin = skip_blanks(text.ptr, c.end), *end = behind_value(begin, c.end);
    *value = (spark_json) { kind_at(begin), { begin, (size_t)(end - begin) } };
    return true;
}

/* A rest of an array or object is what is behind the last value that was taken, without a bracket or
 * comma in front. */
bool spark_json_next(spark_json *rest, spark_str *key, spark_json *value)
{
    const bool object = rest && rest->kind == SPARK_JSON_OBJECT;
    if (!rest || (!object && rest->kind != SPARK_JSON_ARRAY))
        return false;
    const char *p = rest->text.ptr, *end = p + rest->text.len;
    p = skip_blanks(p, end);
    if (p < end && (*p == ',' || *p == '{' || *p == '['))
        p = skip_blanks(p + 1, end);
    if (p == end || *p == '}' || *p == ']') {
        *rest = (spark_json) { SPARK_JSON_NOTHING, { NULL, 0 } };
        return false;
    }
    if (object) {
        const char *behind = behind_string(p, end);
        if (key)
            *key = (spark_str) { p + 1, (size_t)(behind - p) - 2 };
        p = skip_blanks(skip_blanks(behind, end) + 1, end);
    }
    const char *behind = behind_value(p, end);
    if (value)
        *value = (spark_json) { kind_at(p), { p, (size_t)(behind - p) } };
    /* The comma, or the closing bracket, is what the rest begins with. */
    behind = skip_blanks(behind, end);
    rest->text = (spark_str) { behind, (size_t)(end - behind) };
    return true;
}

/* ---- escapes ---- */

static unsigned hex4(const char *p)
{
    unsigned x = 0;
    for (int i = 0; i < 4; i++)
        x = x * 16 + (is_digit(p[i]) ? (unsigned)(p[i] - '0') : (unsigned)((p[i] | 0x20) - 'a') + 10);
    return x;
}

static size_t put_utf8(unsigned x, char *to)
{
    if (x < 0x80) {
        to[0] = (char)x;
        return 1;
    }
    const size_t n = x < 0x800 ? 2 : x < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; x >>= 6)
        to[i] = (char)(0x80 | (x & 0x3f));
    to[0] = (char)((n == 2 ? 0xc0 : n == 3 ? 0xe0 : 0xf0) | x);
    return n;
}

/* unescape_u: \uXXXX, and the one that follows where they are a pair; *p is behind them then. */
static unsigned unescape_u(const char **p, const char *end)
{
    const unsigned x = hex4(*p + 2);
    *p += 6;
    if (x < 0xd800 || x > 0xdfff)
        return x;
    if (x < 0xdc00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {
        const unsigned y = hex4(*p + 2);
        if (y >= 0xdc00 && y <= 0xdfff) {
            *p += 6;
            return 0x10000 + ((x - 0xd800) << 10) + (y - 0xdc00);
        }
    }
    return 0xfffd;
}

/* unescape_one: the sign at p; writes at most as many bytes as it stands for there. */
static size_t unescape_one(const char **p, const char *end, char *to)
{
    static const char letters[] = "\"\\/bfnrt", signs[] = "\"\\/\b\f\n\r\t";
    if (**p != '\\') {
        *to = *(*p)++;
        return 1;
    }
    if ((*p)[1] == 'u')
        return put_utf8(unescape_u(p, end), to);
    const char *letter = strchr(letters, (*p)[1]);
    *to = letter ? signs[letter - letters] : (*p)[1]; /* what rules allow to be escaped is itself */
    *p += 2;
    return 1;
}

size_t spk_json_unescape(spark_str raw, char *to)
{
    const char *p = raw.ptr, *end = p + raw.len;
    size_t n = 0;
    while (p < end)
        n += unescape_one(&p, end, to + n);
    return n;
}

bool spk_json_is_named(spark_str key, const char *name)
{
    const char *p = key.ptr, *end = p + key.len;
    while (p < end) {
        char bytes[4];
        const size_t n = unescape_one(&p, end, bytes);
        if (strncmp(name, bytes, n) != 0 || memchr(bytes, '\0', n))
            return false;
        name += n;
    }
    return *name == '\0';
}

spark_json spark_json_get(spark_json object, const char *name)
{
    spark_str key;
    spark_json value;
    while (name && object.kind == SPARK_JSON_OBJECT && spark_json_next(&object, &key, &value))
        if (spk_json_is_named(key, name))
            return value;
    return (spark_json) { SPARK_JSON_NOTHING, { NULL, 0 } };
}

spark_json spark_json_at(spark_json array, size_t i)
{
    spark_json value;
    while (array.kind == SPARK_JSON_ARRAY && spark_json_next(&array, NULL, &value))
        if (i-- == 0)
            return value;
    return (spark_json) { SPARK_JSON_NOTHING, { NULL, 0 } };
}

/* ---- scalars ---- */

bool spark_json_bool(spark_json value, bool *out)
{
    if (!out || value.kind != SPARK_JSON_BOOL)
        return false;
    *out = value.text.ptr[0] == 't';
    return true;
}

bool spark_json_i64(spark_json value, int64_t *out)
{
    return out && value.kind == SPARK_JSON_NUMBER && spk_parse_i64(value.text.ptr, value.text.len, out);
}

bool spark_json_f64(spark_json value, double *out)
{
    if (!out || value.kind != SPARK_JSON_NUMBER)
        return false;
    if (!spk_parse_f64(value.text.ptr, value.text.len, out)) /* out of range: all else was checked */
        *out = value.text.ptr[0] == '-' ? -__builtin_inf() : __builtin_inf();
    return true;
}
