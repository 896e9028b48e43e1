/* One query under its rules: those over its tree, then those over each of its forms. The plans have
 * been asked for before. One thread. */
#include "base/prelude.h"

#include "sqlc/vet_parts.h"

#include "sqlc/describe_query.h"

/* Values of one evaluation: rules are short, plans are not large. */
#define RULE_MEMORY ((size_t) 64 << 20)

static pgc_status no_memory(pgc_error *err)
{
    return pgc_error_set(err, PGC_NOMEM, "check the rules");
}

void vet_rule_error(const vet_work *w, const config_rule *rule, const cel_problem *problem,
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
        vet_rule_error(q->work, rule->given, &problem, q->target.query->name);
        return PGC_OK;
    }
    *found = value.v.boolean;
    return PGC_OK;
}

/* c/seq-scan: with sequential scans forbidden, one that is left has a filter without an index. What
 * the server cannot explain has none. */
static pgc_status seq_scan(arena *mem, const vet_text *text, bool *found, pgc_error *err)
{
    cel_value explain = { 0 };
    pgc_status status = vet_plan_value(mem, &text->no_seq_scan, &explain, err);
    const cel_entry *plan = status == PGC_OK ? cel_find(&explain, SLICE("plan")) : NULL;
    *found = vet_plan_has_filter(plan == NULL ? NULL : &plan->value, "Seq Scan");
    return status == PGC_NOMEM ? status : PGC_OK;
}

bool vet_query_wants_plan(const vet_query *q, bool ours)
{
    bool wanted = false;
    for (size_t i = 0; i < q->rules->count; i++) {
        const active_rule *rule = VEC_AT(q->rules, active_rule, i);
        wanted = wanted || (rule->wants_plan && (rule->expr == NULL) == ours && !q->done[i]);
    }
    return wanted;
}

/* The plan for rules of the config; *out is false where there is none, which is told. */
static pgc_status plan_of(vet_query *q, arena *mem, const vet_text *text, cel_value *explain,
                          bool *out, pgc_error *err)
{
    pgc_error local = PGC_ZERO;
    if (!vet_query_wants_plan(q, false)) {
        return PGC_OK;
    }
    pgc_status status = vet_plan_value(mem, &text->plan, explain, &local);
    if (status == PGC_NOMEM) {
        return no_memory(err);
    }
    *out = status == PGC_OK;
    if (!*out) {
        (void) diag_warning(q->work->diags, q->target.source->file, q->target.source->start,
                            "%s: rules on its plan are left out: %s", q->target.query->name,
                            describe_server_words(&local));
    }
    return PGC_OK;
}

/* Rules that look at one text of the query. */
static pgc_status check_text(vet_query *q, arena *mem, const vet_text *text, pgc_error *err)
{
    cel_value explain = { 0 };
    cel_value variables = { 0 };
    bool explained = false;
    TRY(plan_of(q, mem, text, &explain, &explained, err));
    if (!all_values(q, mem, &text->text, explained ? &explain : NULL, &variables)) {
        return no_memory(err);
    }
    for (size_t i = 0; i < q->rules->count; i++) {
        const active_rule *rule = VEC_AT(q->rules, active_rule, i);
        bool found = false;
        if (q->done[i] || (rule->wants_plan && rule->expr != NULL && !explained)) {
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
            TRY(seq_scan(mem, text, &found, err));
            if (found) {
                vet_found(&q->target, -1, "no index serves a condition: the whole table is read",
                          "add an index, or disable the rule for small tables");
            }
        }
        q->done[i] = found;
    }
    return PGC_OK;
}

/* All rules on one query: the tree once, the texts of its forms one after another. */
pgc_status vet_query_check(vet_query *q, pgc_error *err)
{
    check_disabled(q);
    for (size_t i = 0; i < q->rules->count; i++) {
        const active_rule *rule = VEC_AT(q->rules, active_rule, i);
        q->target.rule = rule->name;
        if (!q->done[i] && rule->ours != NULL && rule->ours->check != NULL &&
            q->target.tree != NULL) {
            rule->ours->check(&q->target);
        }
    }
    for (size_t i = 0; i < q->text_count; i++) {
        AUTO(arena_auto) arena *mem = arena_new(NULL, 0, RULE_MEMORY);
        if (mem == NULL) {
            return no_memory(err);
        }
        TRY(check_text(q, mem, &q->texts[i], err));
    }
    return q->target.nomem ? no_memory(err) : PGC_OK;
}

/* The file's own text is looked at, because stars and macros are gone in the final one. */
static pgc_status read_source(vet_query *q, const query_source *source, pgc_error *err)
{
    arena *mem = q->work->arena;
    diag_list known = { .arena = mem }; /* reported by the analysis */
    bool ok = false;
    vet_target *t = &q->target;
    t->source = source;
    TRY(query_preprocess(mem, source, &known, &t->text, &ok, err));
    pgc_status status = ok ? ast_parse(t->text.sql, mem, &t->tree, NULL) : PGC_INVALID;
    if (status == PGC_NOMEM) {
        return no_memory(err);
    }
    if (status != PGC_OK) {
        t->tree = NULL; /* newer syntax than our parser's: rules on the plan still work */
    }
    return PGC_OK;
}

/* What is known of a query without the server. */
pgc_status vet_query_begin(vet_query *q, const query_source *source, pgc_error *err)
{
    arena *mem = q->work->arena;
    const ir_query *query = q->target.query;
    TRY(read_source(q, source, err));
    q->text_count = query->choice_count == 0 ? 1 : query->variant_count;
    q->texts = ARENA_ARRAY(mem, q->text_count + 1, vet_text);
    q->done = ARENA_ARRAY(mem, q->rules->count + 1, bool);
    if (q->texts == NULL || q->done == NULL) {
        return no_memory(err);
    }
    for (size_t i = 0; i < q->rules->count; i++) {
        q->done[i] = is_disabled(source, VEC_AT(q->rules, active_rule, i)->name);
    }
    for (size_t i = 0; i < q->text_count; i++) {
        vet_text *text = &q->texts[i];
        text->text = query->choice_count > 0
                         ? query->variants[i]
                         : (ir_variant) { .sql = query->sql, .param_count = query->param_count };
        text->plan = text->no_seq_scan = (vet_ask) { .query = query, .text = &text->text };
    }
    return PGC_OK;
}
