/* Catalog to models to C text, without a server: goldens in tests/sqlc/golden. To accept a wanted
 * change run the program with GOLDEN_UPDATE=1 and read the diff. */
#include "base/prelude.h"

#include <fcntl.h>

#include "base/file.h"
#include "sqlc/emit.h"
#include "sqlc/model.h"
#include "sqlc/symbols.h"

#include "oom.h"
#include "sqlc.h"
#include "tap.h"

#define OID_UUID      2950u
#define OID_SNAPSHOT  5038u
#define OID_MOOD      20001u
#define OID_DOMAIN    20002u
#define OID_VECTOR    20003u
#define OID_TAGS      1009u
#define REL_AUTHORS   30001u
#define REL_ARTICLES  30002u
#define REL_SYSTEM    1247u
#define REL_ELSEWHERE 30003u

static const char *const MOODS[] = { "sad", "very happy", "very-happy", "?", "unknown" };

static void add_type(catalog *cat, uint32_t oid, const char *name, const char *spelling,
                     catalog_type_kind kind)
{
    catalog_type type = { .oid = oid,
                          .schema = oid < CATALOG_FIRST_USER_OID ? "pg_catalog" : "public",
                          .name = name,
                          .spelling = spelling,
                          .kind = kind,
                          .base_typmod = -1,
                          .has_send = true };
    if (kind == CATALOG_ENUM) {
        type.labels = MOODS;
        type.label_count = ARRAY_LEN(MOODS);
        type.comment = "How it */ feels.";
    }
    type.base_oid = kind == CATALOG_DOMAIN ? OID_INT4 : 0;
    catalog_add_type(cat, &type);
}

static catalog_column AUTHOR_COLUMNS[] = {
    { .name = "author_id", .attnum = 1, .type_oid = OID_INT8, .typmod = -1, .not_null = true },
    { .name = "name",
      .attnum = 2,
      .type_oid = OID_TEXT,
      .typmod = -1,
      .not_null = true,
      .comment = "As on /* the cover." },
    { .name = "age", .attnum = 3, .type_oid = OID_DOMAIN, .typmod = -1 },
    { .name = "mood", .attnum = 4, .type_oid = OID_MOOD, .typmod = -1, .not_null = true },
    { .name = "was", .attnum = 5, .type_oid = OID_MOOD, .typmod = -1 },
    { .name = "class", .attnum = 6, .type_oid = OID_TAGS, .typmod = -1 },
    { .name = "taste", .attnum = 7, .type_oid = OID_VECTOR, .typmod = 3 },
};
static catalog_column ARTICLE_COLUMNS[] = {
    { .name = "article_id", .attnum = 1, .type_oid = OID_UUID, .typmod = -1, .not_null = true },
    { .name = "words", .attnum = 2, .type_oid = OID_SNAPSHOT, .typmod = -1, .not_null = true },
    { .name = "Article ID", .attnum = 3, .type_oid = OID_INT4, .typmod = -1 },
};
static catalog_column PLAIN_COLUMNS[] = {
    { .name = "x", .attnum = 1, .type_oid = OID_INT4, .typmod = -1 },
};

static void add_relation(catalog *cat, uint32_t oid, const char *schema, const char *name,
                         catalog_column *columns, size_t count)
{
    catalog_relation relation = { .oid = oid,
                                  .schema = schema,
                                  .name = name,
                                  .kind = 'r',
                                  .columns = columns,
                                  .column_count = count };
    relation.comment = oid == REL_AUTHORS ? "People." : NULL;
    catalog_add_relation(cat, &relation);
}

static catalog *make_catalog(arena *mem)
{
    catalog *cat = catalog_new(mem);
    if (cat == NULL) {
        return NULL;
    }
    catalog_add_schema(cat, "public");
    add_type(cat, OID_INT8, "int8", "bigint", CATALOG_BASE);
    add_type(cat, OID_INT4, "int4", "integer", CATALOG_BASE);
    add_type(cat, OID_TEXT, "text", "text", CATALOG_BASE);
    add_type(cat, OID_UUID, "uuid", "uuid", CATALOG_BASE);
    add_type(cat, OID_TAGS, "_text", "text[]", CATALOG_BASE);
    add_type(cat, OID_SNAPSHOT, "pg_snapshot", "pg_snapshot", CATALOG_BASE);
    add_type(cat, OID_MOOD, "mood", "mood", CATALOG_ENUM);
    add_type(cat, OID_DOMAIN, "positive", "positive", CATALOG_DOMAIN);
    add_type(cat, OID_VECTOR, "vector", "vector", CATALOG_BASE);
    add_relation(cat, REL_AUTHORS, "public", "authors", AUTHOR_COLUMNS, ARRAY_LEN(AUTHOR_COLUMNS));
    add_relation(cat, REL_ARTICLES, "public", "articles", ARTICLE_COLUMNS,
                 ARRAY_LEN(ARTICLE_COLUMNS));
    add_relation(cat, REL_ELSEWHERE, "shop", "orders", PLAIN_COLUMNS, 1);
    add_relation(cat, REL_SYSTEM, "pg_catalog", "pg_type", PLAIN_COLUMNS, 1);
    return catalog_finish(cat, NULL) == PGC_OK ? cat : NULL;
}

/* Everything that one case works with. */
typedef struct stage {
    sqlc_bench bench;
    config_c options;
    ir_set set;
    model_context ctx;
    bool ready;
} stage;

static void stage_make(stage *s, const pgc_alloc *alloc)
{
    *s = (stage) { .bench = sqlc_bench_make(alloc) };
    s->options = (config_c) { .prefix = "lib",
                              .manifest = "m.json",
                              .query_parameter_limit = 1,
                              .emit_sql_as_comment = true,
                              .omit_sqlc_version = true };
    s->set = (ir_set) { .prefix = "lib", .schema_hash = "00" };
    s->ctx = (model_context) { .arena = s->bench.arena,
                               .options = &s->options,
                               .diags = &s->bench.diags,
                               .config_path = "sqlc.yaml",
                               .line = 3,
                               .column = 5,
                               .set = &s->set };
    s->ctx.cat = s->bench.arena == NULL ? NULL : make_catalog(s->bench.arena);
    s->ready = s->ctx.cat != NULL;
}

static ir_row *model(const stage *s, const char *name)
{
    for (size_t i = 0; i < s->set.model_count; i++) {
        if (strcmp(s->set.models[i].name, name) == 0) {
            return &s->set.models[i];
        }
    }
    return NULL;
}

static void tables_become_models(void)
{
    stage s;
    pgc_error err = PGC_ZERO;
    stage_make(&s, NULL);
    REQUIRE(s.ready);
    REQUIRE_OK(model_build(&s.ctx, &err), &err);
    CHECK_STR(sqlc_diags(&s.bench), "");
    REQUIRE(s.set.model_count == 3);
    CHECK_STR(s.set.models[0].name, "lib_article");
    CHECK_STR(s.set.models[1].name, "lib_author");
    CHECK_STR(s.set.models[2].name, "lib_shop_order");
    const ir_row *author = model(&s, "lib_author");
    REQUIRE(author != NULL && author->field_count == 7);
    CHECK_STR(author->fields[5].name, "class_");
    CHECK(!author->fields[0].nullable);
    CHECK(author->fields[2].nullable);
    CHECK_STR(author->fields[2].type.c->type, "int32_t");
    CHECK_INT(author->fields[2].type.oid, 0);
    CHECK_INT(author->fields[1].type.oid, OID_TEXT);
    CHECK_STR(author->fields[1].source, "authors.name");
    const ir_row *article = model(&s, "lib_article");
    REQUIRE(article != NULL && article->field_count == 2);
    CHECK_STR(article->left_out, "words (pg_snapshot)");
    CHECK_STR(article->fields[1].name, "article_id_2");
    const ir_row *order = model(&s, "lib_shop_order");
    REQUIRE(order != NULL);
    CHECK_STR(order->fields[0].source, "shop.orders.x");
    sqlc_bench_done(&s.bench);
}

static void enum_constants_are_distinct(void)
{
    stage s;
    pgc_error err = PGC_ZERO;
    stage_make(&s, NULL);
    REQUIRE(s.ready);
    REQUIRE_OK(model_build(&s.ctx, &err), &err);
    REQUIRE(s.set.enum_count == 1);
    const ir_enum *mood = &s.set.enums[0];
    CHECK_STR(mood->name, "lib_mood");
    CHECK_STR(mood->unknown, "LIB_MOOD_UNKNOWN");
    CHECK_STR(mood->constants[0], "LIB_MOOD_SAD");
    CHECK_STR(mood->constants[1], "LIB_MOOD_VERY_HAPPY");
    CHECK_STR(mood->constants[2], "LIB_MOOD_VERY_HAPPY_3");
    CHECK_STR(mood->constants[3], "LIB_MOOD_VALUE_4");
    CHECK_STR(mood->constants[4], "LIB_MOOD_UNKNOWN_5");
    sqlc_bench_done(&s.bench);
}

static void options_change_the_names(void)
{
    stage s;
    pgc_error err = PGC_ZERO;
    stage_make(&s, NULL);
    REQUIRE(s.ready);
    s.options.emit_exact_table_names = true;
    config_rename *rename = VEC_ADD(s.bench.arena, &s.options.renames, config_rename);
    REQUIRE(rename != NULL);
    *rename = (config_rename) { .from = "age", .to = "years" };
    REQUIRE_OK(model_build(&s.ctx, &err), &err);
    const ir_row *author = model(&s, "lib_authors");
    REQUIRE(author != NULL);
    CHECK_STR(author->fields[2].name, "years");
    sqlc_bench_done(&s.bench);
}

static ir_type type_of(const stage *s, uint32_t oid)
{
    ir_type type = { 0 };
    CHECK(model_type(&s->ctx, oid, &type));
    return type;
}

/* A query as the analysis would build it. */
static ir_query *add_query(stage *s, const char *name, const char *c_name, query_cmd cmd,
                           const char *sql)
{
    ir_query *q = &s->set.queries[s->set.query_count++];
    *q = (ir_query) {
        .name = name, .c_name = c_name, .cmd = cmd, .file = "q/authors.sql", .line = 5
    };
    q->sql.ptr =
        arena_printf(s->bench.arena, "-- name: %s :%s\n%s", name, query_cmd_text(cmd), sql);
    q->sql.len = q->sql.ptr == NULL ? 0 : strlen(q->sql.ptr);
    q->written = sqlc_text(sql);
    return q;
}

static void add_params(stage *s, ir_query *q, const ir_param *params, size_t count)
{
    q->params = ARENA_ARRAY(s->bench.arena, count, ir_param);
    if (q->params != NULL) {
        memcpy(q->params, params, count * sizeof *params);
        q->param_count = count;
    }
}

static void add_columns(stage *s, ir_query *q, const ir_row *row)
{
    q->row = row;
    q->columns = ARENA_ARRAY(s->bench.arena, row->column_count, ir_column);
    for (size_t i = 0; q->columns != NULL && i < row->field_count; i++) {
        q->columns[i] = (ir_column) { .sql_name = row->fields[i].sql_name,
                                      .type = row->fields[i].type,
                                      .nullable = row->fields[i].nullable,
                                      .reason = row->fields[i].reason };
        q->column_count = i + 1;
    }
}

static ir_row *scalar_row(stage *s, const char *base, uint32_t oid, bool nullable)
{
    ir_row *row = ARENA_NEW(s->bench.arena, ir_row);
    ir_field *field = ARENA_NEW(s->bench.arena, ir_field);
    if (row != NULL && field != NULL) {
        *field = (ir_field) { .name = "v",
                              .sql_name = "v",
                              .type = type_of(s, oid),
                              .nullable = nullable,
                              .reason = "because" };
        *row = (ir_row) { .kind = IR_ROW_SCALAR,
                          .base = base,
                          .fields = field,
                          .field_count = 1,
                          .column_count = 1 };
    }
    return row;
}

static void fill_queries(stage *s)
{
    static ir_file file = { .path = "q/authors.sql", .base = "authors" };
    static const char *const COMMENTS[] = { " Found by */ its key.", "" };
    s->set.files = &file;
    s->set.file_count = 1;
    s->set.queries = ARENA_ARRAY(s->bench.arena, 8, ir_query);
    ir_query *q = add_query(s, "GetAuthor", "get_author", QUERY_ONE,
                            "SELECT \"x\\y\", '?"
                            "?/' /* no\n\n  trigraph */ FROM authors");
    q->comments = COMMENTS;
    q->comment_count = 2;
    const ir_param id = { .name = "author_id",
                          .sql_name = "author_id",
                          .number = 1,
                          .type = type_of(s, OID_INT8),
                          .source = "authors.author_id" };
    add_params(s, q, &id, 1);
    add_columns(s, q, model(s, "lib_author"));
    q = add_query(s, "SetMood", "set_mood", QUERY_EXECROWS, "UPDATE authors SET mood = $1");
    const ir_param two[] = {
        { .name = "mood",
          .sql_name = "mood",
          .number = 1,
          .type = type_of(s, OID_MOOD),
          .nullable = true,
          .reason = "sqlc.narg" },
        { .name = "name", .sql_name = "name", .number = 2, .type = type_of(s, OID_TEXT) },
        { .name = "was", .sql_name = "was", .number = 3, .type = type_of(s, OID_MOOD) },
    };
    add_params(s, q, two, ARRAY_LEN(two));
    q->unnamed = q->read_only = true;
    q = add_query(s, "Clear", "clear", QUERY_EXEC, "DELETE FROM authors");
    q->generic = true;
    q = add_query(s, "CountAuthors", "count_authors", QUERY_ONE, "SELECT count(*)");
    add_columns(s, q, scalar_row(s, "lib_count_authors", OID_INT8, false));
    q = add_query(s, "LastMood", "last_mood", QUERY_ONE, "SELECT was");
    add_columns(s, q, scalar_row(s, "lib_last_mood", OID_MOOD, true));
    q = add_query(s, "ListNames", "list_names", QUERY_MANY, "SELECT name");
    add_columns(s, q, scalar_row(s, "lib_list_names", OID_TEXT, true));
}

static void compare_golden(const emit_file *file)
{
    char path[512];
    AUTO(buf_auto) buf want;
    pgc_error err = PGC_ZERO;
    (void) snprintf(path, sizeof path, TEST_SOURCE_ROOT "/tests/sqlc/golden/%s.txt", file->name);
    buf_init(&want, NULL, 1 << 20);
    if (getenv("GOLDEN_UPDATE") != NULL) {
        CHECK_STATUS(file_write_atomic(env_default(), AT_FDCWD, path, file->content, 0644, &err),
                     PGC_OK, &err);
    }
    REQUIRE_OK(file_read(env_default(), AT_FDCWD, path, &want, &err), &err);
    slice got = file->content;
    slice rest = buf_view(&want);
    for (int line = 1; got.ptr != NULL || rest.ptr != NULL; line++) {
        slice a = got.ptr == NULL ? SLICE("(end)") : slice_next(&got, '\n');
        slice b = rest.ptr == NULL ? SLICE("(end)") : slice_next(&rest, '\n');
        if (!slice_eq(a, b)) {
            printf("# %s:%d\n# got  %" SLICE_FMT "\n# want %" SLICE_FMT "\n", path, line,
                   SLICE_ARG(a), SLICE_ARG(b));
            CHECK(false);
            return;
        }
    }
}

static void text_is_the_golden_one(void)
{
    stage s;
    pgc_error err = PGC_ZERO;
    vec files = { 0 };
    stage_make(&s, NULL);
    REQUIRE(s.ready);
    s.options.emit_interface = true;
    REQUIRE_OK(model_build(&s.ctx, &err), &err);
    fill_queries(&s);
    REQUIRE_OK(symbols_check(&s.ctx, &err), &err);
    CHECK_STR(sqlc_diags(&s.bench), "");
    REQUIRE_OK(emit_set(&s.options, &s.set, s.bench.arena, &files, &err), &err);
    REQUIRE(files.count == 6);
    for (size_t i = 0; i < files.count; i++) {
        compare_golden(VEC_AT(&files, emit_file, i));
    }
    sqlc_bench_done(&s.bench);
}

static void unused_structs_can_be_left_out(void)
{
    stage s;
    pgc_error err = PGC_ZERO;
    vec files = { 0 };
    stage_make(&s, NULL);
    REQUIRE(s.ready);
    s.options.omit_unused_structs = true;
    REQUIRE_OK(model_build(&s.ctx, &err), &err);
    ir_row *article = model(&s, "lib_article");
    REQUIRE(article != NULL);
    article->used = true;
    REQUIRE_OK(emit_set(&s.options, &s.set, s.bench.arena, &files, &err), &err);
    REQUIRE(files.count == 2);
    const char *header = VEC_AT(&files, emit_file, 0)->content.ptr;
    CHECK(strstr(header, "lib_article_set") != NULL);
    CHECK(strstr(header, "lib_author") == NULL);
    CHECK(strstr(header, "lib_mood") == NULL);
    sqlc_bench_done(&s.bench);
}

static void collisions_name_both_sources(void)
{
    stage s;
    pgc_error err = PGC_ZERO;
    stage_make(&s, NULL);
    REQUIRE(s.ready);
    REQUIRE_OK(model_build(&s.ctx, &err), &err);
    s.set.queries = ARENA_ARRAY(s.bench.arena, 2, ir_query);
    (void) add_query(&s, "Author", "author", QUERY_EXEC, "SELECT 1");
    REQUIRE_OK(symbols_check(&s.ctx, &err), &err);
    CHECK_STR(sqlc_diags(&s.bench),
              "q/authors.sql:5:1: query Author and table public.authors both give "
              "the C name \"lib_author\"");
    sqlc_bench_done(&s.bench);
}

/* Members of a table must be names in C++ too, and its own names must be free. */
static void interface_names_are_safe(void)
{
    stage s;
    pgc_error err = PGC_ZERO;
    vec files = { 0 };
    stage_make(&s, NULL);
    REQUIRE(s.ready);
    s.options.emit_interface = true;
    REQUIRE_OK(model_build(&s.ctx, &err), &err);
    s.set.queries = ARENA_ARRAY(s.bench.arena, 2, ir_query);
    (void) add_query(&s, "Delete", "delete", QUERY_EXEC, "DELETE FROM authors");
    REQUIRE_OK(symbols_check(&s.ctx, &err), &err);
    REQUIRE_OK(emit_set(&s.options, &s.set, s.bench.arena, &files, &err), &err);
    REQUIRE(files.count == 4);
    const char *header = VEC_AT(&files, emit_file, 2)->content.ptr;
    CHECK(strstr(header, "    pgc_status (*delete_)(pgc_db *db, pgc_error *err);\n") != NULL);
    (void) add_query(&s, "QueriesNone", "queries_none", QUERY_EXEC, "SELECT 1");
    CHECK_INT(symbols_check(&s.ctx, &err), PGC_OK);
    CHECK_STR(sqlc_diags(&s.bench),
              "q/authors.sql:5:1: query QueriesNone and the option emit_interface both give "
              "the C name \"lib_queries_none\"");
    sqlc_bench_done(&s.bench);
}

static void survives_failed_allocations(void)
{
    bool complete = false;
    for (int fail_at = 1; !complete && fail_at < 2000; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        stage s;
        vec files = { 0 };
        stage_make(&s, &alloc);
        if (s.ready) {
            pgc_status status = model_build(&s.ctx, NULL);
            if (status == PGC_OK) {
                status = emit_set(&s.options, &s.set, s.bench.arena, &files, NULL);
            }
            CHECK(status == PGC_OK || status == PGC_NOMEM);
            complete = status == PGC_OK;
        }
        sqlc_bench_done(&s.bench);
        CHECK_INT(plan.live, 0);
    }
    CHECK(complete);
}

TAP_MAIN(TAP("tables and views become models", tables_become_models),
         TAP("enum constants are distinct", enum_constants_are_distinct),
         TAP("options change the names", options_change_the_names),
         TAP("the text is the golden one", text_is_the_golden_one),
         TAP("unused structs can be left out", unused_structs_can_be_left_out),
         TAP("name collisions name both sources", collisions_name_both_sources),
         TAP("the table of functions has names of its own", interface_names_are_safe),
         TAP("failed allocations are reported", survives_failed_allocations))
