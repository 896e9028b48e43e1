/* The server's part of the analysis of one query. The text as the user wrote it is described first,
 * so that every error of the server has an exact place in the file; then stars are expanded and the
 * final text is described again with its parameter types fixed. One thread per connection. */
#include "base/prelude.h"

#include "sqlc/describe_query.h"

#include "base/buf.h"

/* Expanded text included. */
#define DESCRIBE_SQL_MAX ((size_t) 16 << 20)
/* Planning only; a join of very many tables takes seconds. */
#define PLAN_TIMEOUT_US ((int64_t) 60 * 1000000)

/* One query on its way. */
typedef struct worker {
    const model_context *ctx;
    pgc_conn *conn;
    query_facts *facts; /* what is found out, written step by step */
    bool ok;            /* false: diags says what is wrong with the query */
} worker;

/* Statuses that say nothing about the query: the run ends with them. */
static bool is_fatal(pgc_status status)
{
    return status == PGC_CONNECTION || status == PGC_NOMEM || status == PGC_TIMEOUT ||
           status == PGC_CANCELLED || status == PGC_CLOSED;
}

/* Names the query, because memory may run out on one odd query of many. */
static pgc_status no_memory(const worker *w, pgc_error *err)
{
    return pgc_error_set(err, PGC_NOMEM, "analyse query \"%s\"", w->facts->source->name);
}

/* An error of the whole query stands at its first token. */
static diag *query_error(worker *w, const char *message)
{
    w->ok = false;
    return diag_error(w->ctx->diags, w->facts->source->file, w->facts->source->start, "%s",
                      message);
}

/* Hints for what the server cannot know: how parameters get their types. Source: sqlc.md §8.3,
 * the traps of parameters without a type. */
static const char *type_hint(const pgc_error *err)
{
    if (strcmp(err->sqlstate, "42P18") == 0) {
        return "say the type with a cast, e.g. @name::text";
    }
    if (strcmp(err->sqlstate, "42P08") == 0) {
        return "the first use decides the type: cast it, e.g. @name::int, or use the typed one "
               "first";
    }
    if (strcmp(err->sqlstate, "42725") == 0) {
        return "several functions fit: cast the parameters, e.g. @name::int";
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

/* Report a server error on the user's text. Fatal ones are passed on. PGC_OK means that the
 * query is marked as faulty and the run goes on with the next one. */
static pgc_status server_error(worker *w, pgc_status status, const pgc_error *local, pgc_error *err)
{
    const query_source *source = w->facts->source;
    assert(status != PGC_OK);
    if (is_fatal(status)) {
        if (err != NULL) {
            *err = *local;
        }
        return pgc_error_wrap(err, status, "analyse query \"%s\"", source->name);
    }
    size_t at = source->start;
    if (local->position > 0) {
        at = query_source_offset(&w->facts->text,
                                 query_char_offset(w->facts->text.sql, local->position));
    }
    diag *d = diag_server(w->ctx->diags, source->file, at, local);
    const char *hint = type_hint(local);
    if (hint != NULL) {
        diag_hint(w->ctx->diags, d, "%s", hint);
    }
    w->ok = false;
    return PGC_OK;
}

/* Text with each "t.*" of an embed replaced by what `write` puts there. */
typedef void (*embed_writer)(buf *b, const worker *w, size_t index);

/* Everything but the embeds stays byte for byte. NULL: no memory. The spans of the text are not
 * moved along: errors of this text are reported for the whole query. */
static char *replace_embeds(const worker *w, embed_writer write, size_t *len)
{
    AUTO(buf_auto) buf b;
    slice sql = w->facts->text.sql;
    size_t at = 0;
    buf_init(&b, NULL, DESCRIBE_SQL_MAX);
    for (size_t i = 0; i < w->facts->text.embeds.count; i++) {
        const query_embed *embed = VEC_AT(&w->facts->text.embeds, query_embed, i);
        buf_add(&b, slice_sub(sql, at, embed->sql_start));
        write(&b, w, i);
        at = embed->sql_end;
    }
    buf_add(&b, slice_sub(sql, at, sql.len));
    *len = b.len;
    return b.failed ? NULL : arena_copy(w->ctx->arena, buf_view(&b));
}

/* Markers around the columns tell where the embed lands in the result. They are only described,
 * never executed. The alias of the marker cannot be a column of the user's: names with this
 * prefix would collide with nothing else in one result.
 *
 *     SELECT '' AS "sqlc_embed_0", a.*, '' AS "sqlc_embed_end", count(*) … */
static void write_probe(buf *b, const worker *w, size_t index)
{
    const query_embed *embed = VEC_AT(&w->facts->text.embeds, query_embed, index);
    buf_printf(b, "'' AS \"sqlc_embed_%zu\", %s.*, '' AS \"sqlc_embed_end\"", index, embed->alias);
}

/* Written without quotes. Keywords are fine behind "alias.". Capitals fold on the server, so
 * they need quotes. */
static bool simple_identifier(const char *name)
{
    size_t i = 0;
    for (; name[i] != '\0'; i++) {
        char c = name[i];
        bool fits = (c >= 'a' && c <= 'z') || c == '_' || (i > 0 && c >= '0' && c <= '9');
        if (!fits) {
            return false;
        }
    }
    return i > 0;
}

/* The model's columns by name: those without C type are left out, and columns that are added to the
 * table later do not change the result. */
static void write_columns(buf *b, const worker *w, size_t index)
{
    const embed_span *span = &w->facts->embeds[index];
    size_t line = b->len;
    assert(index < w->facts->embed_count);
    assert(w->facts->embeds[index].model != NULL);
    for (size_t i = 0; i < span->model->field_count; i++) {
        const char *name = span->model->fields[i].sql_name;
        bool full = b->len - line > 80; /* keeps the text readable in logs and comments */
        line = full ? b->len : line;
        buf_printf(b, "%s%s.", i == 0 ? "" : full ? ",\n       " : ", ", span->embed->alias);
        if (simple_identifier(name)) {
            buf_add_str(b, name);
            continue;
        }
        buf_add_char(b, '"');
        for (const char *p = name; *p != '\0'; p++) {
            buf_add_str(b, *p == '"' ? "\"\"" : "");
            if (*p != '"') {
                buf_add_char(b, *p);
            }
        }
        buf_add_char(b, '"');
    }
}

/* The place of the embed is known exactly, whatever the server said about the probe. */
static void embed_error(worker *w, const query_embed *embed, const char *what)
{
    diag *d = diag_error(w->ctx->diags, w->facts->source->file, embed->at, "sqlc.embed(%s): %s",
                         embed->name, what);
    diag_hint(w->ctx->diags, d,
              "embed takes a table, view or alias of one, in the outermost select "
              "list");
    w->ok = false;
}

/* Columns between the markers of one embed tell which relation it is. Source: sqlc.md §8.4: the
 * columns must be all of one relation, in its own order, else the model's decoder would read the
 * wrong ones. */
static void locate_embed(worker *w, const described *probe, size_t index, size_t *left_out)
{
    embed_span *span = &w->facts->embeds[index];
    char marker[40];
    size_t first = 0;
    size_t end = 0;
    assert(index < w->facts->embed_count);
    span->embed = VEC_AT(&w->facts->text.embeds, query_embed, index);
    (void) snprintf(marker, sizeof marker, "sqlc_embed_%zu", index);
    while (first < probe->column_count && strcmp(probe->columns[first].name, marker) != 0) {
        first++;
    }
    first++; /* behind the marker */
    end = first;
    while (end < probe->column_count && strcmp(probe->columns[end].name, "sqlc_embed_end") != 0) {
        end++;
    }
    if (end >= probe->column_count || end == first) {
        embed_error(w, span->embed, "its columns do not reach the result");
        return;
    }
    span->model = model_of(w->ctx, probe->columns[first].table_oid);
    bool same = span->model != NULL;
    for (size_t i = first; i < end; i++) {
        same = same && probe->columns[i].table_oid == probe->columns[first].table_oid;
    }
    const catalog_relation *relation =
        catalog_relation_by_oid(w->ctx->cat, probe->columns[first].table_oid);
    if (!same || relation == NULL || relation->column_count != end - first) {
        embed_error(w, span->embed, "not a table or view");
        return;
    }
    /* Markers before it and columns without C type before it are not in the final text. */
    span->first = first - (2 * index + 1) - *left_out;
    *left_out += relation->column_count - span->model->field_count;
    span->model->used = true;
}

/* Named statements stay for EXPLAIN EXECUTE; the unnamed one is replaced by each call. */
static pgc_status describe_text(worker *w, const char *name, const char *sql,
                                const uint32_t *param_oids, size_t param_count, described *out,
                                pgc_error *err)
{
    return conn_describe(w->conn, name, sql, param_oids, param_count, w->ctx->arena, out, err);
}

/* Find out what each embed stands for and put its columns into the text. The probe is described
 * instead of the user's text, because only the server knows where a column of a nested select
 * ends up. */
static pgc_status expand_embeds(worker *w, slice *sql, pgc_error *err)
{
    size_t count = w->facts->text.embeds.count;
    size_t len = 0;
    size_t left_out = 0;
    described probe;
    pgc_error local = PGC_ZERO;
    w->facts->embeds = ARENA_ARRAY(w->ctx->arena, count, embed_span);
    char *text = replace_embeds(w, write_probe, &len);
    if (w->facts->embeds == NULL || text == NULL) {
        return no_memory(w, err);
    }
    w->facts->embed_count = count;
    pgc_status status = describe_text(w, "", text, NULL, 0, &probe, &local);
    if (is_fatal(status)) {
        return server_error(w, status, &local, err);
    }
    if (status != PGC_OK) {
        embed_error(w, VEC_AT(&w->facts->text.embeds, query_embed, 0), local.message);
        return PGC_OK;
    }
    for (size_t i = 0; i < count && w->ok; i++) {
        locate_embed(w, &probe, i, &left_out);
    }
    if (!w->ok) {
        return PGC_OK;
    }
    text = replace_embeds(w, write_columns, &len);
    if (text == NULL) {
        return no_memory(w, err);
    }
    *sql = (slice) { text, len };
    return PGC_OK;
}

/* NUL-terminated text after star expansion. A text that our parser does not know stays. Never
 * rejects what the server accepts: for grammar that libpg_query does not know, a warning is all. */
static pgc_status expand_stars(worker *w, slice *sql, pgc_error *err)
{
    slice expanded = { 0 };
    pgc_error local = PGC_ZERO;
    pgc_status status = star_expand(w->ctx->cat, *sql, w->ctx->arena, &expanded, &local);
    if (status == PGC_NOMEM) {
        return no_memory(w, err);
    }
    if (status == PGC_INVALID) {
        (void) diag_warning(w->ctx->diags, w->facts->source->file, w->facts->source->start,
                            "newer syntax than the parser knows: all expressions count as nullable "
                            "(%s)",
                            local.message);
        return PGC_OK;
    }
    if (status != PGC_OK) {
        diag *d = query_error(w, "star expansion failed");
        diag_hint(w->ctx->diags, d, "list the columns instead of '*': %s", local.message);
        return PGC_OK;
    }
    if (expanded.ptr != sql->ptr) {
        char *copy = arena_copy(w->ctx->arena, expanded);
        if (copy == NULL) {
            return no_memory(w, err);
        }
        *sql = (slice) { copy, expanded.len };
    }
    return PGC_OK;
}

/* Types to declare: fixed for built-in ones, left to the server for those whose OIDs differ.
 * Source: sqlc.md §8.2, step 3.
 *
 *     bigint -> 20, varchar[] -> 1009 (text[]), an enum -> 0 (the server decides) */
static uint32_t *declared_types(const worker *w, const described *shape)
{
    uint32_t *oids = ARENA_ARRAY(w->ctx->arena, shape->param_count + 1, uint32_t);
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

/* Errors that only the planner finds, such as ON CONFLICT without a matching index. Source:
 * sqlc.md §8.2, step 5. Nothing is executed.
 *
 *     EXPLAIN (COSTS OFF) EXECUTE "sqlc_7"(NULL, NULL) */
static pgc_status check_plan(worker *w, const char *name, pgc_error *err)
{
    AUTO(buf_auto) buf b;
    const described *shape = &w->facts->shape;
    assert(name != NULL);
    buf_init(&b, NULL, DESCRIBE_SQL_MAX);
    for (size_t i = 0; i < shape->param_count; i++) {
        const catalog_type *type = catalog_type_by_oid(w->ctx->cat, shape->param_oids[i]);
        if (type == NULL || type->kind == CATALOG_DOMAIN) {
            return PGC_OK; /* NULL may not be allowed for it */
        }
    }
    buf_printf(&b, "EXPLAIN (COSTS OFF) EXECUTE \"%s\"", name);
    for (size_t i = 0; i < shape->param_count; i++) {
        buf_printf(&b, "%sNULL", i == 0 ? "(" : ", ");
    }
    buf_add_str(&b, shape->param_count > 0 ? ")" : "");
    TRY(buf_finish(&b, err));
    pgc_error local = PGC_ZERO;
    pgc_status status = pgc_conn_script(w->conn, b.ptr, PLAN_TIMEOUT_US, NULL, &local);
    if (status == PGC_OK) {
        return PGC_OK;
    }
    local.position = 0; /* it counts in the EXPLAIN text */
    bool about_query = strncmp(local.sqlstate, "42", 2) == 0 ||
                       strncmp(local.sqlstate, "22", 2) == 0 ||
                       strncmp(local.sqlstate, "0A", 2) == 0;
    if (about_query || is_fatal(status)) {
        return server_error(w, status, &local, err);
    }
    return PGC_OK; /* e.g. a function that wants a session setting */
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

/* What will be sent at run time, with the types that will be declared. The statement keeps its
 * name until the connection ends, for EXPLAIN EXECUTE. */
static pgc_status describe_final(worker *w, const described *first, const char *first_name,
                                 size_t ordinal, pgc_error *err)
{
    pgc_error local = PGC_ZERO;
    char *name = arena_printf(w->ctx->arena, "sqlc_%zu", ordinal);
    uint32_t *oids = declared_types(w, first);
    if (name == NULL || oids == NULL) {
        return no_memory(w, err);
    }
    if (w->facts->sql.ptr == w->facts->text.sql.ptr && same_types(first, oids)) {
        w->facts->shape = *first; /* nothing was expanded: it is the statement described already */
        return check_plan(w, first_name, err);
    }
    pgc_status status = describe_text(w, name, w->facts->sql.ptr, oids, first->param_count,
                                      &w->facts->shape, &local);
    if (status != PGC_OK) {
        local.position = 0;
        return server_error(w, status, &local, err);
    }
    if (w->facts->embed_count == 0 && !same_columns(first, &w->facts->shape)) {
        diag *d = query_error(w, "star expansion failed: the columns are not the same");
        diag_hint(w->ctx->diags, d, "list the columns instead of '*'");
        return PGC_OK;
    }
    return check_plan(w, name, err);
}

/* Nullable or not, by sqlc's rule or the strict one; see sqlc.md §8.4. The reason is kept for
 * `explain` and for the header comment. */
static bool param_is_nullable(const worker *w, const query_param *param, const param_fact *fact,
                              const char **reason)
{
    if (param != NULL && param->narg) {
        *reason = "sqlc.narg";
        return true;
    }
    if (param != NULL && param->patch) {
        *reason = "not looked at unless it is set (@patch)";
        return true;
    }
    if (!w->ctx->options->strict_params && fact->context == PARAM_TARGET && fact->table_oid != 0 &&
        !fact->not_null) {
        *reason = "stored in a nullable column";
        return true;
    }
    *reason = "sqlc.narg would make it nullable";
    return false;
}

/* Parameters first: which of them can be NULL decides about expressions of them. Fills claims,
 * parameter facts and nullabilities of w->facts. */
static pgc_status prove(worker *w, pgc_error *err)
{
    arena *mem = w->ctx->arena;
    query_facts *facts = w->facts;
    size_t count = facts->shape.param_count;
    null_claim *claims = ARENA_ARRAY(mem, facts->shape.column_count + 1, null_claim);
    param_fact *params = ARENA_ARRAY(mem, count + 1, param_fact);
    bool *nullable = ARENA_ARRAY(mem, count + 1, bool);
    bool *not_null = ARENA_ARRAY(mem, count + 1, bool);
    const char **reasons = ARENA_ARRAY(mem, count + 1, const char *);
    if (claims == NULL || params == NULL || nullable == NULL || not_null == NULL ||
        reasons == NULL) {
        return no_memory(w, err);
    }
    TRY(prove_params(w->ctx->cat, facts->sql, count, mem, params, err));
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
    prove_input input = { .sql = facts->sql, .param_not_null = not_null, .param_count = count };
    return prove_columns_given(w->ctx->cat, &input, facts->shape.column_count, mem, claims, err);
}

/* The order is fixed: positions of server errors are exact only for the text before any
 * expansion. */
pgc_status describe_query(const model_context *ctx, pgc_conn *conn, const query_source *source,
                          size_t ordinal, query_facts *out, bool *ok, pgc_error *err)
{
    worker w = { .ctx = ctx, .conn = conn, .facts = out, .ok = true };
    described first;
    pgc_error local = PGC_ZERO;
    *out = (query_facts) { .source = source };
    *ok = false;
    TRY(query_preprocess(ctx->arena, source, ctx->diags, &out->text, &w.ok, err));
    if (!w.ok) {
        return PGC_OK;
    }
    slice sql = out->text.sql;
    char *name = arena_printf(ctx->arena, "sqlc_first_%zu", ordinal);
    if (name == NULL) {
        return no_memory(&w, err);
    }
    pgc_status status = describe_text(&w, name, sql.ptr, NULL, 0, &first, &local);
    if (status != PGC_OK) {
        return server_error(&w, status, &local, err);
    }
    if (out->text.embeds.count > 0) {
        TRY(expand_embeds(&w, &sql, err));
    }
    if (w.ok) {
        TRY(expand_stars(&w, &sql, err));
    }
    out->sql = sql;
    if (w.ok) {
        TRY(describe_final(&w, &first, name, ordinal, err));
    }
    if (w.ok) {
        TRY(prove(&w, err));
    }
    *ok = w.ok;
    return PGC_OK;
}
