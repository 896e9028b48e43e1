/* Builder and look-ups of the catalog. */
#include "base/prelude.h"

#include "sqlc/catalog.h"
#include "sqlc/keyword.h"

#include "oom.h"
#include "prove_catalog.h"
#include "tap.h"

static const char *spelled(const catalog *cat, const char *text)
{
    const catalog_type *type = catalog_type_by_spelling(cat, (slice) { text, strlen(text) });
    return type != NULL ? type->name : "none";
}

static void look_ups(void)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    catalog *cat = fixture_catalog(mem);
    REQUIRE(cat != NULL);
    const catalog_relation *users = catalog_relation_by_name(cat, NULL, "users");
    REQUIRE(users != NULL);
    CHECK_INT(users->oid, OID_USERS);
    CHECK(catalog_relation_by_oid(cat, OID_USERS) == users);
    CHECK_INT(catalog_relation_by_name(cat, "other", "users")->oid, 30005);
    CHECK(catalog_relation_by_name(cat, NULL, "nope") == NULL);
    CHECK(catalog_relation_by_name(cat, "nope", "users") == NULL);
    CHECK(catalog_relation_by_oid(cat, 1) == NULL);
    CHECK_INT(catalog_column_by_name(users, "email")->attnum, 3);
    CHECK(catalog_column_by_name(users, "nope") == NULL);
    CHECK_STR(catalog_column_by_attnum(users, 2)->name, "username");
    CHECK_STR(catalog_column_by_attnum(users, -6)->name, "tableoid");
    CHECK(catalog_column_by_attnum(users, -7) == NULL);
    CHECK(catalog_column_by_attnum(users, 4) == NULL);
    CHECK_INT(catalog_base_type(cat, OID_OWN_DOMAIN), OID_INT4);
    CHECK_INT(catalog_base_type(cat, OID_TEXT), OID_TEXT);
    size_t count = 0;
    CHECK(catalog_functions(cat, "lower", &count) != NULL);
    CHECK_INT(count, 2);
    CHECK(catalog_functions(cat, "nope", &count) == NULL);
    CHECK_INT(count, 0);
    CHECK(catalog_operators(cat, "=", &count) != NULL);
    CHECK_INT(count, 4);
    CHECK(catalog_cast_find(cat, OID_INT4, OID_TEXT) == NULL);
    CHECK_STR(catalog_search_path(cat, &count)[0], "public");
    CHECK_INT(count, 1);
    CHECK(catalog_all_relations(cat, &count) != NULL && count == 10);
    CHECK(catalog_all_types(cat, &count) != NULL && count > 20);
}

static void nearest_schema(void)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    catalog *cat = catalog_new(mem);
    REQUIRE(cat != NULL);
    catalog_add_schema(cat, "mine");
    catalog_add_schema(cat, "public");
    const catalog_relation first = { .oid = 2, .schema = "public", .name = "t" };
    const catalog_relation second = { .oid = 1, .schema = "mine", .name = "t" };
    const catalog_relation hidden = { .oid = 3, .schema = "away", .name = "t" };
    catalog_add_relation(cat, &first);
    catalog_add_relation(cat, &second);
    catalog_add_relation(cat, &hidden);
    REQUIRE_OK(catalog_finish(cat, NULL), NULL);
    CHECK_STR(catalog_relation_by_name(cat, NULL, "t")->schema, "mine");
    CHECK_STR(catalog_relation_by_name(cat, "away", "t")->schema, "away");
}

static void spellings(void)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    catalog *cat = fixture_catalog(mem);
    REQUIRE(cat != NULL);
    static const char *const pairs[][2] = {
        { "integer", "int4" },
        { "INT", "int4" },
        { "pg_catalog.int4", "int4" },
        { "bigserial", "int8" },
        { "character varying(50)", "varchar" },
        { "varchar", "varchar" },
        { "timestamp with time zone", "timestamptz" },
        { "timestamp(3)  with time zone", "timestamptz" },
        { "timestamptz", "timestamptz" },
        { "text[]", "_text" },
        { "text[][3]", "_text" },
        { "integer[]", "_int4" },
        { "_int4", "_int4" },
        { "numeric(10, 2)", "numeric" },
        { "double precision", "float8" },
        { "public.own", "own" },
        { "own", "own" },
        { "\"own\"", "own" },
        { "other.own", "none" },
        { "\"OWN\"", "none" },
        { "", "none" },
        { "text)", "none" },
        { "\"text", "none" },
        { "own[]", "none" },
    };
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        CHECK_STR(spelled(cat, pairs[i][0]), pairs[i][1]);
    }
}

static void keywords(void)
{
    static const char *const quoted[] = { "select", "order", "user", "Group", "1x",
                                          "a b",    "",      "join", "array", "\xc3\xa9" };
    static const char *const bare[] = { "name", "size", "_x", "type", "a1_b", "key" };
    for (size_t i = 0; i < ARRAY_LEN(quoted); i++) {
        CHECK(keyword_needs_quotes(quoted[i]));
    }
    for (size_t i = 0; i < ARRAY_LEN(bare); i++) {
        CHECK(!keyword_needs_quotes(bare[i]));
    }
}

static void grows(void)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    catalog *cat = catalog_new(mem);
    REQUIRE(cat != NULL);
    const catalog_relation wide = { .oid = 7, .schema = "public", .name = "wide", .kind = 'r' };
    const catalog_type mood = { .oid = 9, .schema = "public", .name = "mood", .kind = 'e' };
    catalog_add_relation(cat, &wide);
    catalog_add_type(cat, &mood);
    for (int i = 1; i <= 100; i++) {
        const catalog_column column = { .name = arena_printf(mem, "c%d", i),
                                        .attnum = (int16_t) i };
        catalog_add_column(cat, 7, &column);
        catalog_add_column(cat, 8, &column); /* no such relation */
        catalog_add_label(cat, 9, column.name);
        catalog_add_label(cat, 10, column.name);
    }
    REQUIRE_OK(catalog_finish(cat, NULL), NULL);
    const catalog_relation *relation = catalog_relation_by_oid(cat, 7);
    REQUIRE(relation != NULL);
    CHECK_INT(relation->column_count, 100);
    CHECK_STR(relation->columns[99].name, "c100");
    CHECK_STR(relation->columns[0].name, "c1");
    CHECK_INT(catalog_type_by_oid(cat, 9)->label_count, 100);
    CHECK_STR(catalog_type_by_oid(cat, 9)->labels[64], "c65");
}

static void survives_oom(void)
{
    bool complete = false;
    for (int fail_at = 1; !complete && fail_at < 300; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        arena *mem = arena_new(&alloc, 64, 0);
        complete = mem != NULL && fixture_catalog(mem) != NULL;
        arena_free(mem);
        CHECK_INT(plan.live, 0);
    }
    CHECK(complete);
}

TAP_MAIN(TAP("catalog: look-ups by OID and name", look_ups),
         TAP("catalog: the first schema of the path wins", nearest_schema),
         TAP("catalog: spellings of types", spellings),
         TAP("keyword: names that need quotes", keywords),
         TAP("catalog: columns and labels of any number", grows),
         TAP("catalog: every allocation may fail", survives_oom))
