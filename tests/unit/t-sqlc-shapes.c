/* Types made of other types, over a hand-made catalog: what has a C form, how it is called, in
 * which order it is declared, and that running out of memory is told. */
#include "base/prelude.h"

#include "sqlc/emit.h"
#include "sqlc/shapes.h"
#include "sqlc/symbols.h"

#include "oom.h"
#include "sqlc.h"
#include "tap.h"

enum {
    OID_TEXT_ARRAY = 1009,
    OID_SNAPSHOT = 5038,
    OID_INT4_MULTIRANGE = 4451,
    OID_INT4_MULTIRANGES = 6150,
    OID_MOOD = 20001,
    OID_MOODS = 20002,
    OID_HUMOUR = 20003, /* a domain over mood */
    OID_HUMOURS = 20004,
    OID_PAIR = 20005,
    OID_PAIRS = 20006,
    OID_TEXTRANGE = 20007,
    OID_TEXTRANGES = 20008,
    OID_FLOATRANGE = 20009,
    OID_LOOP = 20010,
    OID_LOOPS = 20011,
    OID_BAD = 20012,
    OID_EMPTY = 20013,
    OID_TEXTS = 20014, /* a domain over text[] */
    OID_TEXTSES = 20015,
    OID_TRIP = 20016,
    OID_PERSON = 20017,
    OID_NEST = 21000 /* composites in composites */
};
#define NESTS 20u

typedef struct world {
    sqlc_bench bench;
    config_c options;
    ir_set set;
    model_context ctx;
    bool ready;
} world;

static void add(catalog *cat, uint32_t oid, const char *name, catalog_type_kind kind,
                uint32_t detail)
{
    catalog_type type = { .oid = oid,
                          .schema = oid < CATALOG_FIRST_USER_OID ? "pg_catalog" : "public",
                          .name = name,
                          .spelling = name,
                          .kind = kind,
                          .base_typmod = -1 };
    static const char *const LABELS[] = { "sad" };
    type.labels = kind == CATALOG_ENUM ? LABELS : NULL;
    type.label_count = kind == CATALOG_ENUM ? 1 : 0;
    type.base_oid = kind == CATALOG_DOMAIN ? detail : 0;
    type.element_oid = kind == CATALOG_BASE ? detail : 0;
    type.relation_oid = kind == CATALOG_COMPOSITE ? oid + 10000 : 0;
    type.subtype_oid = kind == CATALOG_RANGE || kind == CATALOG_MULTIRANGE ? detail : 0;
    catalog_add_type(cat, &type);
}

static void add_fields(catalog *cat, uint32_t type_oid, const char *name, char kind,
                       catalog_column *columns, size_t count)
{
    const catalog_relation relation = { .oid = type_oid + 10000,
                                        .schema = "public",
                                        .name = name,
                                        .kind = kind,
                                        .columns = columns,
                                        .column_count = count };
    catalog_add_relation(cat, &relation);
}

/* The n-th of the nested composites has the one before it as its field. */
static void add_nests(catalog *cat, arena *mem)
{
    for (uint32_t i = 0; i < NESTS; i++) {
        catalog_column *column = ARENA_NEW(mem, catalog_column);
        const char *name = arena_printf(mem, "nest%02u", (unsigned) i);
        if (column == NULL || name == NULL) {
            return;
        }
        *column = (catalog_column) { .name = "inner",
                                     .attnum = 1,
                                     .type_oid =
                                         i == 0 ? (uint32_t) OID_INT4 : (uint32_t) OID_NEST + i - 1,
                                     .typmod = -1 };
        add(cat, OID_NEST + i, name, CATALOG_COMPOSITE, 0);
        add_fields(cat, OID_NEST + i, name, 'c', column, 1);
    }
}

static catalog_column PAIR[] = {
    { .name = "x", .attnum = 1, .type_oid = OID_INT4, .typmod = -1 },
    { .name = "class", .attnum = 2, .type_oid = OID_TEXT, .typmod = -1, .comment = "*/ sly" },
    { .name = "Class_", .attnum = 3, .type_oid = OID_MOODS, .typmod = -1 },
};
static catalog_column LOOP[] = {
    { .name = "more", .attnum = 1, .type_oid = OID_LOOPS, .typmod = -1 },
};
static catalog_column BAD[] = {
    { .name = "s", .attnum = 1, .type_oid = OID_SNAPSHOT, .typmod = -1 },
};
static catalog_column TRIP[] = {
    { .name = "pairs", .attnum = 1, .type_oid = OID_PAIRS, .typmod = -1 },
    { .name = "span", .attnum = 2, .type_oid = OID_TEXTRANGE, .typmod = -1 },
};
static catalog_column PERSON[] = {
    { .name = "id", .attnum = 1, .type_oid = OID_INT8, .typmod = -1, .not_null = true },
    { .name = "trip", .attnum = 2, .type_oid = OID_TRIP, .typmod = -1 },
};

static catalog *make_catalog(arena *mem)
{
    catalog *cat = catalog_new(mem);
    if (cat == NULL) {
        return NULL;
    }
    catalog_add_schema(cat, "public");
    add(cat, OID_INT8, "int8", CATALOG_BASE, 0);
    add(cat, OID_INT4, "int4", CATALOG_BASE, 0);
    add(cat, OID_TEXT, "text", CATALOG_BASE, 0);
    add(cat, OID_FLOAT8, "float8", CATALOG_BASE, 0);
    add(cat, OID_TEXT_ARRAY, "_text", CATALOG_BASE, OID_TEXT);
    add(cat, OID_SNAPSHOT, "pg_snapshot", CATALOG_BASE, 0);
    add(cat, OID_INT4_MULTIRANGE, "int4multirange", CATALOG_MULTIRANGE, 3904);
    add(cat, OID_INT4_MULTIRANGES, "_int4multirange", CATALOG_BASE, OID_INT4_MULTIRANGE);
    add(cat, OID_MOOD, "mood", CATALOG_ENUM, 0);
    add(cat, OID_MOODS, "_mood", CATALOG_BASE, OID_MOOD);
    add(cat, OID_HUMOUR, "humour", CATALOG_DOMAIN, OID_MOOD);
    add(cat, OID_HUMOURS, "_humour", CATALOG_BASE, OID_HUMOUR);
    add(cat, OID_PAIR, "pair", CATALOG_COMPOSITE, 0);
    add_fields(cat, OID_PAIR, "pair", 'c', PAIR, ARRAY_LEN(PAIR));
    add(cat, OID_PAIRS, "_pair", CATALOG_BASE, OID_PAIR);
    add(cat, OID_TEXTRANGE, "textrange", CATALOG_RANGE, OID_TEXT);
    add(cat, OID_TEXTRANGES, "textmultirange", CATALOG_MULTIRANGE, OID_TEXTRANGE);
    add(cat, OID_FLOATRANGE, "floatrange", CATALOG_RANGE, OID_FLOAT8);
    add(cat, OID_LOOP, "loop", CATALOG_COMPOSITE, 0);
    add_fields(cat, OID_LOOP, "loop", 'c', LOOP, ARRAY_LEN(LOOP));
    add(cat, OID_LOOPS, "_loop", CATALOG_BASE, OID_LOOP);
    add(cat, OID_BAD, "bad", CATALOG_COMPOSITE, 0);
    add_fields(cat, OID_BAD, "bad", 'c', BAD, ARRAY_LEN(BAD));
    add(cat, OID_EMPTY, "empty", CATALOG_COMPOSITE, 0);
    add_fields(cat, OID_EMPTY, "empty", 'c', NULL, 0);
    add(cat, OID_TEXTS, "texts", CATALOG_DOMAIN, OID_TEXT_ARRAY);
    add(cat, OID_TEXTSES, "_texts", CATALOG_BASE, OID_TEXTS);
    add(cat, OID_TRIP, "trip", CATALOG_COMPOSITE, 0);
    add_fields(cat, OID_TRIP, "trip", 'c', TRIP, ARRAY_LEN(TRIP));
    add(cat, OID_PERSON, "person", CATALOG_COMPOSITE, 0);
    add_fields(cat, OID_PERSON, "person", 'r', PERSON, ARRAY_LEN(PERSON));
    add_nests(cat, mem);
    return catalog_finish(cat, NULL) == PGC_OK ? cat : NULL;
}

static void world_make(world *w, const pgc_alloc *alloc)
{
    *w = (world) { .bench = sqlc_bench_make(alloc) };
    w->options = (config_c) { .prefix = "lib", .manifest = "m.json", .omit_sqlc_version = true };
    w->set = (ir_set) { .prefix = "lib", .schema_hash = "00" };
    w->ctx = (model_context) { .arena = w->bench.arena,
                               .options = &w->options,
                               .diags = &w->bench.diags,
                               .config_path = "sqlc.yaml",
                               .line = 1,
                               .column = 1,
                               .set = &w->set };
    w->ctx.cat = w->bench.arena == NULL ? NULL : make_catalog(w->bench.arena);
    w->ready = w->ctx.cat != NULL;
}

static void types_have_their_c_form(void)
{
    static const struct {
        uint32_t oid;
        const char *type, *opt_type; /* NULL: none */
    } CASES[] = {
        { OID_PAIR, "lib_pair", "lib_opt_pair" },
        { OID_PAIRS, "lib_arr_pair", "lib_arr_pair" },
        { OID_MOODS, "lib_arr_mood", "lib_arr_mood" },
        { OID_HUMOURS, "lib_arr_mood", "lib_arr_mood" }, /* the same as without the domain */
        { OID_TEXTRANGE, "lib_textrange", "lib_textrange" },
        { OID_TEXTRANGES, "lib_textmultirange", "lib_textmultirange" },
        { OID_FLOATRANGE, "pgc_range_f64", "pgc_range_f64" }, /* the runtime's own */
        { OID_INT4_MULTIRANGES, "lib_arr_int4multirange", "lib_arr_int4multirange" },
        { OID_TEXTSES, "lib_arr_texts", "lib_arr_texts" },
        { OID_PERSON, "lib_person_record", "lib_opt_person_record" }, /* not the model */
        { OID_TRIP, "lib_trip", "lib_opt_trip" },
        { OID_LOOP, NULL, NULL },
        { OID_LOOPS, NULL, NULL },
        { OID_BAD, NULL, NULL },
        { OID_EMPTY, NULL, NULL },
        { OID_SNAPSHOT, NULL, NULL },
        { OID_NEST + 14, "lib_nest14", "lib_opt_nest14" },
        { OID_NEST + 15, NULL, NULL }, /* deeper than the runtime goes */
    };
    world w;
    world_make(&w, NULL);
    REQUIRE(w.ready);
    REQUIRE_OK(model_build(&w.ctx, NULL), NULL);
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        ir_type type;
        bool found = model_type(&w.ctx, CASES[i].oid, &type);
        CHECK_INT(found, CASES[i].type != NULL);
        if (found && CASES[i].type != NULL) {
            CHECK_STR(type.c->type, CASES[i].type);
            CHECK_STR(type.c->opt_type, CASES[i].opt_type);
        }
    }
    CHECK(!w.set.nomem);
    sqlc_bench_done(&w.bench);
}

/* C wants members declared first; among equals the name decides. */
static void members_stand_in_front(void)
{
    static const uint32_t ORDERS[][4] = {
        { OID_TRIP, OID_PAIR, OID_MOODS, OID_TEXTRANGE },
        { OID_TEXTRANGE, OID_MOODS, OID_PAIR, OID_TRIP },
    };
    for (size_t i = 0; i < ARRAY_LEN(ORDERS); i++) {
        world w;
        const char *names = "";
        world_make(&w, NULL);
        REQUIRE(w.ready);
        w.set.enums = NULL;
        REQUIRE_OK(model_build(&w.ctx, NULL), NULL);
        w.set.shapes.count = 0; /* forget those of the tables */
        for (size_t k = 0; k < ARRAY_LEN(ORDERS[i]); k++) {
            ir_type type;
            CHECK(model_type(&w.ctx, ORDERS[i][k], &type));
        }
        shapes_sort(&w.set);
        for (size_t k = 0; k < w.set.shapes.count; k++) {
            names = arena_printf(w.bench.arena, "%s %s", names,
                                 (*VEC_AT(&w.set.shapes, ir_shape *, k))->name);
        }
        CHECK_STR(names, " lib_arr_mood lib_textrange lib_pair lib_arr_pair lib_trip");
        sqlc_bench_done(&w.bench);
    }
}

static void fields_have_names_of_their_own(void)
{
    world w;
    ir_type type;
    world_make(&w, NULL);
    REQUIRE(w.ready);
    REQUIRE_OK(model_build(&w.ctx, NULL), NULL);
    REQUIRE(model_type(&w.ctx, OID_PAIR, &type));
    REQUIRE(type.shape->field_count == 3);
    CHECK_STR(type.shape->fields[0].name, "x");
    CHECK_STR(type.shape->fields[1].name, "class_");
    CHECK_STR(type.shape->fields[2].name, "class_2");
    CHECK(type.shape->fields[0].nullable);
    sqlc_bench_done(&w.bench);
}

static void names_may_collide(void)
{
    world w;
    ir_type type;
    world_make(&w, NULL);
    REQUIRE(w.ready);
    REQUIRE_OK(model_build(&w.ctx, NULL), NULL);
    REQUIRE(model_type(&w.ctx, OID_PAIR, &type));
    w.set.queries = ARENA_ARRAY(w.bench.arena, 1, ir_query);
    w.set.queries[0] = (ir_query) {
        .name = "PairAdd", .c_name = "pair_add", .cmd = QUERY_EXEC, .file = "q.sql", .line = 3
    };
    w.set.query_count = 1;
    REQUIRE_OK(symbols_check(&w.ctx, NULL), NULL);
    CHECK_STR(sqlc_diags(&w.bench),
              "q.sql:3:1: query PairAdd and type pair both give the C name \"lib_pair_add\"");
    sqlc_bench_done(&w.bench);
}

/* Text of models.h and models.c for the one table of this world. */
static pgc_status emit(world *w, vec *files)
{
    TRY(model_build(&w->ctx, NULL));
    shapes_sort(&w->set);
    return emit_set(&w->options, &w->set, w->bench.arena, files, NULL);
}

static void text_has_what_the_table_needs(void)
{
    world w;
    vec files = { 0 };
    world_make(&w, NULL);
    REQUIRE(w.ready);
    REQUIRE_OK(emit(&w, &files), NULL);
    REQUIRE(files.count == 2);
    const char *header = VEC_AT(&files, emit_file, 0)->content.ptr;
    const char *source = VEC_AT(&files, emit_file, 1)->content.ptr;
    static const char *const WANTED[] = {
        "typedef struct lib_pair {\n    pgc_opt_i32 x; /**< int4; nullable */\n",
        "    pgc_text class_; /**< text; nullable. * / sly */\n",
        "    lib_arr_mood class_2; /**< _mood; nullable */\n} lib_pair;\n",
        "typedef struct lib_opt_trip {\n    bool has;\n    lib_trip v;\n} lib_opt_trip;\n",
        "    pgc_text lower, upper;\n} lib_textrange;\n",
        "    const lib_mood *v;\n    const uint8_t *nulls;",
        "    lib_opt_trip trip; /**< trip; nullable */\n} lib_person;\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(WANTED); i++) {
        if (!CHECK(strstr(header, WANTED[i]) != NULL)) {
            printf("# %s\n", WANTED[i]);
        }
    }
    CHECK(strstr(header, "lib_arr_mood {") < strstr(header, "lib_pair {"));
    CHECK(strstr(source, "pgc_add_array_begin(args, UINT32_C(4294967295)") != NULL);
    CHECK(strstr(source, "    { \"class\", \"text\", 25 },\n    { \"Class_\", \"_mood\", 0 },\n") !=
          NULL);
    CHECK(strstr(header, "lib_loop") == NULL && strstr(header, "lib_bad") == NULL);
    sqlc_bench_done(&w.bench);
}

static void what_no_query_uses_is_left_out(void)
{
    world w;
    vec files = { 0 };
    world_make(&w, NULL);
    REQUIRE(w.ready);
    w.options.omit_unused_structs = true;
    REQUIRE_OK(emit(&w, &files), NULL);
    CHECK(strstr(VEC_AT(&files, emit_file, 0)->content.ptr, "lib_pair") == NULL);
    sqlc_bench_done(&w.bench);
}

static void survives_failed_allocations(void)
{
    bool complete = false;
    for (int fail_at = 1; !complete && fail_at < 2000; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        world w;
        vec files = { 0 };
        world_make(&w, &alloc);
        if (w.ready) {
            pgc_status status = emit(&w, &files);
            CHECK(status == PGC_OK || status == PGC_NOMEM);
            complete = status == PGC_OK;
        }
        sqlc_bench_done(&w.bench);
        CHECK_INT(plan.live, 0);
    }
    CHECK(complete);
}

TAP_MAIN(TAP("shapes: types have their C form", types_have_their_c_form),
         TAP("shapes: members stand in front", members_stand_in_front),
         TAP("shapes: fields have names of their own", fields_have_names_of_their_own),
         TAP("shapes: names may collide", names_may_collide),
         TAP("shapes: the text has what the table needs", text_has_what_the_table_needs),
         TAP("shapes: what no query uses is left out", what_no_query_uses_is_left_out),
         TAP("shapes: failed allocations are reported", survives_failed_allocations))
