/* `vet`: rules over queries. Some look at the parse tree, some are CEL expressions of the config,
 * which may ask for the query's plan. */
#ifndef SQLC_VET_H
#define SQLC_VET_H

#include "sqlc/ast.h"
#include "sqlc/cel.h"
#include "sqlc/pipeline.h"
#include "sqlc/preprocess.h"

/* A query that breaks a rule. */
typedef struct vet_finding {
    const char *path;
    uint32_t line, column; /* 1-based */
    const char *query, *rule;
    const char *message; /* what is wrong */
    const char *hint;    /* the way out; NULL: none */
} vet_finding;

/* What a rule over the parse tree looks at. */
typedef struct vet_target {
    arena *arena;
    const query_source *source;
    query_text text; /* with stars as written */
    const ast *tree; /* of text.sql */
    const ir_query *query;
    vec *findings;    /* of vet_finding */
    const char *rule; /* the one being checked */
    bool nomem;
} vet_target;

/* Note that the target breaks its rule; at: byte offset in text.sql, -1: the query as a whole. */
void vet_found(vet_target *t, int64_t at, const char *message, const char *hint);

/* One of our own rules. */
typedef struct vet_rule {
    const char *name;
    bool by_default;              /* holds where the config names no rules */
    void (*check)(vet_target *t); /* NULL: needs a plan, or nothing */
} vet_rule;

/* vet_rules.c: our rules; index from 0; NULL behind the last one. */
const vet_rule *vet_rule_at(size_t index);
const vet_rule *vet_rule_find(const char *name);

/* One text whose plan is asked for, of any values for its parameters (a generic plan). */
typedef struct vet_ask {
    const ir_query *query;
    const ir_variant *text;
    pgc_status status;      /* out: PGC_OK, or why there is no plan */
    const pgc_error *error; /* out: NULL on success */
    slice plan;             /* out: as JSON; ptr NULL: the server had none to tell */
} vet_ask;

/* vet_plan.c: ask for all plans of a list (of vet_ask *) together; no_seq_scan: with sequential
 * scans forbidden where there is another way. *ordinal counts the statements of the connection.
 * What the answers take comes from the arena. That the server cannot explain a text is the outcome
 * of that text. PGC_OK; PGC_CONNECTION, PGC_NOMEM and the like. */
pgc_status vet_explain(arena *arena, pgc_conn *conn, const vec *asks, bool no_seq_scan,
                       size_t *ordinal, pgc_error *err) PGC_MUST_CHECK;
/* An answer as the value of postgresql.explain. PGC_OK; PGC_NOMEM; others: there is none, err says
 * why. */
pgc_status vet_plan_value(arena *arena, const vet_ask *ask, cel_value *out, pgc_error *err)
    PGC_MUST_CHECK;
/* True when the plan holds a node of that type with a filter. plan: postgresql.explain.plan. */
bool vet_plan_has_filter(const cel_value *plan, const char *node_type);

#endif
