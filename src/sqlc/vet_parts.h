/* What the command `vet` shares with the file that looks at one query. */
#ifndef SQLC_VET_PARTS_H
#define SQLC_VET_PARTS_H

#include "sqlc/vet.h"

/* A rule in force for a set: one of ours or one of the config. */
typedef struct active_rule {
    const char *name;
    const vet_rule *ours;
    const config_rule *given;
    const cel_expr *expr; /* of `given` */
    bool wants_plan;
} active_rule;

/* One run. */
typedef struct vet_work {
    arena *arena;
    const config *config;
    diag_list *diags;
    vec findings;     /* of vet_finding */
    size_t explained; /* statements on the connection so far */
    const volatile sig_atomic_t *stop;
} vet_work;

/* One form of a query, and its plans where rules want them. */
typedef struct vet_text {
    ir_variant text;
    vet_ask plan;        /* as it would be executed */
    vet_ask no_seq_scan; /* for c/seq-scan */
} vet_text;

/* One query under its rules. */
typedef struct vet_query {
    vet_work *work;
    const pipeline_set *set;
    const vec *rules; /* of active_rule */
    bool *done;       /* rule i is turned off, or has found something already */
    vet_text *texts;
    size_t text_count;
    vet_target target;
} vet_query;

/* What a query is looked at with, before the server is asked; q->target.query is set. PGC_OK;
 * PGC_NOMEM. */
pgc_status vet_query_begin(vet_query *q, const query_source *source, pgc_error *err) PGC_MUST_CHECK;
/* Whether a rule that has found nothing so far looks at the plan: one of the config, or our own. */
bool vet_query_wants_plan(const vet_query *q, bool ours);
/* All rules, behind vet_explain(). PGC_OK; PGC_NOMEM. */
pgc_status vet_query_check(vet_query *q, pgc_error *err) PGC_MUST_CHECK;
/* A mistake in a rule's expression, at its place in the config; query NULL: in every query. */
void vet_rule_error(const vet_work *w, const config_rule *rule, const cel_problem *problem,
                    const char *query);

#endif
