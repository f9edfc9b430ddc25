/* SPDX-License-Identifier: Apache-2.0 */
/* Executions of SQL: what an action on a result of a statement does, from the moment in which it prepares its
 * RDD, which may run jobs, to the end of its own job, or of the last of them; and what a statement does that runs jobs
 * itself (INSERT, CACHE TABLE), as long as it is run. They hang on the thread of the action, or of the statement: jobs that
 * it starts meanwhile are theirs. An execution without a job is not told of. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listen/bus.h"
#include "plan/listening.h"
#include "plan/rdd.h"

enum {
    NEAR = 64,       /* RDDs that are looked at for a result: the action's, and those above */
    OPERATORS = 2000,
    DEPTH = 256,     /* of plans; what is below is left out */
    PLAN = 60000     /* bytes of a plan in print */
};

/* counted: the rows of an operator's RDD (-1: there is none): in the jobs of the action, added up; in one of those
 * that prepared it, of which some do again what others have done. -1: none has run it. */
typedef struct counted {
    int rdd;
    int64_t rows, before;
} counted;

struct spk_execution {
    spk_execution *next;
    pthread_t thread;
    const spark_rdd *rdd; /* of the action; it is compared, and not looked into; NULL: a statement's */
    const void *statement; /* of one, for its plan; and what stands above that: */
    const char *command;
    int depth, least; /* RDDs that the thread prepares, inside each other; least: 1 while a statement runs */
    bool told;
    spk_pad *pad;
    spark_sql_execution info;
    counted *counted; /* of each operator */
};

static spk_bus *bus_of(const spark_context *sc)
{
    spk_bus *bus = sc->bus;
    return *bus->here ? bus : NULL;
}

/* ---- what is told of a plan */

typedef struct listed {
    spk_pad *pad;
    spark_sql_operator *at;
    counted *counted;
    size_t n, max;
    int left_out; /* the depth of an operator that is; 0: none */
    int above;    /* operators that stand above all others */
    bool ends;    /* there was no memory for one: what has been listed is a plan, whatever comes behind it is none */
    spk_bus *bus;
} listed;

static void list_operator(void *to, int depth, const char *name, const char *text, int rdd)
{
    listed *l = to;
    depth += l->above;
    if (l->ends || (l->left_out && depth > l->left_out))
        return;
    l->left_out = depth >= DEPTH || l->n >= OPERATORS ? depth : 0;
    if (l->left_out)
        return;
    if (l->n == l->max) {
        const size_t max = l->max ? l->max * 2 : 16;
        spark_sql_operator *more = realloc(l->at, max * sizeof *more);
        counted *rows = more ? realloc(l->counted, max * sizeof *rows) : NULL;
        l->at = more ? more : l->at;
        if (!rows) {
            l->ends = true;
            return;
        }
        l->counted = rows;
        l->max = max;
    }
    l->counted[l->n] = (counted) { rdd, -1, -1 };
    l->at[l->n++] = (spark_sql_operator) { .depth = depth,
        .name = spk_pad_text(l->pad, name),
        .text = spk_pad_text(l->pad, text),
        .metric = atomic_fetch_add(&l->bus->next_metric, 1),
        .rows = -1 };
}

typedef struct printed {
    char *at;
    size_t n;
} printed;

static void print(printed *p, const char *text)
{
    const size_t size = strnlen(text, PLAN - p->n);
    memcpy(p->at + p->n, text, size);
    p->n += size;
}

#define HEAD "== Physical Plan ==\n" /* without memory for what it is the head of it stands alone */

/* print_plan: as Spark does: a child of which a brother follows stands behind ":-", any other behind "+-". */
static const char *print_plan(spk_pad *pad, const spark_sql_operator *operators, size_t n)
{
    bool *follows = calloc(n + 1, sizeof *follows), later[DEPTH + 1] = { false };
    printed p = { malloc(PLAN + 1), 0 };
    const char *copy = HEAD;
    for (size_t i = n; follows && i-- > 0;) { /* later: at that depth, below what stands above */
        const int depth = operators[i].depth;
        follows[i] = later[depth];
        later[depth] = true;
        for (int d = depth + 1; d <= DEPTH && later[d]; d++)
            later[d] = false;
    }
    if (p.at && follows)
        print(&p, HEAD);
    for (size_t i = 0; p.at && follows && i < n; i++) {
        const int depth = operators[i].depth;
        later[depth] = follows[i];
        for (int d = 1; d < depth; d++)
            print(&p, later[d] ? ":  " : "   ");
        if (depth > 0)
            print(&p, follows[i] ? ":- " : "+- ");
        print(&p, operators[i].text);
        print(&p, "\n");
    }
    if (p.at && follows) {
        p.at[p.n] = '\0';
        copy = spk_pad_text(pad, p.at);
    }
    copy = *copy ? copy : HEAD;
    free(p.at);
    free(follows);
    return copy;
}

/* describe: of a result, or (NULL) of a statement. */
static void describe(spk_bus *bus, spk_execution *x, const spk_queries *sql, const spark_rdd *result)
{
    spk_properties p;
    listed l = { .pad = x->pad, .bus = bus };
    if (result) {
        sql->operators(result, &l, list_operator);
        x->info.text = spk_pad_text(x->pad, sql->text(result));
    } else {
        list_operator(&l, 0, x->command, x->command, -1);
        l.above = 1;
        sql->planned(x->statement, &l, list_operator);
    }
    spark_sql_operator *own = spk_pad_alloc(x->pad, (l.n + 1) * sizeof *own);
    if (own && l.n > 0)
        memcpy(own, l.at, l.n * sizeof *own);
    free(l.at);
    x->counted = l.counted;
    x->info.operators = own;
    x->info.n_operators = own ? l.n : 0;
    x->info.plan = print_plan(x->pad, own, x->info.n_operators);
    if (!spk_properties_now(bus->sc, &p))
        return;
    x->info.description = spk_pad_text(x->pad, p.description);
    spk_properties_fini(&p);
}

/* result_near: of SQL, that rdd is, or is made of; with the plan's lock held. */
static const spark_rdd *result_near(const spk_queries *sql, const spark_rdd *rdd)
{
    const spark_rdd *list[NEAR] = { rdd };
    size_t n = 1;
    for (size_t at = 0; at < n; at++) {
        if (sql->is(list[at]))
            return list[at];
        for (uint32_t i = 0; !spk_rdd_stored(list[at]) && i < list[at]->n_deps && n < NEAR; i++)
            list[n++] = list[at]->deps[i].rdd;
    }
    return NULL;
}

/* ---- beginning and ending */

/* own_link: of this thread's execution; it points to NULL where there is none. With the lock held, as what
 * follows. */
static spk_execution **own_link(spk_bus *bus)
{
    spk_execution **link = &bus->executions;
    while (*link && !pthread_equal((*link)->thread, pthread_self()))
        link = &(*link)->next;
    return link;
}

static void post(spk_bus *bus, const spk_execution *x, spk_event_kind kind)
{
    spk_event event = { .kind = kind, .pads = { x->pad } };
    event.u.sql = x->info;
    spk_bus_post(bus, &event, true);
}

/* count: of an operator, what a stage has made of its RDD, or read from the cache. */
static void count(counted *c, const spk_heard_stage *stage, bool prepares)
{
    for (size_t i = 0; i < stage->rows.n; i++) {
        const spark_rdd_rows *r = &stage->rows.at[i];
        const int64_t rows = r->made > r->cached ? r->made : r->cached;
        if (r->rdd != c->rdd)
            continue;
        if (!prepares)
            c->rows = rows + (c->rows < 0 ? 0 : c->rows);
        else if (rows > c->before)
            c->before = rows;
    }
}

static void count_job(spk_execution *x, const spk_job *job)
{
    for (size_t i = 0; i < job->n_stages; i++) {
        spk_heard_stage *stage = job->stages[i]->heard;
        if (!stage)
            continue;
        pthread_mutex_lock(&stage->lock);
        for (size_t k = 0; k < x->info.n_operators; k++)
            if (x->counted[k].rdd >= 0)
                count(&x->counted[k], stage, x->depth > x->least);
        pthread_mutex_unlock(&stage->lock);
    }
}

/* put_rows: into operators of their own, for the listeners may be looking at those of the start. */
static void put_rows(spk_execution *x)
{
    const size_t n = x->info.n_operators;
    spark_sql_operator *own = n > 0 ? spk_pad_alloc(x->pad, n * sizeof *own) : NULL;
    for (size_t i = 0; i < n && own; i++) {
        own[i] = x->info.operators[i];
        own[i].rows = x->counted[i].rows >= 0 ? x->counted[i].rows : x->counted[i].before;
    }
    if (own)
        x->info.operators = own;
}

/* finish: it is over, with the failure, or well. */
static void finish(spk_bus *bus, spk_execution **link, spark_status status, const char *failure)
{
    spk_execution *x = *link;
    *link = x->next;
    if (x->told) {
        x->info.end_time = spk_bus_now(bus);
        x->info.status = status;
        put_rows(x);
        if (status != SPARK_OK)
            x->info.failure = spk_pad_text(x->pad, failure);
        post(bus, x, SPK_SQL_END);
    }
    spk_pad_unref(x->pad);
    free(x->counted);
    free(x);
}

/* new_execution: of this thread; NULL: no memory. */
static spk_execution *new_execution(spk_bus *bus, const char *action, spark_site site)
{
    spk_execution *x = calloc(1, sizeof *x);
    if (!x || !(x->pad = spk_pad_new())) {
        free(x);
        spk_bus_left_out(bus);
        return NULL;
    }
    atomic_store(&bus->counts_rows, true);
    x->thread = pthread_self();
    x->depth = 1;
    x->info = (spark_sql_execution) { .action = action,
        .site = spk_pad_text(x->pad, site),
        .description = "",
        .text = "",
        .start_time = spk_bus_now(bus),
        .failure = "" };
    return x;
}

/* enter: from now on the jobs of the thread are its; without memory for its texts it is freed. */
static void enter(spk_bus *bus, spk_execution *x)
{
    if (!spk_pad_whole(x->pad)) {
        spk_pad_unref(x->pad);
        free(x->counted);
        free(x);
        spk_bus_left_out(bus);
        return;
    }
    pthread_mutex_lock(&bus->sql_lock);
    x->next = bus->executions;
    bus->executions = x;
    pthread_mutex_unlock(&bus->sql_lock);
}

/* begin: without the lock. */
static void begin(spk_bus *bus, spark_rdd *rdd, const char *action, spark_site site)
{
    const spk_queries *sql = atomic_load(&rdd->sc->queries);
    pthread_mutex_lock(&rdd->sc->plan_lock);
    const spark_rdd *result = result_near(sql, rdd);
    pthread_mutex_unlock(&rdd->sc->plan_lock);
    spk_execution *x = result ? new_execution(bus, action, site) : NULL;
    if (!x)
        return;
    x->rdd = rdd;
    describe(bus, x, sql, result);
    enter(bus, x);
}

/* ---- hooks */

/* inside: whether the thread has an execution that runs. One whose action has given up before its job is over. With the
 * lock held. */
static bool inside(spk_bus *bus, spk_execution **link)
{
    if (*link && (*link)->depth > 0)
        return true;
    if (*link)
        finish(bus, link, SPARK_OK, NULL);
    return false;
}

/* deeper: whether what begins belongs to an execution of the thread, which is one level deeper then. */
static bool deeper(spk_bus *bus)
{
    pthread_mutex_lock(&bus->sql_lock);
    spk_execution **link = own_link(bus);
    const bool nested = inside(bus, link);
    if (nested)
        (*link)->depth++;
    pthread_mutex_unlock(&bus->sql_lock);
    return nested;
}

void spk_sql_states(spark_context *sc, const void *statement, const char *text, const char *command, spark_site site)
{
    spk_bus *bus = bus_of(sc);
    if (!bus)
        return;
    spk_execution *x = deeper(bus) ? NULL : new_execution(bus, "sql", site);
    if (!x)
        return;
    x->least = 1;
    x->statement = statement;
    x->command = command;
    x->info.text = spk_pad_text(x->pad, text);
    enter(bus, x);
}

void spk_sql_stated(spark_context *sc, const spk_failure *failure)
{
    spk_bus *bus = bus_of(sc);
    if (!bus)
        return;
    pthread_mutex_lock(&bus->sql_lock);
    spk_execution **link = own_link(bus);
    if (*link && (*link)->depth > 0 && --(*link)->depth < (*link)->least)
        finish(bus, link, failure ? failure->code : SPARK_OK, failure ? failure->message : NULL);
    pthread_mutex_unlock(&bus->sql_lock);
}

void spk_sql_acts(spark_rdd *rdd, const char *action, spark_site site)
{
    spk_bus *bus = bus_of(rdd->sc);
    if (!bus || !atomic_load(&rdd->sc->queries))
        return;
    if (!deeper(bus))
        begin(bus, rdd, action, site);
}

/* runs_no_job: of what looks at an RDD as actions do. */
static bool runs_no_job(const char *action)
{
    static const char *const such[] = { "toDebugString", "getNumPartitions", "explain", "explainDot" };
    for (size_t i = 0; i < sizeof such / sizeof *such; i++)
        if (strcmp(action, such[i]) == 0)
            return true;
    return false;
}

void spk_sql_acted(spark_rdd *rdd, bool over, const spk_failure *failure)
{
    spk_bus *bus = bus_of(rdd->sc);
    if (!bus || !atomic_load(&rdd->sc->queries))
        return;
    pthread_mutex_lock(&bus->sql_lock);
    spk_execution **link = own_link(bus), *x = *link;
    if (x) {
        x->depth -= !over && x->depth > x->least;
        if (x->depth == 0 && x->rdd == rdd && (over || failure || runs_no_job(x->info.action)))
            finish(bus, link, failure ? failure->code : SPARK_OK, failure ? failure->message : NULL);
    }
    pthread_mutex_unlock(&bus->sql_lock);
}

spk_execution *spk_sql_job(spk_bus *bus, spark_job_info *info)
{
    info->execution = -1;
    if (!atomic_load(&bus->sc->queries))
        return NULL;
    pthread_mutex_lock(&bus->sql_lock);
    spk_execution *x = *own_link(bus);
    if (x && !x->told) {
        x->told = true;
        x->info.id = atomic_fetch_add(&bus->next_execution, 1);
        if (x->statement)
            describe(bus, x, atomic_load(&bus->sc->queries), NULL);
        post(bus, x, SPK_SQL_START);
    }
    if (x)
        info->execution = x->info.id;
    pthread_mutex_unlock(&bus->sql_lock);
    return x;
}

void spk_sql_job_over(spk_bus *bus, spk_execution *x, const spk_job *job)
{
    pthread_mutex_lock(&bus->sql_lock);
    spk_execution **link = own_link(bus);
    if (*link == x)
        count_job(x, job);
    if (*link == x && x->depth == 0 && x->rdd == job->rdd && !job->action->in_rounds)
        finish(bus, link, job->failure.code, job->failure.message);
    pthread_mutex_unlock(&bus->sql_lock);
}

void spk_sql_end(spk_bus *bus)
{
    pthread_mutex_lock(&bus->sql_lock);
    while (bus->executions)
        finish(bus, &bus->executions, SPARK_OK, NULL);
    pthread_mutex_unlock(&bus->sql_lock);
}
