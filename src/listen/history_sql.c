/* SPDX-License-Identifier: Apache-2.0 */
/* Executions of SQL in a history: the first ones one by one. */
#include <stdlib.h>
#include <string.h>

#include "listen/history.h"

enum { TEXT = 1000, LINE = 300, MESSAGE = 2000 };

static spk_past_execution *find(const spk_history *h, int64_t id)
{
    for (size_t i = h->n_executions; i-- > 0;)
        if (h->executions[i].id == id)
            return &h->executions[i];
    return NULL;
}

void spk_history_sql_start(void *env, const spark_sql_execution *x)
{
    spk_history *h = env;
    h->all_executions++;
    spk_history_time(h, x->start_time);
    spk_past_execution *p = h->n_executions < SPK_HISTORY_EXECUTIONS
        ? spk_history_push(h, &h->executions, &h->n_executions, &h->max_executions, sizeof *p)
        : NULL;
    if (!p)
        return;
    const size_t n = x->n_operators < SPK_HISTORY_OPERATORS ? x->n_operators : SPK_HISTORY_OPERATORS;
    p->id = x->id;
    p->started = x->start_time;
    p->text = spk_history_copy(h, x->text, TEXT);
    p->action = spk_history_copy(h, x->action, LINE);
    p->site = spk_history_copy(h, x->site, LINE);
    p->operators = calloc(n + 1, sizeof *p->operators);
    h->failed = h->failed || !p->operators;
    for (size_t i = 0; i < n && p->operators; i++)
        p->operators[p->n_operators++] = (spk_past_operator) {
            x->operators[i].depth, -1, spk_history_copy(h, x->operators[i].text, LINE)
        };
}

void spk_history_sql_end(void *env, const spark_sql_execution *x)
{
    spk_history *h = env;
    spk_past_execution *p = find(h, x->id);
    spk_history_time(h, x->end_time);
    if (!p)
        return;
    p->ended = x->end_time;
    p->status = x->status;
    if (x->status != SPARK_OK)
        p->failure = spk_history_copy(h, x->failure, MESSAGE);
    for (int i = 0; i < p->n_operators; i++)
        p->operators[i].rows = x->operators[i].rows;
}

void spk_history_sql_job(spk_history *h, int64_t execution)
{
    spk_past_execution *p = execution >= 0 ? find(h, execution) : NULL;
    if (p)
        p->jobs++;
}

void spk_history_sql_fini(spk_history *h)
{
    for (size_t i = 0; i < h->n_executions; i++) {
        spk_past_execution *p = &h->executions[i];
        for (int k = 0; k < p->n_operators; k++)
            free(p->operators[k].text);
        free(p->operators);
        free(p->text);
        free(p->action);
        free(p->site);
        free(p->failure);
    }
    free(h->executions);
}
