/* SPDX-License-Identifier: Apache-2.0 */
/* parse_url: a URI is taken apart as java.net.URI does it: RFC 2396, with RFC 2732 for addresses of IPv6, characters beyond
 * ASCII anywhere, and an authority that is no server's where it cannot be one. */
#include "base/small.h"

#include <limits.h>
#include <string.h>

#include "sql/eval/kernel.h"
#include "sql/eval/resolve.h"
#include "sql/eval/utf8.h"

#define UNRESERVED "_-!.~'()*"
#define USER UNRESERVED ";:&=+$,%"
#define NAME UNRESERVED "$,;:@&=+%"  /* of an authority that is no server */
#define PATH UNRESERVED ":@&=+$,;/%"
#define ANY PATH "?[]"

/* piece: of the text; from NULL: there is none. */
typedef struct piece {
    const char *from, *to;
} piece;

typedef struct uri {
    piece scheme, authority, user, host, path, query, fragment;
} uri;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool is_hex(char c)
{
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* foreign: the bytes of a character beyond ASCII that may stand in a URI: no blank, no control; 0: it is none. */
static size_t foreign(const char *at, const char *end)
{
    size_t n;
    const uint32_t c = spk_utf8_read(at, (size_t)(end - at), &n);
    const bool blank = (c <= 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029
                           || c == 0x202f || c == 0x205f || c == 0x3000);
    return blank ? 0 : n;
}

/* scan: behind letters, digits and those of `others`; where '%' is one of these, behind what it escapes, and characters
 * beyond ASCII. */
static const char *scan(const char *at, const char *end, const char *others)
{
    const bool escapes = strchr(others, '%') != NULL;
    while (at < end) {
        if (*at == '%' && escapes) {
            if (end - at < 3 || !is_hex(at[1]) || !is_hex(at[2]))
                return at;
            at += 3;
        } else if (is_letter(*at) || is_digit(*at) || (*at && strchr(others, *at))) {
            at++;
        } else {
            const size_t n = escapes ? foreign(at, end) : 0;
            if (n == 0)
                return at;
            at += n;
        }
    }
    return at;
}

static const char *until(const char *at, const char *end, const char *stops)
{
    while (at < end && !(*at && strchr(stops, *at)))
        at++;
    return at;
}

/* is_v4: four numbers of a byte; *to: behind them. */
static bool is_v4(const char *at, const char *end, const char **to)
{
    for (int k = 0; k < 4; k++) {
        int value = 0, n = 0;
        if (k && (at == end || *at++ != '.'))
            return false;
        for (; n < 9 && at < end && is_digit(*at); n++)
            value = value * 10 + (*at++ - '0');
        if (n == 0 || value > 255)
            return false;
    }
    *to = at;
    return at == end || (!is_digit(*at) && *at != '.');
}

/* is_v6: eight groups of hexadecimal digits, of which :: stands for some, and the last two may be of IPv4. */
static bool is_v6(const char *at, const char *end)
{
    int groups = 0;
    bool gap = false;
    const char *to;
    if (end - at >= 2 && at[0] == ':' && at[1] == ':') {
        gap = true;
        at += 2;
    }
    while (at < end && groups < 8) {
        const char *from = at;
        if (groups <= 6 && is_v4(at, end, &to) && to == end)
            return gap ? groups + 2 < 8 : groups + 2 == 8;
        while (at < end && at - from < 4 && is_hex(*at))
            at++;
        if (at == from)
            return false;
        groups++;
        if (at == end)
            break;
        if (*at++ != ':' || at == end)
            return false;
        if (*at == ':') {
            if (gap)
                return false;
            gap = true;
            at++;
        }
    }
    return at == end && (gap ? groups < 8 : groups == 8);
}

/* host_name: labels with dots between, the last of which begins with a letter; where it ends, or NULL. */
static const char *host_name(const char *from, const char *end)
{
    const char *at = from, *label = NULL;
    while (at < end && (is_letter(*at) || is_digit(*at))) {
        label = at;
        at = scan(at, end, "-");
        if (at[-1] == '-')
            return NULL;
        if (at == end || *at != '.')
            break;
        at++;
    }
    return label && (label == from || is_letter(*label)) ? at : NULL;
}

/* server: user@host:port; false: it is none. */
static bool server(uri *u, const char *at, const char *end)
{
    const char *sign = until(at, end, "@"), *to;
    if (sign < end) {
        if (scan(at, sign, USER) != sign)
            return false;
        u->user = (piece) { at, sign };
        at = sign + 1;
    }
    if (at < end && *at == '[') {
        to = until(at, end, "]");
        const char *scope = until(at, to, "%");
        if (to == end || !is_v6(at + 1, scope) || (scope < to && (scope + 1 == to || scan(scope + 1, to, "_.") != to)))
            return false;
        to++;
    } else if ((!is_v4(at, end, &to) || (to < end && *to != ':')) && !(to = host_name(at, end))) {
        return false;
    }
    u->host = (piece) { at, to };
    if (to < end && *to++ != ':')
        return false;
    int64_t port = 0;
    for (; to < end && is_digit(*to) && port <= INT_MAX; to++)
        port = port * 10 + (*to - '0');
    return to == end && port <= INT_MAX;
}

static bool authority(uri *u, const char *at, const char *end)
{
    const bool may_be = scan(at, end, NAME) == end;
    u->authority = (piece) { at, end };
    if (server(u, at, end))
        return true;
    u->user = u->host = (piece) { NULL, NULL };
    return may_be;
}

static bool take_apart(spark_str s, uri *u)
{
    const char *at = s.ptr, *end = s.ptr + s.len, *to = until(at, end, ":/?#");
    memset(u, 0, sizeof *u);
    if (to < end && *to == ':') {
        if (!is_letter(*at) || scan(at, to, "+-.") != to)
            return false;
        u->scheme = (piece) { at, to };
        at = to + 1;
        if (at == end || *at == '#')
            return false;
    }
    if (!u->scheme.from || *at == '/') {
        if (end - at >= 2 && at[0] == '/' && at[1] == '/') {
            to = until(at + 2, end, "/?#");
            if (to == at + 2 ? to == end : !authority(u, at + 2, to)) /* none, where a path is behind it */
                return false;
            at = to;
        }
        to = until(at, end, "?#");
        if (scan(at, to, PATH) != to)
            return false;
        u->path = (piece) { at, to };
        at = to;
        if (at < end && *at == '?') {
            to = until(at, end, "#");
            if (scan(at + 1, to, ANY) != to)
                return false;
            u->query = (piece) { at + 1, to };
            at = to;
        }
    } else {
        to = until(at, end, "#");
        if (scan(at, to, ANY) != to)
            return false;
        at = to;
    }
    if (at < end)
        u->fragment = (piece) { at + 1, end };
    return at == end || scan(at + 1, end, ANY) == end;
}

/* value_of: behind "key=" in a query, up to the next &. */
static piece value_of(piece query, spark_str key)
{
    for (const char *at = query.from, *to; at && at <= query.to; at = to + 1) {
        to = until(at, query.to, "&");
        if ((size_t)(to - at) > key.len && memcmp(at, key.ptr, key.len) == 0 && at[key.len] == '=')
            return (piece) { at + key.len + 1, to };
    }
    return (piece) { NULL, NULL };
}

static piece part_of(const uri *u, spark_str name)
{
    const struct {
        const char *name;
        piece part;
    } parts[] = { { "HOST", u->host }, { "PATH", u->path }, { "QUERY", u->query }, { "REF", u->fragment },
        { "PROTOCOL", u->scheme }, { "FILE", { u->path.from, u->query.from ? u->query.to : u->path.to } },
        { "AUTHORITY", u->authority }, { "USERINFO", u->user } };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strlen(parts[i].name) == name.len && memcmp(parts[i].name, name.ptr, name.len) == 0)
            return parts[i].part;
    return (piece) { NULL, NULL };
}

static void parse_url(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str url = SPK_SQL_ARG(spark_str, f, 0, i), name = SPK_SQL_ARG(spark_str, f, 1, i);
        uri u;
        piece part = { NULL, NULL };
        if (take_apart(url, &u)) {
            part = part_of(&u, name);
            if (f->n_args > 2)
                part = name.len == 5 && memcmp(name.ptr, "QUERY", 5) == 0
                    ? value_of(part, SPK_SQL_ARG(spark_str, f, 2, i))
                    : (piece) { NULL, NULL };
        } else if (f->expr->function->name[0] == 'p') {
            spk_sql_param(spk_sql_raise(f, "INVALID_URL"), "url", "%.*s", (int)(url.len < 1000 ? url.len : 1000), url.ptr);
            return;
        }
        f->out_valid[i] = part.from != NULL;
        SPK_SQL_OUT(spark_str, f, i) = (spark_str) { part.from, part.from ? (size_t)(part.to - part.from) : 0 };
    }
}

#define URL(name_)                                                                                                     \
    {                                                                                                                  \
        .name = name_, .signature = "sss:s", .least = 2, .most = 3, .flags = SPK_SQL_GIVES_NULL, .kernel = parse_url   \
    }
const spk_sql_function spk_sql_urls[] = { URL("parse_url"), URL("try_parse_url"), { 0 } };
