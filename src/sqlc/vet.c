/* The command `vet`: which rules hold for which query, and what they find. The queries have been
 * analysed before, and the database they were analysed in is still there to explain them. One
 * thread. */
#include "base/prelude.h"

#include "sqlc/vet.h"

#include <jansson.h>

#include "base/json_auto.h"
#include "sqlc/database.h"
#include "sqlc/json_text.h"

/* Values of one evaluation: rules are short, plans are not large. */
#define RULE_MEMORY ((size_t) 64 << 20)

/* A rule in force for a set: one of ours or one of the config. */
typedef struct active_rule {
    const char *name;
    const vet_rule *ours;
    const config_rule *given;
    const cel_expr *expr; /* of `given` */
    bool wants_plan;
} active_rule;

typedef struct vet_work {
    arena *arena;
    const config *config;
    diag_list *diags;
    vec findings;     /* of vet_finding */
    size_t explained; /* statements on the connection so far */
    const volatile sig_atomic_t *stop;
} vet_work;

/* One query under its rules. */
typedef struct vet_query {
    vet_work *work;
    const pipeline_set *set;
    pgc_conn *conn;
    const vec *rules; /* of active_rule */
    vet_target target;
} vet_query;

static pgc_status no_memory(pgc_error *err)
{
    return pgc_error_set(err, PGC_NOMEM, "check the rules");
}

static const char *const VARIABLES[] = { "query", "config", "postgresql", "mysql" };

/* A mistake in a rule's expression, at its place in the config. */
static void rule_error(const vet_work *w, const config_rule *rule, const cel_problem *problem,
                       const char *query)
{
    uint32_t line = 0;
    uint32_t column = 0;
    config_rule_position(rule, problem->at, &line, &column);
    diag *d = diag_error_at(w->diags, w->config->path, line, column, "rule \"%s\": %s", rule->name,
                            problem->message);
    if (query != NULL) {
        diag_hint(w->diags, d, "with query %s", query);
    }
}

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
        rule_error(w, given, &problem, NULL);
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

static bool in_force(const vec *rules, slice name)
{
    bool found = false;
    for (size_t i = 0; i < rules->count; i++) {
        found = found || slice_eq_str(name, VEC_AT(rules, active_rule, i)->name);
    }
    return found;
}

/* "-- @sqlc-vet-disable" alone turns all rules off, with names those. */
static bool is_disabled(const query_source *source, const char *rule)
{
    for (size_t i = 0; i < source->flags.count; i++) {
        const query_flag *flag = VEC_AT(&source->flags, query_flag, i);
        slice rest = { flag->rest, strlen(flag->rest) };
        if (strcmp(flag->word, "sqlc-vet-disable") != 0) {
            continue;
        }
        if (rest.len == 0) {
            return true;
        }
        while (rest.ptr != NULL) {
            if (slice_eq_str(slice_trim(slice_next(&rest, ' ')), rule)) {
                return true;
            }
        }
    }
    return false;
}

/* A name that is not in force is most likely misspelt. */
static void check_disabled(const vet_query *q)
{
    const query_source *source = q->target.source;
    for (size_t i = 0; i < source->flags.count; i++) {
        const query_flag *flag = VEC_AT(&source->flags, query_flag, i);
        slice rest = { flag->rest, strlen(flag->rest) };
        while (strcmp(flag->word, "sqlc-vet-disable") == 0 && rest.ptr != NULL) {
            slice name = slice_trim(slice_next(&rest, ' '));
            if (name.len > 0 && !in_force(q->rules, name)) {
                diag *d =
                    diag_error(q->work->diags, source->file, flag->at,
                               "rule \"%" SLICE_FMT "\" is not in force here", SLICE_ARG(name));
                diag_hint(q->work->diags, d, "rules are named under \"rules\" of the sql entry");
            }
        }
    }
}

static cel_value text_value(const char *text)
{
    return cel_text((slice) { text, strlen(text) });
}

/* A list of paths. items NULL: no memory. */
static cel_value text_list(arena *mem, const vec *texts)
{
    cel_value *items = ARENA_ARRAY(mem, texts->count + 1, cel_value);
    for (size_t i = 0; items != NULL && i < texts->count; i++) {
        items[i] = text_value(*VEC_AT(texts, const char *, i));
    }
    return cel_list(items, texts->count);
}

/* query: {sql, name, cmd, params: [{number}]}. Source: sqlc.md §4.3. */
static bool query_value(arena *mem, const ir_query *query, const ir_variant *text, cel_value *out)
{
    cel_value *params = ARENA_ARRAY(mem, text->param_count + 1, cel_value);
    cel_entry *entries = ARENA_ARRAY(mem, 4, cel_entry);
    for (size_t i = 0; params != NULL && i < text->param_count; i++) {
        cel_entry *number = ARENA_NEW(mem, cel_entry);
        if (number == NULL) {
            return false;
        }
        *number = (cel_entry) { .key = SLICE("number"), .value = cel_int((int64_t) i + 1) };
        params[i] = cel_map(number, 1);
    }
    if (params == NULL || entries == NULL) {
        return false;
    }
    entries[0] = (cel_entry) { .key = SLICE("sql"), .value = cel_text(text->sql) };
    entries[1] = (cel_entry) { .key = SLICE("name"), .value = text_value(query->name) };
    entries[2] =
        (cel_entry) { .key = SLICE("cmd"), .value = text_value(query_cmd_text(query->cmd)) };
    entries[3] =
        (cel_entry) { .key = SLICE("params"), .value = cel_list(params, text->param_count) };
    *out = cel_map(entries, 4);
    return true;
}

/* All variables of a rule. plan NULL: the server cannot explain this text. */
static bool all_values(const vet_query *q, arena *mem, const ir_variant *text,
                       const cel_value *explain, cel_value *out)
{
    cel_entry *all = ARENA_ARRAY(mem, 4, cel_entry);
    cel_entry *cfg = ARENA_ARRAY(mem, 4, cel_entry);
    cel_entry *plan = ARENA_ARRAY(mem, 2, cel_entry);
    cel_value query;
    if (all == NULL || cfg == NULL || plan == NULL ||
        !query_value(mem, q->target.query, text, &query)) {
        return false;
    }
    cfg[0] = (cel_entry) { .key = SLICE("version"), .value = text_value("2") };
    cfg[1] = (cel_entry) { .key = SLICE("engine"), .value = text_value("postgresql") };
    cfg[2] =
        (cel_entry) { .key = SLICE("schema"), .value = text_list(mem, &q->set->config->schema) };
    cfg[3] =
        (cel_entry) { .key = SLICE("queries"), .value = text_list(mem, &q->set->config->queries) };
    plan[0].key = plan[1].key = SLICE("explain");
    plan[0].unset = explain == NULL;
    plan[0].value = explain == NULL ? cel_map(NULL, 0) : *explain;
    plan[1] = (cel_entry) { .key = SLICE("explain"), .value = cel_map(NULL, 0), .unset = true };
    all[0] = (cel_entry) { .key = SLICE("query"), .value = query };
    all[1] = (cel_entry) { .key = SLICE("config"), .value = cel_map(cfg, 4) };
    all[2] = (cel_entry) { .key = SLICE("postgresql"), .value = cel_map(plan, 1) };
    all[3] = (cel_entry) { .key = SLICE("mysql"), .value = cel_map(plan + 1, 1) };
    *out = cel_map(all, 4);
    return cfg[2].value.v.items != NULL && cfg[3].value.v.items != NULL;
}

/* A CEL rule on one text of a query. */
static pgc_status eval_rule(vet_query *q, arena *mem, const active_rule *rule,
                            const cel_value *variables, bool *found, pgc_error *err)
{
    cel_problem problem = { 0 };
    cel_value value = { 0 };
    pgc_status status = cel_eval(mem, rule->expr, variables, &value, &problem);
    if (status == PGC_NOMEM) {
        return no_memory(err);
    }
    if (status == PGC_OK && value.kind != CEL_BOOL) {
        (void) snprintf(problem.message, sizeof problem.message, "the result must be bool, not %s",
                        cel_kind_name(value.kind));
        status = PGC_INVALID;
    }
    if (status != PGC_OK) {
        rule_error(q->work, rule->given, &problem, q->target.query->name);
        return PGC_OK;
    }
    *found = value.v.boolean;
    return PGC_OK;
}

/* c/seq-scan: with sequential scans forbidden, one that is left has a filter without an index. */
static pgc_status seq_scan(vet_query *q, arena *mem, const ir_variant *text, bool *found,
                           pgc_error *err)
{
    cel_value explain = { 0 };
    TRY(pgc_conn_script(q->conn, "SET enable_seqscan = off", 0, NULL, err));
    pgc_status status =
        vet_explain(mem, q->conn, q->target.query, text, q->work->explained++, &explain, err);
    TRY(pgc_conn_script(q->conn, "RESET enable_seqscan", 0, NULL, err));
    const cel_entry *plan = status == PGC_OK ? cel_find(&explain, SLICE("plan")) : NULL;
    *found = vet_plan_has_filter(plan == NULL ? NULL : &plan->value, "Seq Scan");
    return status == PGC_INVALID || status == PGC_DB ? PGC_OK : status;
}

/* Rules that look at one text of the query; done[i]: rule i has found something already. */
static pgc_status check_text(vet_query *q, arena *mem, const ir_variant *text, bool *done,
                             pgc_error *err)
{
    cel_value explain = { 0 };
    cel_value variables = { 0 };
    bool wanted = false;
    bool explained = false;
    for (size_t i = 0; i < q->rules->count; i++) {
        const active_rule *rule = VEC_AT(q->rules, active_rule, i);
        wanted = wanted || (rule->expr != NULL && rule->wants_plan && !done[i]);
    }
    if (wanted) {
        pgc_error local = PGC_ZERO;
        pgc_status status = vet_explain(mem, q->conn, q->target.query, text, q->work->explained++,
                                        &explain, &local);
        if (status == PGC_NOMEM || status == PGC_CONNECTION) {
            if (err != NULL) {
                *err = local;
            }
            return status;
        }
        explained = status == PGC_OK;
        if (!explained) {
            (void) diag_warning(q->work->diags, q->target.source->file, q->target.source->start,
                                "%s: rules on its plan are left out: %s", q->target.query->name,
                                local.message);
        }
    }
    if (!all_values(q, mem, text, explained ? &explain : NULL, &variables)) {
        return no_memory(err);
    }
    for (size_t i = 0; i < q->rules->count; i++) {
        const active_rule *rule = VEC_AT(q->rules, active_rule, i);
        bool found = false;
        if (done[i] || (rule->wants_plan && rule->expr != NULL && !explained)) {
            continue;
        }
        q->target.rule = rule->name;
        if (rule->expr != NULL) {
            TRY(eval_rule(q, mem, rule, &variables, &found, err));
            if (found) {
                vet_found(&q->target, -1, rule->given->message == NULL ? "" : rule->given->message,
                          NULL);
            }
        } else if (rule->wants_plan) {
            TRY(seq_scan(q, mem, text, &found, err));
            if (found) {
                vet_found(&q->target, -1, "no index serves a condition: the whole table is read",
                          "add an index, or disable the rule for small tables");
            }
        }
        done[i] = found;
    }
    return PGC_OK;
}

/* All rules on one query: the tree once, the texts of its forms one after another. */
static pgc_status check_query(vet_query *q, pgc_error *err)
{
    const ir_query *query = q->target.query;
    const ir_variant only = { .sql = query->sql, .param_count = query->param_count };
    bool *done = ARENA_ARRAY(q->work->arena, q->rules->count + 1, bool);
    size_t count = query->choice_count == 0 ? 1 : query->variant_count;
    if (done == NULL) {
        return no_memory(err);
    }
    check_disabled(q);
    for (size_t i = 0; i < q->rules->count; i++) {
        const active_rule *rule = VEC_AT(q->rules, active_rule, i);
        done[i] = is_disabled(q->target.source, rule->name);
        q->target.rule = rule->name;
        if (!done[i] && rule->ours != NULL && rule->ours->check != NULL && q->target.tree != NULL) {
            rule->ours->check(&q->target);
        }
    }
    for (size_t i = 0; i < count; i++) {
        AUTO(arena_auto) arena *mem = arena_new(NULL, 0, RULE_MEMORY);
        if (mem == NULL) {
            return no_memory(err);
        }
        TRY(check_text(q, mem, count == 1 && query->choice_count == 0 ? &only : &query->variants[i],
                       done, err));
    }
    return q->target.nomem ? no_memory(err) : PGC_OK;
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

/* The file's own text is looked at, because stars and macros are gone in the final one. */
static pgc_status check_source(vet_query *q, const query_source *source, pgc_error *err)
{
    diag_list known = { .arena = q->work->arena }; /* reported by the analysis */
    bool ok = false;
    vet_target *t = &q->target;
    *t = (vet_target) { .arena = q->work->arena,
                        .source = source,
                        .query = query_of(q->set, source->name),
                        .findings = &q->work->findings };
    if (t->query == NULL) {
        return PGC_OK;
    }
    TRY(query_preprocess(q->work->arena, source, &known, &t->text, &ok, err));
    if (ok && ast_parse(t->text.sql, q->work->arena, &t->tree, NULL) != PGC_OK) {
        t->tree = NULL; /* newer syntax than our parser's: rules on the plan still work */
    }
    return check_query(q, err);
}

/* Called for each set while its database is open. */
static pgc_status vet_set(void *arg, const pipeline_set *set, database *db, pgc_error *err)
{
    vet_work *w = arg;
    vec rules = { 0 };
    vec sources = { 0 };
    diag_list known = { .arena = w->arena };
    TRY(rules_of(w, set->config, &rules, err));
    if (w->diags->error_count > 0) {
        return PGC_OK; /* the caller reports them */
    }
    for (size_t i = 0; i < set->query_files.count; i++) {
        TRY(source_queries(w->arena, VEC_AT(&set->query_files, source_file, i), &known, &sources,
                           err));
    }
    vet_query q = { .work = w, .set = set, .conn = database_conn(db), .rules = &rules };
    for (size_t i = 0; i < sources.count; i++) {
        if (w->stop != NULL && *w->stop != 0) {
            return pgc_error_set(err, PGC_CANCELLED, "interrupted");
        }
        TRY(check_source(&q, VEC_AT(&sources, query_source, i), err));
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
