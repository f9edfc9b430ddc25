/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks S3, and where: options, then the environment, then the files that the programs of Amazon read, in the
 * order in which these look. */
#include <ctype.h>
#include <stdlib.h>

#include "remote/s3.h"

/* profile: what files say of it. */
typedef struct profile {
    spk_text key, secret, token, region;
} profile;

static void set(spk_text *to, const char *value, size_t n)
{
    if (to->n == 0)
        spk_text_add(to, value, n);
}

/* trim: without blanks around. */
static spark_str trim(const char *at, size_t n)
{
    while (n > 0 && isspace((unsigned char)*at))
        at++, n--;
    while (n > 0 && isspace((unsigned char)at[n - 1]))
        n--;
    return (spark_str) { at, n };
}

static bool is(spark_str text, const char *word)
{
    return text.len == strlen(word) && memcmp(text.ptr, word, text.len) == 0;
}

static void take_line(profile *p, spark_str line)
{
    const char *equals = memchr(line.ptr, '=', line.len);
    if (!equals)
        return;
    const spark_str name = trim(line.ptr, (size_t)(equals - line.ptr));
    const spark_str value = trim(equals + 1, line.len - (size_t)(equals + 1 - line.ptr));
    spk_text *to = is(name, "aws_access_key_id") ? &p->key
        : is(name, "aws_secret_access_key")      ? &p->secret
        : is(name, "aws_session_token")          ? &p->token
        : is(name, "region")                     ? &p->region
                                                 : NULL;
    if (to)
        set(to, value.ptr, value.len);
}

/* is_section: [name], or [profile name]. */
static bool is_section(spark_str line, const char *name)
{
    spark_str inner = trim(line.ptr + 1, line.len > 1 ? strcspn(line.ptr + 1, "]") : 0);
    if (inner.len > 8 && strncmp(inner.ptr, "profile", 7) == 0 && isspace((unsigned char)inner.ptr[7]))
        inner = trim(inner.ptr + 7, inner.len - 7);
    return is(inner, name);
}

/* read_file: one that cannot be read says nothing. */
static void read_file(profile *p, const char *path, const char *name)
{
    char line[4096];
    bool within = false;
    FILE *in = path ? fopen(path, "re") : NULL;
    while (in && fgets(line, sizeof line, in)) {
        const spark_str text = trim(line, strlen(line));
        if (text.len > 0 && text.ptr[0] == '[')
            within = is_section(text, name);
        else if (within && text.len > 0 && text.ptr[0] != '#' && text.ptr[0] != ';')
            take_line(p, text);
    }
    if (in)
        fclose(in);
}

static const char *from_environment(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static void read_profile(profile *p, const char *name)
{
    static const char *const files[][2] = { { "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials" },
        { "AWS_CONFIG_FILE", ".aws/config" } };
    const char *home = from_environment("HOME");
    for (int i = 0; i < 2; i++) {
        spk_text path = { .at = NULL };
        const char *given = from_environment(files[i][0]);
        if (given)
            spk_text_print(&path, "%s", given);
        else if (home)
            spk_text_print(&path, "%s/%s", home, files[i][1]);
        read_file(p, path.at, name);
        p->key.nomem |= path.nomem;
        spk_text_free(&path);
    }
}

/* first_of: a copy of the first that is there; NULL: none is, or there is no memory, which *good tells. */
static char *first_of(const char *a, const char *b, const char *c, bool *good)
{
    const char *from = a && *a ? a : b && *b ? b : c;
    char *to = from ? malloc(strlen(from) + 1) : NULL;
    if (to)
        memcpy(to, from, strlen(from) + 1);
    *good = *good && (to || !from);
    return to;
}

/* choose_keys: all from one place. */
static bool choose_keys(spk_s3 *s3, const spark_s3_options *o, const profile *p)
{
    const char *key = from_environment("AWS_ACCESS_KEY_ID");
    const char *secret = from_environment("AWS_SECRET_ACCESS_KEY");
    const char *token = from_environment("AWS_SESSION_TOKEN");
    bool good = true;
    if (o->access_key || o->secret_key) {
        key = o->access_key;
        secret = o->secret_key;
        token = o->session_token;
    } else if (o->profile || !key || !secret) {
        key = p->key.at;
        secret = p->secret.at;
        token = p->token.at;
    }
    if (o->anonymous || !key || !secret)
        return true;
    s3->key = first_of(key, NULL, NULL, &good);
    s3->secret = first_of(secret, NULL, NULL, &good);
    s3->token = first_of(token, NULL, NULL, &good);
    return good;
}

/* cut_endpoint: http://host:port/base into its parts, without the port that is meant anyway. */
static bool cut_endpoint(spk_s3 *s3, const char *endpoint)
{
    const char *host = strstr(endpoint, "://") + 3;
    const size_t n = strcspn(host, "/");
    size_t base = strlen(host + n);
    size_t port = endpoint[4] == 's' ? 4 : 3;
    const char *usual = endpoint[4] == 's' ? ":443" : ":80";
    if (n < port || strncmp(host + n - port, usual, port) != 0)
        port = 0;
    while (base > 0 && host[n + base - 1] == '/')
        base--;
    spk_text root = { .at = NULL }, name = { .at = NULL }, below = { .at = NULL };
    spk_text_print(&root, "%.*s", (int)(host - endpoint), endpoint);
    spk_text_print(&name, "%.*s", (int)(n - port), host);
    spk_text_print(&below, "%.*s", (int)base, host + n);
    s3->root = root.at;
    s3->host = name.at;
    s3->base = below.at;
    return !root.nomem && !name.nomem && !below.nomem;
}

/* endpoint_of: NULL: Amazon's. */
static const char *endpoint_of(const spark_s3_options *o)
{
    const char *given = o->endpoint ? o->endpoint : from_environment("AWS_ENDPOINT_URL_S3");
    return given ? given : from_environment("AWS_ENDPOINT_URL");
}

static bool choose_place(spk_s3 *s3, const spark_s3_options *o, const profile *p)
{
    bool good = true;
    spk_text amazon = { .at = NULL };
    const char *given = endpoint_of(o);
    const char *region = o->region ? o->region : from_environment("AWS_REGION");
    region = region ? region : from_environment("AWS_DEFAULT_REGION");
    s3->region = first_of(region, p->region.at, "us-east-1", &good);
    if (good && !given)
        spk_text_print(&amazon, "https://s3.%s.amazonaws.com", s3->region);
    s3->virtual_host = o->virtual_host || !given;
    good = good && !amazon.nomem && cut_endpoint(s3, given ? given : amazon.at);
    spk_text_free(&amazon);
    return good;
}

static const char *complaint(const spark_s3_options *o)
{
    const char *endpoint = endpoint_of(o);
    if (endpoint && strncmp(endpoint, "http://", 7) != 0 && strncmp(endpoint, "https://", 8) != 0)
        return "the endpoint must begin with http:// or https://";
    if (!o->access_key != !o->secret_key)
        return "access_key and secret_key belong together";
    return o->part_bytes && (o->part_bytes < 5u << 20 || o->part_bytes > (size_t)1 << 30)
        ? "part_bytes must be 5 MiB to 1 GiB"
        : NULL;
}

spark_status spk_s3_configure(spk_s3 *s3, const spark_s3_options *options, spk_failure *failure)
{
    static const spark_s3_options none = { .profile = NULL };
    const spark_s3_options *o = options ? options : &none;
    const char *name = o->profile ? o->profile : from_environment("AWS_PROFILE");
    profile p = { .key = { .at = NULL } };
    const char *wrong = complaint(o);
    if (wrong)
        return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL, "%s", wrong);
    if (spk_curl_init(&s3->curl, &o->http, failure) != SPARK_OK)
        return failure->code;
    read_profile(&p, name ? name : "default");
    s3->part_bytes = o->part_bytes ? o->part_bytes : 8u << 20;
    const bool good = !p.key.nomem && !p.secret.nomem && !p.token.nomem && !p.region.nomem
        && choose_keys(s3, o, &p) && choose_place(s3, o, &p);
    spk_text_free(&p.key);
    spk_text_free(&p.secret);
    spk_text_free(&p.token);
    spk_text_free(&p.region);
    return good ? SPARK_OK : spk_failure_nomem(failure, NULL, NULL);
}

void spk_s3_free(void *env)
{
    spk_s3 *s3 = env;
    if (!s3)
        return;
    spk_curl_free(&s3->curl);
    free(s3->key);
    free(s3->secret);
    free(s3->token);
    free(s3->region);
    free(s3->root);
    free(s3->host);
    free(s3->base);
    free(s3);
}
