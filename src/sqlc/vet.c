/* The command `vet`: which rules hold for which query, and what they find. The queries have been
 * analysed before, and the database they were analysed in is still there to explain them. One
 * thread. */
#include "base/prelude.h"

#include "sqlc/vet_parts.h"

#include <jansson.h>

#include "base/json_auto.h"
#include "sqlc/database.h"
#include "sqlc/json_text.h"

/* Plans of the texts that are asked for together. */
#define PLAN_MEMORY ((size_t) 512 << 20)
/* Texts that share their round trips. An interrupt is seen between two such groups. */
#define TOGETHER_MAX ((size_t) 256)

/* A set and what its queries are checked with. */
typedef struct vet_set_work {
    const pipeline_set *set;
    pgc_conn *conn;
    vec rules;   /* of active_rule */
    vec sources; /* of query_source */
} vet_set_work;

static pgc_status no_memory(pgc_error *err)
{
    return pgc_error_set(err, PGC_NOMEM, "check the rules");
}

static const char *const VARIABLES[] = { "query", "config", "postgresql", "mysql" };

static pgc_status add_rule(const vet_work *w, vec *out, const vet_rule *ours,
                           const config_rule *given, pgc_error *err)
{
    cel_problem problem = { 0 };
    active_rule *rule = VEC_ADD(w->arena, out, active_rule);
    if (rule == NULL) {
        return no_memory(err);
    }
    *rule = (active_rule) { .ours = ours, .given = given };
    rule->name = ours != NULL ? ours->name : given->name;
    rule->wants_plan = ours != NULL ? strcmp(ours->name, "c/seq-scan") == 0
                                    : strstr(given->text, "postgresql.explain") != NULL;
    if (given == NULL) {
        return PGC_OK;
    }
    pgc_status status = cel_parse(w->arena, (slice) { given->text, strlen(given->text) }, VARIABLES,
                                  ARRAY_LEN(VARIABLES), &rule->expr, &problem);
    if (status == PGC_NOMEM) {
        return no_memory(err);
    }
    if (status != PGC_OK) {
        vet_rule_error(w, given, &problem, NULL);
    }
    return PGC_OK;
}

static pgc_status add_defaults(const vet_work *w, vec *out, pgc_error *err)
{
    for (size_t i = 0; vet_rule_at(i) != NULL; i++) {
        if (vet_rule_at(i)->by_default) {
            TRY(add_rule(w, out, vet_rule_at(i), NULL, err));
        }
    }
    return PGC_OK;
}

static const config_rule *given_rule(const config *cfg, const char *name)
{
    for (size_t i = 0; i < cfg->rules.count; i++) {
        const config_rule *rule = VEC_AT(&cfg->rules, config_rule, i);
        if (strcmp(rule->name, name) == 0) {
            return rule;
        }
    }
    return NULL;
}

/* The rules that an sql entry names; without the key our defaults, and what the config defines. */
static pgc_status rules_of(const vet_work *w, const config_set *set, vec *out, pgc_error *err)
{
    if (!set->has_rules) {
        TRY(add_defaults(w, out, err));
    }
    for (size_t i = 0; i < set->rules.count; i++) {
        const config_rule_use *use = VEC_AT(&set->rules, config_rule_use, i);
        const vet_rule *ours = vet_rule_find(use->name);
        const config_rule *given = given_rule(w->config, use->name);
        if (strcmp(use->name, "c/default") == 0) {
            TRY(add_defaults(w, out, err));
        } else if (ours != NULL || given != NULL) {
            TRY(add_rule(w, out, ours, given, err));
        } else {
            diag *d = diag_error_at(w->diags, w->config->path, use->line, use->column,
                                    "no rule is called \"%s\"", use->name);
            diag_hint(w->diags, d,
                      "define it under \"rules\" of the config; ours are listed in "
                      "docs/sqlc-gen-c.md");
        }
    }
    return PGC_OK;
}

static const ir_query *query_of(const pipeline_set *set, const char *name)
{
    for (size_t i = 0; i < set->ir.query_count; i++) {
        if (strcmp(set->ir.queries[i].name, name) == 0) {
            return &set->ir.queries[i];
        }
    }
    return NULL;
}

/* Plans of all forms of all queries that rules look at. A rule that finds something in one form
 * does not look at the others: their plans are asked for nevertheless, which costs less than to
 * wait. */
static pgc_status ask_plans(vet_work *w, pgc_conn *conn, arena *mem, vet_query *queries,
                            size_t count, pgc_error *err)
{
    vec plain = { 0 };
    vec no_seq_scan = { 0 };
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        vet_query *q = &queries[i];
        bool given = vet_query_wants_plan(q, false);
        bool ours = vet_query_wants_plan(q, true);
        for (size_t k = 0; ok && k < q->text_count; k++) {
            vet_ask **slot = given ? VEC_ADD(mem, &plain, vet_ask *) : NULL;
            vet_ask **other = ours ? VEC_ADD(mem, &no_seq_scan, vet_ask *) : NULL;
            ok = (!given || slot != NULL) && (!ours || other != NULL);
            if (ok && given) {
                *slot = &q->texts[k].plan;
            }
            if (ok && ours) {
                *other = &q->texts[k].no_seq_scan;
            }
        }
    }
    if (!ok) {
        return no_memory(err);
    }
    if (plain.count > 0) {
        TRY(vet_explain(mem, conn, &plain, false, &w->explained, err));
    }
    return no_seq_scan.count == 0 ? PGC_OK
                                  : vet_explain(mem, conn, &no_seq_scan, true, &w->explained, err);
}

/* The next queries of a set, as many as have some hundred texts together. */
static pgc_status check_group(vet_work *w, vet_query *queries, const vet_set_work *set, size_t *at,
                              pgc_error *err)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, PLAN_MEMORY);
    size_t count = 0;
    if (mem == NULL) {
        return no_memory(err);
    }
    for (size_t texts = 0; *at < set->sources.count && texts < TOGETHER_MAX; (*at)++) {
        const query_source *source = VEC_AT(&set->sources, query_source, *at);
        const ir_query *query = query_of(set->set, source->name);
        if (query == NULL) {
            continue;
        }
        vet_query *q = &queries[count++];
        *q = (vet_query) { .work = w, .set = set->set, .rules = &set->rules };
        q->target = (vet_target) { .arena = w->arena, .query = query, .findings = &w->findings };
        TRY(vet_query_begin(q, source, err));
        texts += q->text_count;
    }
    TRY(ask_plans(w, set->conn, mem, queries, count, err));
    for (size_t i = 0; i < count; i++) {
        TRY(vet_query_check(&queries[i], err));
    }
    return PGC_OK;
}

/* Called for each set while its database is open. */
static pgc_status vet_set(void *arg, const pipeline_set *set, database *db, pgc_error *err)
{
    vet_work *w = arg;
    vet_set_work work = { .set = set, .conn = database_conn(db) };
    diag_list known = { .arena = w->arena };
    TRY(rules_of(w, set->config, &work.rules, err));
    if (w->diags->error_count > 0) {
        return PGC_OK; /* the caller reports them */
    }
    for (size_t i = 0; i < set->query_files.count; i++) {
        TRY(source_queries(w->arena, VEC_AT(&set->query_files, source_file, i), &known,
                           &work.sources, err));
    }
    for (size_t at = 0; at < work.sources.count;) {
        vet_query *queries = ARENA_ARRAY(w->arena, TOGETHER_MAX, vet_query);
        if (queries == NULL) {
            return no_memory(err);
        }
        if (w->stop != NULL && *w->stop != 0) {
            return pgc_error_set(err, PGC_CANCELLED, "interrupted");
        }
        TRY(check_group(w, queries, &work, &at, err));
    }
    return PGC_OK;
}

/* Findings as the messages of a compiler. */
static void report(const vet_work *w)
{
    for (size_t i = 0; i < w->findings.count; i++) {
        const vet_finding *f = VEC_AT(&w->findings, vet_finding, i);
        diag *d = diag_error_at(w->diags, f->path, f->line, f->column, "%s: %s%s%s", f->query,
                                f->rule, f->message[0] == '\0' ? "" : ": ", f->message);
        if (f->hint != NULL) {
            diag_hint(w->diags, d, "%s", f->hint);
        }
    }
}

/* A list of findings for programs. */
static pgc_status report_json(const vet_work *w, buf *out, pgc_error *err)
{
    AUTO(json_auto) json_t *list = json_array();
    bool ok = list != NULL;
    for (size_t i = 0; ok && i < w->findings.count; i++) {
        const vet_finding *f = VEC_AT(&w->findings, vet_finding, i);
        json_t *item = json_pack("{s:s,s:i,s:i,s:s,s:s,s:s,s:s?}", "file", f->path, "line",
                                 (int) f->line, "column", (int) f->column, "query", f->query,
                                 "rule", f->rule, "message", f->message, "hint", f->hint);
        ok = json_array_append_new(list, item) == 0;
    }
    return json_text_add(ok ? list : NULL, out, err);
}

pgc_status command_vet(const env *sys, arena *mem, const command_options *options,
                       command_result *result, pgc_error *err)
{
    config read;
    vec sets = { 0 };
    vet_work w = { .arena = mem, .config = &read, .diags = &result->diags, .stop = options->stop };
    command_options visiting = *options;
    visiting.visit = vet_set;
    visiting.visit_arg = &w;
    TRY(pipeline_read(sys, mem, options, &read, &sets, &result->diags, err));
    TRY(pipeline_run(sys, mem, &visiting, &read, &sets, &result->diags, err));
    result->different = w.findings.count > 0;
    if (options->json) {
        return report_json(&w, &result->out, err);
    }
    report(&w);
    return diag_status(&result->diags, err);
}
