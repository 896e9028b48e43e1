/* The catalog read from a server: types of every kind, columns, comments, views, functions,
 * operators, casts, and what the server knows but must not be believed. */
#include "base/prelude.h"

#include <pgc/conn.h>

#include "sqlc/catalog.h"

#include "live.h"
#include "oom.h"
#include "tap.h"

static const char *const SCHEMA[] = {
    "CREATE SCHEMA shop",
    "CREATE SCHEMA \"Odd \"\"Schema\"",
    "CREATE TYPE mood AS ENUM ('sad', 'ok')",
    "ALTER TYPE mood ADD VALUE 'meh' BEFORE 'ok'",
    "ALTER TYPE mood ADD VALUE 'a ''quoted'' \"label\"' AFTER 'ok'",
    "COMMENT ON TYPE mood IS 'How it */ feels'",
    "CREATE TYPE shop.mood AS ENUM ('open')",
    "CREATE TYPE nothing AS ENUM ()",
    "CREATE DOMAIN positive AS int CHECK (VALUE > 0)",
    "CREATE DOMAIN surely AS positive NOT NULL",
    "CREATE DOMAIN code AS varchar(8) DEFAULT 'x'",
    "COMMENT ON DOMAIN code IS 'Short'",
    "CREATE TYPE pair AS (x int, \"Y y\" text[])",
    "CREATE TYPE span AS RANGE (subtype = float8, multirange_type_name = spans)",
    "CREATE TABLE people (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, "
    "gone int, age surely, feels mood NOT NULL DEFAULT 'ok', tags text[] NOT NULL, "
    "price numeric(10,2), code varchar(20), twice int GENERATED ALWAYS AS (gone * 2) STORED, "
    "duo pair, \"Odd Name\" int, flags bit(3))",
    "COMMENT ON TABLE people IS 'All of them'",
    "COMMENT ON COLUMN people.name IS 'As ''spoken'''",
    "ALTER TABLE people ADD COLUMN dropped int",
    "ALTER TABLE people DROP COLUMN dropped",
    "ALTER TABLE people ADD COLUMN late uuid",
    "CREATE TABLE shop.people (id int NOT NULL)",
    "CREATE TABLE \"Odd \"\"Schema\".\"Odd \"\"Table\" (\"a\"\"b\" int NOT NULL)",
    "CREATE VIEW adults AS SELECT id, name FROM people WHERE age > 17",
    "COMMENT ON VIEW adults IS 'Grown up'",
    "CREATE MATERIALIZED VIEW names AS SELECT DISTINCT name FROM people",
    "CREATE VIEW shop.pairs AS SELECT p.id, s.id AS other FROM public.people p, shop.people s",
    "CREATE TABLE parent (a int NOT NULL, b int NOT NULL)",
    "CREATE TABLE child () INHERITS (parent)",
    "CREATE TABLE grandchild () INHERITS (child)",
    "ALTER TABLE grandchild ALTER b DROP NOT NULL",
    "CREATE TABLE parts (k int NOT NULL, v int NOT NULL) PARTITION BY LIST (k)",
    "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1)",
    "CREATE TABLE guarded (id int NOT NULL)",
    "ALTER TABLE guarded ENABLE ROW LEVEL SECURITY",
    "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TABLE watched (id int)",
    "CREATE TRIGGER w BEFORE UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION keep()",
    "CREATE TABLE after_watched (id int)",
    "CREATE TRIGGER w AFTER UPDATE ON after_watched FOR EACH ROW EXECUTE FUNCTION keep()",
    "CREATE TABLE insert_watched (id int)",
    "CREATE TRIGGER w BEFORE INSERT ON insert_watched FOR EACH ROW EXECUTE FUNCTION keep()",
    "CREATE TRIGGER w BEFORE UPDATE ON parts_1 FOR EACH ROW EXECUTE FUNCTION keep()",
    "CREATE TABLE ruled (id int)",
    "CREATE RULE r AS ON UPDATE TO ruled DO INSTEAD NOTHING",
    "CREATE TRIGGER i INSTEAD OF INSERT ON adults FOR EACH ROW EXECUTE FUNCTION keep()",
    "CREATE FUNCTION add_them(a int, b int DEFAULT 1) RETURNS int STRICT LANGUAGE sql AS 'SELECT "
    "1'",
    "CREATE FUNCTION add_them(text) RETURNS text LANGUAGE sql AS 'SELECT $1'",
    "CREATE FUNCTION shop.add_them() RETURNS void LANGUAGE sql AS ''",
    "CREATE FUNCTION outs(IN a int, OUT b int, INOUT c text, VARIADIC d int[]) LANGUAGE sql AS "
    "'SELECT 1, $2'",
    "CREATE FUNCTION table_of(n int) RETURNS TABLE (k int, v text) LANGUAGE sql AS 'SELECT 1, "
    "''x'''",
    "CREATE FUNCTION set_of() RETURNS SETOF people LANGUAGE sql AS 'SELECT * FROM people'",
    "CREATE PROCEDURE proc(int) LANGUAGE sql AS ''",
    "CREATE AGGREGATE own_sum(int) (SFUNC = int4pl, STYPE = int)",
    "CREATE FUNCTION same(pair, pair) RETURNS bool LANGUAGE sql AS 'SELECT true'",
    "CREATE OPERATOR === (LEFTARG = pair, RIGHTARG = pair, FUNCTION = same)",
    "CREATE CAST (mood AS positive) WITH INOUT",
};

static arena *memory;
static const catalog *cat;

static bool ready(void)
{
    pgc_conn *conn = NULL;
    pgc_error err = PGC_ZERO;
    catalog *loaded = NULL;
    static bool tried;
    if (tried) {
        return cat != NULL;
    }
    tried = true;
    const char *url = test_db_create();
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = url };
    memory = arena_new(NULL, 0, 0);
    bool ok = url != NULL && memory != NULL &&
              CHECK_STATUS(pgc_conn_open(&options, &conn, &err), PGC_OK, &err);
    for (size_t i = 0; ok && i < ARRAY_LEN(SCHEMA); i++) {
        ok = CHECK_STATUS(pgc_conn_script(conn, SCHEMA[i], 0, NULL, &err), PGC_OK, &err);
    }
    ok = ok && CHECK_STATUS(catalog_load(conn, memory, &loaded, &err), PGC_OK, &err);
    pgc_conn_close(conn);
    cat = ok ? loaded : NULL;
    return ok;
}

static const catalog_type *type_named(const char *schema, const char *name)
{
    static const catalog_type none = { .name = "none", .schema = "", .spelling = "" };
    const catalog_type *type = catalog_type_by_name(cat, schema, name);
    return type != NULL ? type : &none;
}

static void enums(void)
{
    REQUIRE(ready());
    const catalog_type *mood = type_named(NULL, "mood");
    CHECK_INT(mood->kind, CATALOG_ENUM);
    CHECK_STR(mood->schema, "public");
    CHECK_STR(mood->comment, "How it */ feels");
    REQUIRE(mood->label_count == 4);
    CHECK_STR(mood->labels[0], "sad");
    CHECK_STR(mood->labels[1], "meh");
    CHECK_STR(mood->labels[2], "ok");
    CHECK_STR(mood->labels[3], "a 'quoted' \"label\"");
    const catalog_type *other = type_named("shop", "mood");
    CHECK_STR(other->spelling, "shop.mood");
    REQUIRE(other->label_count == 1);
    CHECK_STR(other->labels[0], "open");
    CHECK(other->comment == NULL);
    CHECK_INT(type_named(NULL, "nothing")->label_count, 0);
    const catalog_type *array = catalog_type_by_oid(cat, mood->array_oid);
    REQUIRE(array != NULL);
    CHECK_STR(array->spelling, "mood[]");
    CHECK_INT(array->element_oid, mood->oid);
}

static void domains(void)
{
    REQUIRE(ready());
    const catalog_type *positive = type_named(NULL, "positive");
    const catalog_type *surely = type_named(NULL, "surely");
    const catalog_type *code = type_named(NULL, "code");
    CHECK_INT(positive->kind, CATALOG_DOMAIN);
    CHECK_INT(positive->base_oid, OID_INT4);
    CHECK(!positive->not_null);
    CHECK(surely->not_null);
    CHECK_INT(surely->base_oid, positive->oid);
    CHECK_INT(catalog_base_type(cat, surely->oid), OID_INT4);
    CHECK_INT(code->base_oid, OID_VARCHAR);
    CHECK_INT(code->base_typmod, 8 + 4);
    CHECK_INT(positive->base_typmod, -1);
    CHECK_STR(code->comment, "Short");
}

static void other_kinds(void)
{
    REQUIRE(ready());
    const catalog_type *pair = type_named(NULL, "pair");
    CHECK_INT(pair->kind, CATALOG_COMPOSITE);
    const catalog_relation *row = catalog_relation_by_oid(cat, pair->relation_oid);
    REQUIRE(row != NULL && row->column_count == 2);
    CHECK_INT(row->kind, 'c');
    CHECK_INT(row->type_oid, pair->oid);
    CHECK_STR(row->columns[1].name, "Y y");
    CHECK_INT(type_named(NULL, "span")->kind, CATALOG_RANGE);
    CHECK_INT(type_named(NULL, "spans")->kind, CATALOG_MULTIRANGE);
    const catalog_type *people = type_named("public", "people");
    CHECK_INT(people->kind, CATALOG_COMPOSITE);
    CHECK_INT(type_named(NULL, "int4")->kind, CATALOG_BASE);
    CHECK_INT(type_named(NULL, "record")->kind, CATALOG_PSEUDO);
    CHECK(type_named(NULL, "text")->preferred);
    CHECK_INT(type_named(NULL, "text")->category, 'S');
    CHECK(type_named(NULL, "int4")->has_send);
    CHECK(!type_named(NULL, "aclitem")->has_send);
    /* Subscripts of a fixed size make no array. */
    CHECK_INT(type_named(NULL, "point")->element_oid, 0);
    CHECK_INT(type_named(NULL, "name")->element_oid, 0);
    CHECK_INT(type_named(NULL, "_int4")->element_oid, OID_INT4);
    CHECK(type_named(NULL, "int2vector")->element_oid != 0);
}

static void spellings(void)
{
    static const struct {
        const char *text, *want; /* schema.name */
    } CASES[] = {
        { "int", "pg_catalog.int4" },
        { "INTEGER", "pg_catalog.int4" },
        { "int4[]", "pg_catalog._int4" },
        { "integer[][]", "pg_catalog._int4" },
        { "bigint[3]", "pg_catalog._int8" },
        { "character varying(20)", "pg_catalog.varchar" },
        { "varchar(20)[]", "pg_catalog._varchar" },
        { "pg_catalog.varchar", "pg_catalog.varchar" },
        { "pg_catalog.integer", "pg_catalog.int4" },
        { "timestamp(3) with time zone", "pg_catalog.timestamptz" },
        { "timestamp without time zone", "pg_catalog.timestamp" },
        { "time with time zone", "pg_catalog.timetz" },
        { "double  precision", "pg_catalog.float8" },
        { "\"char\"", "pg_catalog.char" },
        { "char(3)", "pg_catalog.bpchar" },
        { "bit varying(3)", "pg_catalog.varbit" },
        { "numeric(10, 2)", "pg_catalog.numeric" },
        { "mood", "public.mood" },
        { "MOOD", "public.mood" },
        { "\"MOOD\"", "none" },
        { "shop.mood", "shop.mood" },
        { "shop.mood[]", "shop._mood" },
        { "public.mood", "public.mood" },
        { "nope.mood", "none" },
        { "serial", "pg_catalog.int4" },
        { "bigserial", "pg_catalog.int8" },
        { "pair", "public.pair" },
        { "people", "public.people" },
        { "", "none" },
        { "()", "none" },
        { "int(", "none" },
        { "\"int", "none" },
        { "]", "none" },
        { "int]", "none" },
        { "int[", "none" },
        { "int[] x", "none" },
        { "int)", "none" },
        { "\"Odd \"\"Schema\".\"Odd \"\"Table\"", "Odd \"Schema.Odd \"Table" },
        { "\"shop.mood\"", "none" },
        { "\"shop\".mood [ ] [3]", "shop._mood" },
        { " int ", "pg_catalog.int4" },
    };
    REQUIRE(ready());
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        const catalog_type *type =
            catalog_type_by_spelling(cat, (slice) { CASES[i].text, strlen(CASES[i].text) });
        char got[160];
        (void) snprintf(got, sizeof got, "%s%s%s", type == NULL ? "none" : type->schema,
                        type == NULL ? "" : ".", type == NULL ? "" : type->name);
        CHECK_STR(got, CASES[i].want);
        if (strcmp(got, CASES[i].want) != 0) {
            printf("# in: %s\n", CASES[i].text);
        }
    }
}

/* What format_type() gives for a type leads back to it: manifests name types like that. */
static void spellings_lead_back(void)
{
    REQUIRE(ready());
    size_t count = 0;
    size_t lost = 0;
    const catalog_type *types = catalog_all_types(cat, &count);
    CHECK(count > 400);
    for (size_t i = 0; i < count; i++) {
        const catalog_type *back =
            catalog_type_by_spelling(cat, (slice) { types[i].spelling, strlen(types[i].spelling) });
        bool same = back != NULL && (back->oid == types[i].oid || back->element_oid != 0);
        if (!same) {
            printf("# %s (%s.%s)\n", types[i].spelling, types[i].schema, types[i].name);
            lost++;
        }
    }
    CHECK_INT(lost, 0);
}

/* name:typename:flags of a column; N not null, n by domain only, D default, I identity, G
 * generated.
 */
static const char *column_text(const catalog_column *c, char *text, size_t size)
{
    const catalog_type *type = catalog_type_by_oid(cat, c->type_oid);
    (void) snprintf(text, size, "%s:%s:%s%s%s%s%s%s", c->name, type == NULL ? "?" : type->name,
                    c->not_null ? "N" : "", c->domain_not_null ? "n" : "",
                    c->has_default ? "D" : "", c->identity ? "I" : "", c->generated ? "G" : "",
                    c->comment == NULL ? "" : "C");
    return text;
}

static void columns(void)
{
    static const char *const WANT[] = {
        "id:int8:NDI",    "name:text:NC",   "gone:int4:",    "age:surely:n", "feels:mood:ND",
        "tags:_text:N",   "price:numeric:", "code:varchar:", "twice:int4:G", "duo:pair:",
        "Odd Name:int4:", "flags:bit:",     "late:uuid:"
    };
    REQUIRE(ready());
    const catalog_relation *people = catalog_relation_by_name(cat, NULL, "people");
    REQUIRE(people != NULL);
    CHECK_STR(people->schema, "public");
    CHECK_STR(people->comment, "All of them");
    REQUIRE(people->column_count == ARRAY_LEN(WANT));
    for (size_t i = 0; i < ARRAY_LEN(WANT); i++) {
        char text[100];
        CHECK_STR(column_text(&people->columns[i], text, sizeof text), WANT[i]);
    }
    CHECK_STR(people->columns[1].comment, "As 'spoken'");
    CHECK_INT(people->columns[6].typmod, ((10 << 16) | 2) + 4);
    CHECK_INT(people->columns[7].typmod, 24);
    CHECK_INT(people->columns[12].attnum, 14); /* the dropped one keeps its number */
    CHECK(catalog_column_by_attnum(people, 13) == NULL);
    CHECK(catalog_column_by_name(people, "dropped") == NULL);
    CHECK(catalog_column_by_attnum(people, 14) == &people->columns[12]);
    CHECK_INT(catalog_relation_by_name(cat, "shop", "people")->column_count, 1);
    const catalog_relation *odd = catalog_relation_by_name(cat, "Odd \"Schema", "Odd \"Table");
    REQUIRE(odd != NULL);
    CHECK_STR(odd->columns[0].name, "a\"b");
    CHECK(catalog_relation_by_name(cat, NULL, "Odd \"Table") == NULL);
}

static bool not_null_of(const char *table, const char *column)
{
    const catalog_relation *relation = catalog_relation_by_name(cat, NULL, table);
    const catalog_column *c = relation == NULL ? NULL : catalog_column_by_name(relation, column);
    return c != NULL && c->not_null;
}

/* NOT NULL counts where all rows that a query sees obey it. */
static void not_null_is_enforced(void)
{
    REQUIRE(ready());
    CHECK(not_null_of("parent", "a"));
    CHECK(!not_null_of("parent", "b")); /* a grandchild dropped it */
    CHECK(!not_null_of("child", "b"));
    CHECK(!not_null_of("grandchild", "b"));
    CHECK(not_null_of("grandchild", "a"));
    CHECK(not_null_of("parts", "v"));
    CHECK(!not_null_of("adults", "id")); /* views have no constraints */
    CHECK(!not_null_of("names", "name"));
    CHECK(!not_null_of("people", "age")); /* a domain's NOT NULL is not enforced everywhere */
}

static void relation_flags(void)
{
    static const struct {
        const char *name;
        char kind;
        bool policies, rules, trigger;
    } CASES[] = {
        { "people", 'r', false, false, false },
        { "guarded", 'r', true, false, false },
        { "watched", 'r', false, false, true },
        { "after_watched", 'r', false, false, false },
        { "parts", 'p', false, false, true },
        { "parts_1", 'r', false, false, true },
        { "ruled", 'r', false, true, false },
        { "adults", 'v', false, true, false },
        { "names", 'm', false, false, false },
        { "insert_watched", 'r', false, false, true },
        { "people_id_seq", 'S', false, false, false },
    };
    REQUIRE(ready());
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        const catalog_relation *r = catalog_relation_by_name(cat, NULL, CASES[i].name);
        if (!CHECK(r != NULL)) {
            printf("# %s\n", CASES[i].name);
            continue;
        }
        CHECK_INT(r->kind, CASES[i].kind);
        CHECK_INT(r->has_policies, CASES[i].policies);
        CHECK_INT(r->has_rules, CASES[i].rules);
        if (r->has_update_trigger != CASES[i].trigger) {
            printf("# %s\n", CASES[i].name);
        }
        CHECK_INT(r->has_update_trigger, CASES[i].trigger);
    }
}

static void views_name_everything_in_full(void)
{
    REQUIRE(ready());
    const catalog_relation *adults = catalog_relation_by_name(cat, NULL, "adults");
    REQUIRE(adults != NULL && adults->view_sql != NULL);
    CHECK_STR(adults->comment, "Grown up");
    CHECK(strstr(adults->view_sql, "FROM public.people") != NULL);
    const catalog_relation *both = catalog_relation_by_name(cat, "shop", "pairs");
    REQUIRE(both != NULL && both->view_sql != NULL);
    CHECK(strstr(both->view_sql, "public.people p") != NULL);
    CHECK(strstr(both->view_sql, "shop.people s") != NULL);
    CHECK(catalog_relation_by_name(cat, NULL, "names")->view_sql != NULL);
    CHECK(catalog_relation_by_name(cat, NULL, "people")->view_sql == NULL);
    const catalog_relation *server = catalog_relation_by_name(cat, "pg_catalog", "pg_tables");
    REQUIRE(server != NULL);
    CHECK_INT(server->kind, 'v');
    CHECK(server->view_sql == NULL);
}

/* One overload as text: (arguments)->result flags. */
static void function_text(const catalog_function *f, char *text, size_t size)
{
    int n = snprintf(text, size, "%s(", f->schema);
    for (size_t i = 0; i < f->arg_count && n > 0 && (size_t) n < size; i++) {
        const catalog_type *type = catalog_type_by_oid(cat, f->arg_oids[i]);
        const char *name = f->arg_names != NULL ? f->arg_names[i] : NULL;
        n += snprintf(text + n, size - (size_t) n, "%s%s:%s", i == 0 ? "" : " ",
                      name == NULL ? "" : name, type == NULL ? "?" : type->name);
    }
    const catalog_type *result = catalog_type_by_oid(cat, f->result_oid);
    n += snprintf(text + n, size - (size_t) n, ")%s %c%s%s d%zu v%d",
                  result == NULL ? "?" : result->name, f->kind, f->strict ? "s" : "",
                  f->returns_set ? "r" : "", f->default_count, f->variadic_oid != 0);
    for (size_t i = 0; i < f->out_count && n > 0 && (size_t) n < size; i++) {
        const catalog_type *type = catalog_type_by_oid(cat, f->out_oids[i]);
        n += snprintf(text + n, size - (size_t) n, " %s:%s", f->out_names[i],
                      type == NULL ? "?" : type->name);
    }
}

static void functions(void)
{
    static const struct {
        const char *name, *want[3];
    } CASES[] = {
        { "add_them",
          { "public(a:int4 b:int4)int4 fs d1 v0", "public(:text)text f d0 v0",
            "shop()void f d0 v0" } },
        { "outs", { "public(a:int4 c:text d:_int4)record f d0 v1 b:int4 c:text", NULL, NULL } },
        { "table_of", { "public(n:int4)record fr d0 v0 k:int4 v:text", NULL, NULL } },
        { "set_of", { "public()people fr d0 v0", NULL, NULL } },
        { "proc", { "public(:int4)void p d0 v0", NULL, NULL } },
        { "own_sum", { "public(:int4)int4 a d0 v0", NULL, NULL } },
        { "row_number", { "pg_catalog()int8 w d0 v0", NULL, NULL } },
    };
    REQUIRE(ready());
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        size_t count = 0;
        const catalog_function *f = catalog_functions(cat, CASES[i].name, &count);
        for (size_t k = 0; k < 3 && CASES[i].want[k] != NULL; k++) {
            char text[400] = "none";
            if (k < count) {
                function_text(&f[k], text, sizeof text);
            }
            CHECK_STR(text, CASES[i].want[k]);
        }
        CHECK(count == 1 || CASES[i].want[1] != NULL);
    }
    size_t count = 0;
    CHECK(catalog_functions(cat, "no_such_function", &count) == NULL);
    CHECK(catalog_functions(cat, "", &count) == NULL);
    CHECK(catalog_functions(cat, "zzzz", &count) == NULL);
}

static void operators_and_casts(void)
{
    REQUIRE(ready());
    size_t count = 0;
    const catalog_operator *own = catalog_operators(cat, "===", &count);
    REQUIRE(own != NULL && count == 1);
    CHECK_INT(own->left_oid, type_named(NULL, "pair")->oid);
    CHECK_INT(own->result_oid, OID_BOOL);
    CHECK(own->oid >= CATALOG_FIRST_USER_OID);
    const catalog_operator *prefix = catalog_operators(cat, "-", &count);
    bool unary = false;
    for (size_t i = 0; i < count; i++) {
        unary = unary || (prefix[i].left_oid == 0 && prefix[i].right_oid == OID_INT4);
    }
    CHECK(unary);
    const catalog_cast *cast = catalog_cast_find(cat, OID_INT4, OID_INT8);
    REQUIRE(cast != NULL);
    CHECK(cast->implicit);
    CHECK(cast->with_function);
    CHECK(cast->strict);
    cast = catalog_cast_find(cat, OID_INT8, OID_INT4);
    REQUIRE(cast != NULL);
    CHECK(!cast->implicit);
    cast = catalog_cast_find(cat, OID_VARCHAR, OID_TEXT);
    REQUIRE(cast != NULL);
    CHECK(!cast->with_function);
    CHECK(cast->strict);
    CHECK(catalog_cast_find(cat, OID_JSON, OID_INT4) == NULL);
    CHECK(catalog_casts_to(cat, OID_TEXT, &count) != NULL && count > 3);
    CHECK(catalog_casts_to(cat, 1, &count) == NULL && count == 0);
}

static void search_path_is_that_of_the_session(void)
{
    pgc_error err = PGC_ZERO;
    catalog *mine = NULL;
    char text[100];
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    LIVE(conn);
    REQUIRE(live_do(conn, "BEGIN; CREATE SCHEMA IF NOT EXISTS cq_path_a; COMMIT"));
    REQUIRE(live_do(conn, "SET search_path = cq_path_a, no_such_schema, public"));
    REQUIRE_OK(catalog_load(conn, mem, &mine, &err), &err);
    size_t count = 0;
    const char *const *path = catalog_search_path(mine, &count);
    REQUIRE(count == 2);
    CHECK_STR(path[0], "cq_path_a");
    CHECK_STR(path[1], "public");
    CHECK_STR(live_text(conn, "SHOW search_path", text, sizeof text),
              "cq_path_a, no_such_schema, public");
    CHECK(live_do(conn, "DROP SCHEMA cq_path_a"));
}

static void survives_failed_allocations(void)
{
    LIVE(conn);
    bool complete = false;
    /* Every allocation of the arena is a block; a failed one ends the load at once. */
    for (int fail_at = 1; !complete && fail_at < 400; fail_at += 7) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        arena *mem = arena_new(&alloc, 1 << 16, 0);
        catalog *out = NULL;
        if (mem != NULL) {
            pgc_status status = catalog_load(conn, mem, &out, NULL);
            CHECK(status == PGC_OK || (status == PGC_NOMEM && out == NULL));
            complete = status == PGC_OK;
            arena_free(mem);
        }
        CHECK_INT(plan.live, 0);
        fail_at += fail_at > 8 ? 23 : 0;
    }
    CHECK(complete);
    char text[40];
    CHECK_STR(live_text(conn, "SELECT 'alive'", text, sizeof text), "alive");
}

TAP_MAIN(TAP("catalog: enums with their labels in order", enums),
         TAP("catalog: domains and their base", domains),
         TAP("catalog: composites, ranges, arrays, pseudo-types", other_kinds),
         TAP("catalog: types by what people write", spellings),
         TAP("catalog: every spelling leads back to its type", spellings_lead_back),
         TAP("catalog: columns with their facts", columns),
         TAP("catalog: NOT NULL where it is enforced", not_null_is_enforced),
         TAP("catalog: policies, rules and triggers", relation_flags),
         TAP("catalog: view definitions are qualified", views_name_everything_in_full),
         TAP("catalog: functions with all argument modes", functions),
         TAP("catalog: operators and casts", operators_and_casts),
         TAP("catalog: the search path is read and kept", search_path_is_that_of_the_session),
         TAP("catalog: failed allocations are reported", survives_failed_allocations))
