/* From names of the schema to names and comments of C: collisions, reserved words, hostile names.
 * No server: catalogs are made by hand. */
#include "base/prelude.h"

#include "base/buf.h"
#include "sqlc/cname.h"
#include "sqlc/emit.h"
#include "sqlc/model.h"
#include "sqlc/symbols.h"

#include "sqlc.h"
#include "tap.h"

#define MOOD_OID 20001u

/* One hand-made database: an enum and some tables. */
typedef struct world {
    sqlc_bench bench;
    config_c options;
    ir_set set;
    model_context ctx;
    catalog *cat;
    uint32_t next_oid;
} world;

static void world_make(world *w)
{
    *w = (world) { .bench = sqlc_bench_make(NULL), .next_oid = 30001 };
    w->options = (config_c) { .prefix = "lib", .omit_sqlc_version = true };
    w->set = (ir_set) { .prefix = "lib", .schema_hash = "00" };
    w->ctx = (model_context) { .arena = w->bench.arena,
                               .options = &w->options,
                               .diags = &w->bench.diags,
                               .config_path = "sqlc.yaml",
                               .line = 1,
                               .column = 1,
                               .set = &w->set };
    w->cat = catalog_new(w->bench.arena);
    catalog_add_schema(w->cat, "public");
    catalog_add_type(w->cat, &(catalog_type) { .oid = OID_INT4,
                                               .schema = "pg_catalog",
                                               .name = "int4",
                                               .spelling = "integer",
                                               .kind = CATALOG_BASE });
}

static void world_done(world *w)
{
    sqlc_bench_done(&w->bench);
}

/* Labels parted by '|'. */
static void add_enum(world *w, uint32_t oid, const char *name, const char *labels)
{
    catalog_type type = {
        .oid = oid, .schema = "public", .name = name, .spelling = name, .kind = CATALOG_ENUM
    };
    slice rest = sqlc_text(labels);
    const char **list = ARENA_ARRAY(w->bench.arena, 16, const char *);
    while (rest.ptr != NULL && rest.len > 0) {
        list[type.label_count++] = arena_copy(w->bench.arena, slice_next(&rest, '|'));
    }
    type.labels = list;
    catalog_add_type(w->cat, &type);
}

/* Columns of type int4, parted by '|'. */
static void add_table(world *w, const char *name, const char *columns, char kind)
{
    catalog_relation relation = {
        .oid = w->next_oid++, .schema = "public", .name = name, .kind = kind
    };
    slice rest = sqlc_text(columns);
    relation.columns = ARENA_ARRAY(w->bench.arena, 16, catalog_column);
    while (rest.ptr != NULL && rest.len > 0) {
        catalog_column *c = &relation.columns[relation.column_count++];
        *c = (catalog_column) { .name = arena_copy(w->bench.arena, slice_next(&rest, '|')),
                                .attnum = (int16_t) relation.column_count,
                                .type_oid = OID_INT4,
                                .typmod = -1 };
    }
    catalog_add_relation(w->cat, &relation);
}

static void build(world *w)
{
    pgc_error err = PGC_ZERO;
    CHECK_STATUS(catalog_finish(w->cat, &err), PGC_OK, &err);
    w->ctx.cat = w->cat;
    CHECK_STATUS(model_build(&w->ctx, &err), PGC_OK, &err);
}

/* C names of a model's fields, parted by blanks. */
static const char *fields_of(world *w, size_t index)
{
    const char *text = "";
    for (size_t i = 0; index < w->set.model_count && i < w->set.models[index].field_count; i++) {
        text = arena_printf(w->bench.arena, "%s%s%s", text, i == 0 ? "" : " ",
                            w->set.models[index].fields[i].name);
    }
    return text;
}

static const char *constants_of(world *w, const ir_enum *type)
{
    const char *text = type->unknown;
    for (size_t i = 0; i < type->label_count; i++) {
        text = arena_printf(w->bench.arena, "%s %s", text, type->constants[i]);
    }
    return text;
}

static void fields_are_distinct(void)
{
    static const struct {
        const char *columns, *want;
    } CASES[] = {
        { "a|b", "a b" },
        { "A|a", "a a_2" },
        { "a|A|a_2", "a a_2 a_2_2" },
        { "a_2|a|A", "a_2 a a_3" },
        { "a b|a-b|a.b", "a_b a_b_2 a_b_3" },
        { "class|Class|class_", "class_ class_2 class_3" },
        { "int|long|auto|bool|errno", "int_ long_ auto_ bool_ errno_" },
        { "1st|2", "n1st n2" },
        { "createdAt|created_at", "created_at created_at_2" },
        { "_x_|x", "x x_2" },
        { "größe", "gr_e" },
    };
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        world w;
        world_make(&w);
        add_table(&w, "things", CASES[i].columns, 'r');
        build(&w);
        CHECK_STR(fields_of(&w, 0), CASES[i].want);
        CHECK_STR(sqlc_diags(&w.bench), "");
        world_done(&w);
    }
}

static void columns_without_a_name_are_reported(void)
{
    world w;
    world_make(&w);
    add_table(&w, "things", "日本|a|?", 'r');
    add_table(&w, "語", "a", 'r');
    build(&w);
    CHECK_STR(sqlc_diags(&w.bench), "sqlc.yaml:1:1: no C name can be made of column \"日本\"\n"
                                    "sqlc.yaml:1:1: no C name can be made of column \"?\"\n"
                                    "sqlc.yaml:1:1: no C name can be made of table \"語\"");
    CHECK(strstr(sqlc_hint(&w.bench), "options.rename") != NULL);
    world_done(&w);
}

static void renames_give_a_name(void)
{
    world w;
    world_make(&w);
    const config_rename list[] = { { "日本", "japan" }, { "語", "Word" }, { "a", "b" } };
    w.options.renames = (vec) { .items = (void *) (uintptr_t) list, .count = 3, .cap = 3 };
    add_table(&w, "語", "日本|a|b", 'r');
    build(&w);
    CHECK_STR(sqlc_diags(&w.bench), "");
    REQUIRE(w.set.model_count == 1);
    CHECK_STR(w.set.models[0].name, "lib_word");
    CHECK_STR(fields_of(&w, 0), "japan b b_2");
    world_done(&w);
}

static void constants_are_distinct(void)
{
    static const struct {
        const char *labels, *want;
    } CASES[] = {
        { "a|b", "LIB_M_UNKNOWN LIB_M_A LIB_M_B" },
        { "", "LIB_M_UNKNOWN" },
        { "unknown|UNKNOWN", "LIB_M_UNKNOWN LIB_M_UNKNOWN_1 LIB_M_UNKNOWN_2" },
        { "a|A|a_2", "LIB_M_UNKNOWN LIB_M_A LIB_M_A_2 LIB_M_A_2_3" },
        { "a_2|a|A", "LIB_M_UNKNOWN LIB_M_A_2 LIB_M_A LIB_M_A_3" },
        { "a_3|a|A", "LIB_M_UNKNOWN LIB_M_A_3 LIB_M_A LIB_M_A_4" },
        { "+|-|value_2", "LIB_M_UNKNOWN LIB_M_VALUE_1 LIB_M_VALUE_2 LIB_M_VALUE_2_3" },
        { "1|2.5|-1", "LIB_M_UNKNOWN LIB_M_N1 LIB_M_N2_5 LIB_M_N1_3" },
        { "int|NULL", "LIB_M_UNKNOWN LIB_M_INT LIB_M_NULL" },
    };
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        world w;
        world_make(&w);
        add_enum(&w, MOOD_OID, "m", CASES[i].labels);
        build(&w);
        REQUIRE(w.set.enum_count == 1);
        CHECK_STR(constants_of(&w, &w.set.enums[0]), CASES[i].want);
        world_done(&w);
    }
}

static void only_what_can_be_read_is_a_model(void)
{
    world w;
    world_make(&w);
    add_table(&w, "tables", "a", 'r');
    add_table(&w, "parts", "a", 'p');
    add_table(&w, "views", "a", 'v');
    add_table(&w, "stored", "a", 'm');
    add_table(&w, "foreigns", "a", 'f');
    add_table(&w, "composite", "a", 'c');
    add_table(&w, "tables_id_seq", "last_value|log_cnt|is_called", 'S');
    add_table(&w, "no_columns", "", 'r');
    build(&w);
    const char *names = "";
    for (size_t i = 0; i < w.set.model_count; i++) {
        names = arena_printf(w.bench.arena, "%s %s", names, w.set.models[i].name);
    }
    CHECK_STR(names, " lib_foreign lib_part lib_stored lib_table lib_view");
    world_done(&w);
}

static void views_are_as_nullable_as_their_definition(void)
{
    world w;
    world_make(&w);
    add_table(&w, "tables", "a", 'r');
    uint32_t view = w.next_oid;
    add_table(&w, "views", "x|y", 'v');
    catalog_set_view(w.cat, view,
                     "SELECT tables.a AS x, coalesce(tables.a, 0) AS y FROM public.tables");
    uint32_t broken = w.next_oid;
    add_table(&w, "odd", "x|y", 'v');
    catalog_set_view(w.cat, broken, "no SQL");
    build(&w);
    REQUIRE(w.set.model_count == 3);
    const ir_row *odd = &w.set.models[0];
    const ir_row *model = &w.set.models[2];
    CHECK(odd->fields[0].nullable && odd->fields[1].nullable);
    CHECK(model->fields[0].nullable && !model->fields[1].nullable);
    CHECK_STR(model->fields[0].reason, "view views: tables.a is nullable");
    CHECK_STR(model->fields[1].reason, "view views: coalesce: constant");
    world_done(&w);
}

/* What symbols_check() says about a set of enums ("name:labels") and tables. */
static void collide(const char *enums, const char *tables, const char *query, const char *want)
{
    world w;
    pgc_error err = PGC_ZERO;
    slice rest = sqlc_text(enums);
    world_make(&w);
    w.options.emit_exact_table_names = true;
    for (uint32_t oid = MOOD_OID; rest.ptr != NULL && rest.len > 0; oid++) {
        slice one = slice_next(&rest, ' ');
        const char *name = arena_copy(w.bench.arena, slice_next(&one, ':'));
        add_enum(&w, oid, name, one.ptr == NULL ? "" : arena_copy(w.bench.arena, one));
    }
    rest = sqlc_text(tables);
    while (rest.ptr != NULL && rest.len > 0) {
        add_table(&w, arena_copy(w.bench.arena, slice_next(&rest, ' ')), "a", 'r');
    }
    build(&w);
    ir_query q = { .name = query, .c_name = query, .cmd = QUERY_EXEC, .file = "q.sql", .line = 7 };
    w.set.queries = &q;
    w.set.query_count = query == NULL ? 0 : 1;
    CHECK_STATUS(symbols_check(&w.ctx, &err), PGC_OK, &err);
    CHECK_STR(sqlc_diags(&w.bench), want);
    world_done(&w);
}

static void collisions_are_found(void)
{
    collide("m:a|b n:a|b", "t u", "get", "");
    collide("t:a", "t", NULL,
            "sqlc.yaml:1:1: enum public.t and table public.t both give the C name \"lib_opt_t\"");
    collide("a_b:c a:b_c", "", NULL,
            "sqlc.yaml:1:1: enum public.a and enum public.a_b both give the C name "
            "\"LIB_A_B_C\"");
    collide("m:a", "opt_m", NULL,
            "sqlc.yaml:1:1: enum public.m and table public.opt_m both give the C name "
            "\"lib_opt_m\"");
    collide("", "t opt_t", NULL,
            "sqlc.yaml:1:1: table public.opt_t and table public.t both give the C name "
            "\"lib_opt_t\"");
    collide("m:a", "m_labels", NULL,
            "sqlc.yaml:1:1: enum public.m and table public.m_labels both give the C name "
            "\"lib_m_labels\"");
    collide("m:a", "m_values", NULL,
            "sqlc.yaml:1:1: enum public.m and table public.m_values both give the C name "
            "\"lib_m_values\"");
    collide("", "t t_set", NULL,
            "sqlc.yaml:1:1: table public.t and table public.t_set both give the C name "
            "\"lib_t_set\"");
    collide("", "t", "t_clone",
            "q.sql:7:1: query t_clone and table public.t both give the C name "
            "\"lib_t_clone\"");
    collide("", "t", "t_clone_pass",
            "q.sql:7:1: query t_clone_pass and table public.t both give the C name "
            "\"lib_t_clone_pass\"");
    collide("m:a", "", "m_to_text",
            "q.sql:7:1: enum public.m and query m_to_text both give the C name "
            "\"lib_m_to_text\"");
    collide("", "x_params", "x",
            "q.sql:7:1: query x and table public.x_params both give the C name "
            "\"lib_x_params\"");
}

/* One emitter whose output is text. */
static emitter emitter_make(const world *w)
{
    emitter e = { .options = &w->options, .set = &w->set, .arena = w->bench.arena };
    buf_init(&e.out, NULL, 1 << 20);
    return e;
}

static void comments_cannot_be_left(void)
{
    static const struct {
        const char *before, *text, *want;
    } CASES[] = {
        { "/* ", "plain", "/* plain" },
        { "/* ", "a */ b", "/* a * / b" },
        { "/* ", "a /* b", "/* a / * b" },
        { " *", "/ x", " * / x" },
        { "/*", "/", "/* /" },
        { "/", "*", "/ *" },
        { "/* ", "*//**/", "/* * // ** /" },
        { "/* ", "?\?/", "/* ?\? /" },
        { "/* ", "a\nb\tc\x7f", "/* a b c " },
        { "/* ", "x\xE2\x80\xAEy", "/* x?y" },
        { "/* ", "x\xE2\x81\xA9y", "/* x?y" },
        { "/* ", "\xE2\x82\xAC", "/* \xE2\x82\xAC" },
        { "/* ", "", "/* " },
    };
    world w;
    world_make(&w);
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        emitter e = emitter_make(&w);
        buf_add_str(&e.out, CASES[i].before);
        emit_comment_text(&e, CASES[i].text);
        CHECK_STR(e.out.ptr, CASES[i].want);
        buf_done(&e.out);
    }
    emitter e = emitter_make(&w);
    emit_comment_lines(&e, " *", SLICE("/ one\n\n two \t\n*/"));
    CHECK_STR(e.out.ptr, " * / one\n *\n * two\n ** /\n");
    buf_done(&e.out);
    world_done(&w);
}

static void literals_are_portable(void)
{
    static const struct {
        const char *text, *want;
    } CASES[] = {
        { "", "\"\"" },
        { "a\"b\\c", "\"a\\\"b\\\\c\"" },
        { "a\nb", "\"a\\n\"\n\"b\"" },
        { "a\n", "\"a\\n\"" },
        { "\n\n", "\"\\n\"\n\"\\n\"" },
        { "\t\r\x01"
          "1",
          "\"\\t\\015\\0011\"" },
        { "?\?=?\?\?", "\"?\\?=?\\?\\?\"" },
        { "x\xE2\x80\xAE", "\"x\\342\\200\\256\"" },
        { "ö€", "\"ö€\"" },
        { "\xE2", "\"\xE2\"" },
    };
    world w;
    world_make(&w);
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        emitter e = emitter_make(&w);
        emit_string(&e, "", sqlc_text(CASES[i].text));
        CHECK_STR(e.out.ptr, CASES[i].want);
        buf_done(&e.out);
    }
    world_done(&w);
}

static void calls_stay_below_100_columns(void)
{
    static const char *const ARGS[] = { "first_argument_name", "second_argument_name",
                                        "third_argument_name", "fourth_argument_name",
                                        "fifth_argument_name" };
    world w;
    world_make(&w);
    for (size_t head = 1; head < 90; head += 11) {
        char name[100];
        memset(name, 'f', head);
        name[head] = '\0';
        for (size_t count = 1; count <= ARRAY_LEN(ARGS); count++) {
            emitter e = emitter_make(&w);
            emit_call(&e, name, ARGS, count, " PGC_MUST_CHECK;\n");
            slice rest = buf_view(&e.out);
            while (rest.ptr != NULL) {
                slice line = slice_next(&rest, '\n');
                CHECK(line.len <= 100 || head > 76);
            }
            CHECK(strstr(e.out.ptr, ARGS[count - 1]) != NULL);
            buf_done(&e.out);
        }
    }
    world_done(&w);
}

/* A schema whose every name tries to end the comment that it stands in. */
static void hostile_names_stay_inside(void)
{
    world w;
    pgc_error err = PGC_ZERO;
    vec files = { 0 };
    world_make(&w);
    catalog_type domain = { .oid = 20010,
                            .schema = "public",
                            .name = "d*/d",
                            .spelling = "\"d*/d\"",
                            .kind = CATALOG_DOMAIN,
                            .base_oid = OID_INT4 };
    catalog_add_type(w.cat, &domain);
    add_enum(&w, MOOD_OID, "e*/e", "x\"y|*/");
    catalog_column column = { .name = "c*/c", .attnum = 1, .type_oid = 20010, .typmod = -1 };
    catalog_relation relation = { .oid = 30001,
                                  .schema = "public",
                                  .name = "t*/t",
                                  .kind = 'r',
                                  .comment = "/*/",
                                  .columns = &column,
                                  .column_count = 1 };
    column.comment = "*/";
    catalog_add_relation(w.cat, &relation);
    build(&w);
    static ir_file file = { .path = "q/*/ a.sql", .base = "a" };
    w.set.files = &file;
    w.set.file_count = 1;
    REQUIRE_OK(emit_set(&w.options, &w.set, w.bench.arena, &files, &err), &err);
    for (size_t i = 0; i < files.count; i++) {
        const char *text = VEC_AT(&files, emit_file, i)->content.ptr;
        bool inside = false; /* of a comment; literals of this set hold no marks but in strings */
        for (const char *p = text; *p != '\0'; p++) {
            bool string = *p == '"' && !inside;
            if (string) {
                for (p++; *p != '"'; p++) {
                    p += *p == '\\' ? 1 : 0;
                }
            } else if (p[0] == '/' && p[1] == '*') {
                CHECK(!inside);
                inside = true;
                p++;
            } else if (p[0] == '*' && p[1] == '/') {
                CHECK(inside);
                CHECK(p[2] == '\n');
                inside = false;
                p++;
            }
        }
        CHECK(!inside);
    }
    world_done(&w);
}

static void singulars(void)
{
    static const struct {
        const char *table, *want;
    } CASES[] = {
        { "analyses", "analysis" },
        { "crises", "crisis" },
        { "theses", "thesis" },
        { "bases", "base" },
        { "album_bases", "album_base" },
        { "us", "us" },
        { "is", "is" },
        { "s", "s" },
        { "ss", "ss" },
        { "classes", "class" },
        { "buses", "bus" },
        { "photos", "photo" },
        { "heroes", "hero" },
        { "shelves", "shelf" },
        { "curves", "curve" },
        { "olives", "olive" },
        { "prizes", "prize" },
        { "taxes", "tax" },
        { "dishes", "dish" },
        { "watches", "watch" },
        { "cities", "city" },
        { "ties", "tie" },
        { "movies", "movie" },
        { "news", "news" },
        { "Users", "User" },
        { "USERS", "USER" },
        { "user_", "user_" },
        { "", "" },
        { "bonus", "bonus" },
        { "axis", "axis" },
        { "exif_data", "exif_data" },
        { "lens_infos", "lens_info" },
    };
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        CHECK_STR(cname_singular(mem, CASES[i].table, NULL), CASES[i].want);
    }
}

/* The table of reserved words is searched in order: every word of the languages must be found. */
static void all_keywords_are_reserved(void)
{
    static const char WORDS[] =
        "alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t "
        "char16_t char32_t class compl concept const consteval constexpr constinit const_cast "
        "continue co_await co_return co_yield decltype default delete do double dynamic_cast else "
        "enum explicit export extern false float for friend goto if inline int long mutable "
        "namespace new noexcept not not_eq nullptr operator or or_eq private protected public "
        "register reinterpret_cast requires restrict return short signed sizeof static "
        "static_assert static_cast struct switch template this thread_local throw true try typedef "
        "typeid typename typeof typeof_unqual union unsigned using virtual void volatile wchar_t "
        "while xor xor_eq errno stdin stdout stderr linux unix major minor signals I assert NULL "
        "EOF min max";
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    slice rest = sqlc_text(WORDS);
    while (rest.ptr != NULL) {
        const char *word = arena_copy(mem, slice_next(&rest, ' '));
        if (!CHECK(cname_is_reserved(word))) {
            printf("# %s\n", word);
        }
        CHECK_INT(strlen(cname_safe(mem, word)), strlen(word) + 1);
        CHECK(!cname_is_reserved(cname_safe(mem, word)));
    }
    CHECK(!cname_is_reserved(""));
    CHECK(!cname_is_reserved("Int"));
    CHECK(!cname_is_reserved("zzz"));
}

static void long_names_are_refused(void)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    char *out = NULL;
    char name[5000];
    memset(name, 'x', sizeof name);
    CHECK_INT(cname_snake(mem, (slice) { name, 4000 }, &out, NULL), PGC_OK);
    CHECK_INT(strlen(out), 4000);
    out = NULL;
    CHECK_INT(cname_snake(mem, (slice) { name, sizeof name }, &out, NULL), PGC_NOMEM);
    CHECK(out == NULL);
}

TAP_MAIN(TAP("fields of a struct are distinct", fields_are_distinct),
         TAP("names without ASCII letters need a rename", columns_without_a_name_are_reported),
         TAP("renames name columns and tables", renames_give_a_name),
         TAP("constants of an enum are distinct", constants_are_distinct),
         TAP("sequences and composites are no models", only_what_can_be_read_is_a_model),
         TAP("names: the model of a view is as nullable as its definition proves",
             views_are_as_nullable_as_their_definition),
         TAP("collisions of global names are found", collisions_are_found),
         TAP("text cannot leave its comment", comments_cannot_be_left),
         TAP("literals are escaped portably", literals_are_portable),
         TAP("long calls are broken", calls_stay_below_100_columns),
         TAP("hostile names of a schema stay inside comments", hostile_names_stay_inside),
         TAP("table names become singular", singulars),
         TAP("keywords of C and C++ are reserved", all_keywords_are_reserved),
         TAP("names without end are refused", long_names_are_refused))
