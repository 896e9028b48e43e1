/* The server's part of the analysis. The text as the user wrote it is described first, so that
 * every error of the server has an exact place in the file; then stars are expanded and the final
 * text is described again with its parameter types fixed. All texts of a batch take each of these
 * steps in one round trip; none of them sees the others. One thread per connection. */
#include "base/prelude.h"

#include "sqlc/describe_query.h"

#include "base/buf.h"
#include "sqlc/ast.h"
#include "sqlc/describe_parts.h"

/* For one statement. Planning only; a join of very many tables takes seconds. */
#define PLAN_TIMEOUT_US ((int64_t) 60 * 1000000)

/* Names the query, because memory may run out on one odd query of many. */
pgc_status describe_no_memory(const describe_work *w, pgc_error *err)
{
    return pgc_error_set(err, PGC_NOMEM, "analyse query \"%s\"", w->facts.source->name);
}

/* An error of the whole query stands at its first token. */
static diag *query_error(describe_work *w, const char *message)
{
    w->ok = false;
    return diag_error(w->ctx.diags, w->facts.source->file, w->facts.source->start, "%s", message);
}

bool describe_is_fatal(pgc_status status)
{
    return status == PGC_CONNECTION || status == PGC_NOMEM || status == PGC_TIMEOUT ||
           status == PGC_CANCELLED || status == PGC_CLOSED;
}

const char *describe_server_words(const pgc_error *err)
{
    static const char *const STEPS[] = { "prepare: ", "describe: ", "run: " };
    for (size_t i = 0; i < ARRAY_LEN(STEPS); i++) {
        if (strncmp(err->message, STEPS[i], strlen(STEPS[i])) == 0) {
            return err->message + strlen(STEPS[i]);
        }
    }
    return err->message;
}

/* Hints for what the server cannot know: how parameters get their types. Source: sqlc.md §8.3,
 * the traps of parameters without a type. */
static const char *type_hint(const pgc_error *err)
{
    if (strcmp(err->sqlstate, "42P18") == 0) {
        return "say the type with a cast, e.g. @name::text";
    }
    if (strcmp(err->sqlstate, "42P10") == 0 && strstr(err->message, "ON CONFLICT") != NULL) {
        return "name the columns of one unique index, and repeat its WHERE if it has one";
    }
    if (strcmp(err->sqlstate, "22012") == 0) {
        return "the server works out constants when it plans; use a parameter if this is meant";
    }
    if (strcmp(err->sqlstate, "42P08") == 0) {
        return "the first use decides the type: cast it, e.g. @name::int, or use the typed one "
               "first";
    }
    if (strcmp(err->sqlstate, "42725") == 0) {
        return "several functions fit: cast the parameters, e.g. @name::int";
    }
    if (strcmp(err->sqlstate, "42883") == 0 &&
        strstr(err->message, "operator does not exist") != NULL) {
        return "cast one side to the type of the other; a parameter as @name::int";
    }
    if (strcmp(err->sqlstate, "42702") == 0) {
        return "several tables have it: write table.column";
    }
    if (err->hint[0] != '\0' || err->detail[0] != '\0') {
        return NULL; /* the server knows more */
    }
    if (strcmp(err->sqlstate, "42703") == 0 || strcmp(err->sqlstate, "42P01") == 0) {
        return "tables and columns are those of the files under \"schema\" in the config";
    }
    if (strcmp(err->sqlstate, "22P02") == 0 || strcmp(err->sqlstate, "42804") == 0) {
        return "the two sides have different types: cast one of them";
    }
    return NULL;
}

/* The number in "parameter $n" of the server's message; 0: none. */
static uint32_t named_number(const pgc_error *err)
{
    const char *dollar = strchr(err->message, '$');
    int64_t number = 0;
    size_t len = dollar == NULL ? 0 : strspn(dollar + 1, "0123456789");
    bool found = len > 0 && slice_to_i64((slice) { dollar + 1, len }, &number);
    return found && number <= UINT16_MAX ? (uint32_t) number : 0;
}

/* Without a type because it is not there at all: numbers written by hand have a gap. */
static bool is_gap(const describe_work *w, const pgc_error *err)
{
    uint32_t number = strcmp(err->sqlstate, "42P18") == 0 ? named_number(err) : 0;
    for (size_t i = 0; i < w->facts.text.params.count; i++) {
        if (VEC_AT(&w->facts.text.params, query_param, i)->number == number) {
            return false;
        }
    }
    return number != 0;
}

/* Report a server error on the user's text. Fatal ones are passed on. PGC_OK means that the
 * query is marked as faulty and the run goes on with the next one. */
static pgc_status server_error(describe_work *w, pgc_status status, const pgc_error *local,
                               pgc_error *err)
{
    const query_source *source = w->facts.source;
    assert(status != PGC_OK);
    if (describe_is_fatal(status)) {
        if (err != NULL) {
            *err = *local;
        }
        return pgc_error_wrap(err, status, "analyse query \"%s\"", source->name);
    }
    size_t at = source->start;
    if (local->position > 0) {
        at = query_source_offset(&w->facts.text,
                                 query_char_offset(w->facts.text.sql, local->position));
    }
    diag *d = diag_server(w->ctx.diags, source->file, at, local);
    const char *hint = is_gap(w, local)
                           ? "the query does not use it: number parameters without gaps, or write "
                             "@name"
                           : type_hint(local);
    if (hint != NULL) {
        diag_hint(w->ctx.diags, d, "%s", hint);
    }
    w->ok = false;
    return PGC_OK;
}

/* A text that the server is asked about under a name. */
static describe_item item_of(const char *name, slice sql)
{
    assert(sql.ptr[sql.len] == '\0');
    return (describe_item) { .name = name, .sql = sql.ptr };
}

/* Round 1: the text as it was written. Its statement may be the final one, so it has a name. */
static pgc_status ask_first(describe_work *w, describe_item *item, pgc_error *err)
{
    w->statement = arena_printf(w->ctx.arena, "sqlc_first_%zu", w->ordinal);
    *item = item_of(w->statement, w->facts.text.sql);
    return w->statement == NULL ? describe_no_memory(w, err) : PGC_OK;
}

static pgc_status take_first(describe_work *w, const describe_item *item, pgc_error *err)
{
    if (item->status != PGC_OK) {
        return server_error(w, item->status, item->error, err);
    }
    w->first = item->shape;
    w->facts.sql = w->facts.text.sql;
    return PGC_OK;
}

/* Round 2: what each embed stands for. The probe is described instead of the user's text, because
 * only the server knows where a column of a nested select ends up. */
static pgc_status ask_probe(describe_work *w, describe_item *item, pgc_error *err)
{
    slice probe = { 0 };
    if (w->facts.text.embeds.count == 0) {
        return PGC_OK;
    }
    TRY(embed_probe(w, &probe, err));
    *item = item_of("", probe);
    return PGC_OK;
}

static pgc_status take_probe(describe_work *w, const describe_item *item, pgc_error *err)
{
    if (describe_is_fatal(item->status)) {
        return server_error(w, item->status, item->error, err);
    }
    if (item->status != PGC_OK) {
        embed_refused(w, item->error->message);
        return PGC_OK;
    }
    return embed_expand(w, &item->shape, &w->facts.sql, err);
}

/* Star expansion, and the tree of the final text. A text that our parser does not know stays: never
 * rejects what the server accepts, so for grammar that libpg_query does not know, a warning is all.
 * PGC_INVALID: that grammar. */
static pgc_status parse_and_expand(describe_work *w, slice *sql, pgc_error *err)
{
    arena *mem = w->ctx.arena;
    const struct ast *tree = NULL;
    slice expanded = { 0 };
    pgc_status status = ast_parse(*sql, mem, &tree, err);
    if (status != PGC_OK) {
        return pgc_error_wrap(err, status, "star expansion");
    }
    TRY(star_expand_given(w->ctx.cat, *sql, tree, mem, &expanded, err));
    if (expanded.ptr != sql->ptr) {
        const char *copy = arena_copy(mem, expanded);
        if (copy == NULL) {
            return PGC_NOMEM;
        }
        *sql = (slice) { copy, expanded.len };
        TRY(ast_parse(*sql, mem, &tree, err));
    }
    w->facts.tree = tree;
    return PGC_OK;
}

static pgc_status expand_stars(describe_work *w, pgc_error *err)
{
    pgc_error local = PGC_ZERO;
    pgc_status status = parse_and_expand(w, &w->facts.sql, &local);
    if (status == PGC_NOMEM) {
        return describe_no_memory(w, err);
    }
    if (status == PGC_INVALID) {
        (void) diag_warning(w->ctx.diags, w->facts.source->file, w->facts.source->start,
                            "newer syntax than the parser knows: all expressions count as nullable "
                            "(%s)",
                            local.message);
    } else if (status != PGC_OK) {
        bool mapped = w->facts.sql.ptr == w->facts.text.sql.ptr && local.position > 0;
        size_t at = mapped ? query_source_offset(&w->facts.text,
                                                 query_char_offset(w->facts.sql, local.position))
                           : w->facts.source->start;
        diag *d = diag_error(w->ctx.diags, w->facts.source->file, at, "%s", local.message);
        diag_hint(w->ctx.diags, d, "list the columns instead of '*'");
        w->ok = false;
    }
    return PGC_OK;
}

/* Types to declare: fixed for built-in ones, left to the server for those whose OIDs differ.
 * Source: sqlc.md §8.2, step 3.
 *
 *     bigint -> 20, varchar[] -> 1009 (text[]), an enum -> 0 (the server decides) */
static uint32_t *declared_types(const describe_work *w, const described *shape)
{
    uint32_t *oids = ARENA_ARRAY(w->ctx.arena, shape->param_count + 1, uint32_t);
    for (size_t i = 0; oids != NULL && i < shape->param_count; i++) {
        uint32_t oid = c_type_declared(shape->param_oids[i]);
        oids[i] = oid < CATALOG_FIRST_USER_OID ? oid : 0;
    }
    return oids;
}

/* Expanded text must give the very columns that the user's text gives. Source: sqlc.md §8.2,
 * step 4: when the numbers disagree the run fails instead of going on with a guess. */
static bool same_columns(const described *a, const described *b)
{
    bool same = a->column_count == b->column_count && a->param_count == b->param_count;
    for (size_t i = 0; same && i < a->column_count; i++) {
        same = strcmp(a->columns[i].name, b->columns[i].name) == 0 &&
               a->columns[i].type_oid == b->columns[i].type_oid;
    }
    return same;
}

/* Declaring them would change nothing: they are what the server found by itself. */
static bool same_types(const described *first, const uint32_t *oids)
{
    bool same = true;
    for (size_t i = 0; i < first->param_count; i++) {
        same = same && (oids[i] == 0 || oids[i] == first->param_oids[i]);
    }
    return same;
}

/* Round 3: what will be sent at run time, with the types that will be declared. The statement keeps
 * its name until the connection ends, for EXPLAIN EXECUTE. */
static pgc_status ask_final(describe_work *w, describe_item *item, pgc_error *err)
{
    TRY(expand_stars(w, err));
    if (!w->ok) {
        return PGC_OK;
    }
    uint32_t *oids = declared_types(w, &w->first);
    if (oids == NULL) {
        return describe_no_memory(w, err);
    }
    if (w->facts.sql.ptr == w->facts.text.sql.ptr && same_types(&w->first, oids)) {
        w->facts.shape = w->first; /* nothing was expanded: it is the statement described already */
        return PGC_OK;
    }
    w->statement = arena_printf(w->ctx.arena, "sqlc_%zu", w->ordinal);
    *item = item_of(w->statement, w->facts.sql);
    item->param_oids = oids;
    item->param_count = w->first.param_count;
    return w->statement == NULL ? describe_no_memory(w, err) : PGC_OK;
}

static pgc_status take_final(describe_work *w, const describe_item *item, pgc_error *err)
{
    if (item->status != PGC_OK) {
        pgc_error local = *item->error;
        local.position = 0; /* it counts in the expanded text */
        return server_error(w, item->status, &local, err);
    }
    w->facts.shape = item->shape;
    if (w->facts.embed_count == 0 && !same_columns(&w->first, &w->facts.shape)) {
        diag *d = query_error(w, "star expansion failed: the columns are not the same");
        diag_hint(w->ctx.diags, d, "list the columns instead of '*'");
    }
    return PGC_OK;
}

/* The name is ours, the NULLs are counted: nothing of the user's text is in it. */
const char *describe_plan_text(arena *mem, const char *options, const char *name,
                               size_t param_count)
{
    AUTO(buf_auto) buf b;
    assert(name[0] != '\0' && strchr(name, '"') == NULL);
    buf_init(&b, NULL, DESCRIBE_SQL_MAX);
    buf_printf(&b, "EXPLAIN (%s) EXECUTE \"%s\"", options, name);
    for (size_t i = 0; i < param_count; i++) {
        buf_printf(&b, "%sNULL", i == 0 ? "(" : ", ");
    }
    buf_add_str(&b, param_count > 0 ? ")" : "");
    return b.failed ? NULL : arena_copy(mem, buf_view(&b));
}

bool describe_takes_null(const catalog *cat, const described *shape)
{
    bool takes = true;
    for (size_t i = 0; i < shape->param_count; i++) {
        const catalog_type *type = catalog_type_by_oid(cat, shape->param_oids[i]);
        takes = takes && type != NULL && type->kind != CATALOG_DOMAIN;
    }
    return takes;
}

/* Round 4: errors that only the planner finds, such as ON CONFLICT without a matching index.
 * Source: sqlc.md §8.2, step 5. Nothing is executed. */
static pgc_status ask_plan(describe_work *w, describe_item *item, pgc_error *err)
{
    const described *shape = &w->facts.shape;
    assert(w->statement != NULL);
    if (!describe_takes_null(w->ctx.cat, shape)) {
        return PGC_OK;
    }
    item->sql = describe_plan_text(w->ctx.arena, "COSTS OFF", w->statement, shape->param_count);
    return item->sql == NULL ? describe_no_memory(w, err) : PGC_OK;
}

static pgc_status take_plan(describe_work *w, const describe_item *item, pgc_error *err)
{
    if (item->status == PGC_OK) {
        return PGC_OK;
    }
    pgc_error local = *item->error;
    local.position = 0; /* it counts in the EXPLAIN text */
    bool about_query = strncmp(local.sqlstate, "42", 2) == 0 ||
                       strncmp(local.sqlstate, "22", 2) == 0 ||
                       strncmp(local.sqlstate, "0A", 2) == 0;
    if (about_query || describe_is_fatal(item->status)) {
        return server_error(w, item->status, &local, err);
    }
    return PGC_OK; /* e.g. a function that wants a session setting */
}

/* Nullable or not, by sqlc's rule or the strict one; see sqlc.md §8.4. The reason is kept for
 * `explain` and for the header comment. */
static bool param_is_nullable(const describe_work *w, const query_param *param,
                              const param_fact *fact, const char **reason)
{
    if (param != NULL && param->narg) {
        *reason = "sqlc.narg";
        return true;
    }
    if (param != NULL && param->patch) {
        *reason = "not looked at unless it is set (@patch)";
        return true;
    }
    if (!w->ctx.options->strict_params && fact->context == PARAM_TARGET && fact->table_oid != 0 &&
        !fact->not_null) {
        *reason = "stored in a nullable column";
        return true;
    }
    *reason = "sqlc.narg would make it nullable";
    return false;
}

/* Parameters first: which of them can be NULL decides about expressions of them. Fills claims,
 * parameter facts and nullabilities of w->facts. */
static pgc_status prove(describe_work *w, pgc_error *err)
{
    arena *mem = w->ctx.arena;
    query_facts *facts = &w->facts;
    size_t count = facts->shape.param_count;
    null_claim *claims = ARENA_ARRAY(mem, facts->shape.column_count + 1, null_claim);
    param_fact *params = ARENA_ARRAY(mem, count + 1, param_fact);
    bool *nullable = ARENA_ARRAY(mem, count + 1, bool);
    bool *not_null = ARENA_ARRAY(mem, count + 1, bool);
    const char **reasons = ARENA_ARRAY(mem, count + 1, const char *);
    if (claims == NULL || params == NULL || nullable == NULL || not_null == NULL ||
        reasons == NULL) {
        return describe_no_memory(w, err);
    }
    prove_input input = { .sql = facts->sql, .tree = facts->tree, .param_count = count };
    TRY(prove_params_given(w->ctx.cat, &input, mem, params, err));
    for (size_t i = 0; i < count; i++) {
        const query_param *param = NULL;
        for (size_t k = 0; k < facts->text.params.count; k++) {
            const query_param *p = VEC_AT(&facts->text.params, query_param, k);
            param = p->number == i + 1 ? p : param;
        }
        nullable[i] = param_is_nullable(w, param, &params[i], &reasons[i]);
        not_null[i] = !nullable[i];
    }
    facts->param_facts = params;
    facts->param_nullable = nullable;
    facts->param_reasons = reasons;
    facts->claims = claims;
    input.param_not_null = not_null;
    return prove_columns_given(w->ctx.cat, &input, facts->shape.column_count, mem, claims, err);
}

pgc_status describe_add(describe_batch *batch, const query_source *source, size_t ordinal,
                        diag_list *diags, const describe_work **out, pgc_error *err)
{
    arena *mem = batch->ctx->arena;
    describe_work *w = ARENA_NEW(mem, describe_work);
    describe_work **slot = w == NULL ? NULL : VEC_ADD(mem, &batch->works, describe_work *);
    if (slot == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "analyse query \"%s\"", source->name);
    }
    *w = (describe_work) { .ctx = *batch->ctx, .ordinal = ordinal, .facts = { .source = source } };
    w->ctx.diags = diags;
    *slot = w;
    *out = w;
    return query_preprocess(mem, source, diags, &w->facts.text, &w->ok, err);
}

/* One step of all texts that are still good. Those with nothing to ask are passed over. */
typedef struct describe_round {
    pgc_status (*ask)(describe_work *w, describe_item *item, pgc_error *err);
    pgc_status (*take)(describe_work *w, const describe_item *item, pgc_error *err);
} describe_round;

/* Answers are looked at in the order of the texts, whatever the server said to others. */
static pgc_status run_round(describe_batch *batch, const describe_round *round,
                            describe_item *items, describe_work **asked, pgc_error *err)
{
    size_t count = 0;
    for (size_t i = 0; i < batch->works.count; i++) {
        describe_work *w = *VEC_AT(&batch->works, describe_work *, i);
        items[count] = (describe_item) { 0 };
        if (w->ok) {
            TRY(round->ask(w, &items[count], err));
        }
        if (items[count].sql != NULL) {
            asked[count++] = w;
        }
    }
    TRY(conn_describe_many(batch->conn, items, count, PLAN_TIMEOUT_US, batch->ctx->arena, err));
    for (size_t i = 0; i < count; i++) {
        TRY(round->take(asked[i], &items[i], err));
    }
    return PGC_OK;
}

/* The order is fixed: positions of server errors are exact only for the text before any
 * expansion. */
pgc_status describe_run(describe_batch *batch, pgc_error *err)
{
    static const describe_round ROUNDS[] = {
        { ask_first, take_first },
        { ask_probe, take_probe },
        { ask_final, take_final },
        { ask_plan, take_plan },
    };
    arena *mem = batch->ctx->arena;
    describe_item *items = ARENA_ARRAY(mem, batch->works.count + 1, describe_item);
    describe_work **asked = ARENA_ARRAY(mem, batch->works.count + 1, describe_work *);
    if (items == NULL || asked == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "analyse %zu queries", batch->works.count);
    }
    for (size_t i = 0; i < ARRAY_LEN(ROUNDS); i++) {
        TRY(run_round(batch, &ROUNDS[i], items, asked, err));
    }
    for (size_t i = 0; i < batch->works.count; i++) {
        describe_work *w = *VEC_AT(&batch->works, describe_work *, i);
        if (w->ok) {
            TRY(prove(w, err));
        }
    }
    return PGC_OK;
}
