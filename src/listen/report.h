/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the report, each of which writes a piece of a page (listen/page.h). */
#ifndef SPK_LISTEN_REPORT_H
#define SPK_LISTEN_REPORT_H

#include "listen/history.h"
#include "listen/page.h"

enum { SPK_REPORT_COLOURS = 8, SPK_REPORT_STAGES = 200 };

/* spk_report: hues: the stages that have a colour of their own, those with the most task time, by id. */
typedef struct spk_report {
    spk_history *history;
    spk_json_out *out;
    int hues[SPK_REPORT_COLOURS], n_hues;
} spk_report;

/* spk_report_busiest: up to `most` stages with the most task time, in the order of their ids; returns how many.
 * spk_report_hue: of a stage: 0 to 7, or 8: it has none. */
SPK_COLD size_t spk_report_busiest(const spk_history *history, spk_past_stage **stages, size_t most);
SPK_COLD int spk_report_hue(const spk_report *report, int stage);

/* spk_report_text: of the history, NULL where there was no memory for it. */
SPK_COLD void spk_report_text(const spk_report *report, const char *text, size_t most);

SPK_COLD void spk_report_style(spk_json_out *out);
SPK_COLD void spk_report_hints(const spk_report *report);
SPK_COLD void spk_report_jobs(const spk_report *report);
SPK_COLD void spk_report_graph(const spk_report *report, const spk_past_job *job);
SPK_COLD void spk_report_timeline(const spk_report *report);
SPK_COLD void spk_report_stages(const spk_report *report);
SPK_COLD bool spk_report_has_shuffles(const spk_report *report);
SPK_COLD void spk_report_shuffles(const spk_report *report);
SPK_COLD void spk_report_storage(const spk_report *report);
SPK_COLD void spk_report_sql(const spk_report *report);
SPK_COLD void spk_report_failures(const spk_report *report);

#endif
