/* Facts about parameters, on a hand-made catalog. */
#include "base/prelude.h"

#include "base/buf.h"
#include "sqlc/prove.h"

#include "oom.h"
#include "prove_catalog.h"
#include "tap.h"

#define PARAMS_MAX 8

static arena *catalog_memory;
static catalog *cat;

static bool ready(void)
{
    if (cat == NULL) {
        catalog_memory = arena_new(NULL, 0, 0);
        cat = catalog_memory != NULL ? fixture_catalog(catalog_memory) : NULL;
    }
    return cat != NULL;
}

static void add_fact(buf *text, const param_fact *f)
{
    static const char contexts[] = "otcakl"; /* other, target, compare, argument, cast, limit */
    buf_printf(text, "%s%s:%c", text->len > 0 ? " " : "", f->name != NULL ? f->name : "-",
               contexts[f->context]);
    buf_add_str(text, f->not_null ? "N" : "");
    buf_add_str(text, f->array ? "[]" : "");
    buf_add_str(text, f->equals_only ? "=" : "");
    if (f->table_oid != 0) {
        buf_printf(text, "@%u.%d", f->table_oid - 30000, f->attnum);
    }
}

typedef struct expectation {
    const char *sql;
    size_t count;
    const char *facts;
} expectation;

static void check_all(const expectation *list, size_t count)
{
    REQUIRE(ready());
    for (size_t i = 0; i < count; i++) {
        AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
        AUTO(buf_auto) buf text;
        pgc_error err;
        param_fact facts[PARAMS_MAX];
        slice sql = { list[i].sql, strlen(list[i].sql) };
        buf_init(&text, NULL, 4096);
        REQUIRE(mem != NULL);
        REQUIRE_OK(prove_params(cat, sql, list[i].count, mem, facts, &err), &err);
        for (size_t p = 0; p < list[i].count; p++) {
            add_fact(&text, &facts[p]);
        }
        if (strcmp(text.ptr, list[i].facts) != 0) {
            printf("# in: %s\n", list[i].sql);
        }
        CHECK_STR(text.ptr, list[i].facts);
    }
}

#define FACTS(...)                                          \
    do {                                                    \
        static const expectation list_[] = { __VA_ARGS__ }; \
        check_all(list_, sizeof list_ / sizeof list_[0]);   \
    } while (0)

static void targets(void)
{
    FACTS(
        { "INSERT INTO users (username, email) VALUES ($1, $2)", 2, "username:tN@1.2 email:t@1.3" },
        { "INSERT INTO users VALUES ($1, $2)", 2, "user_id:tN@1.1 username:tN@1.2" },
        { "INSERT INTO users (username) SELECT $1 UNION SELECT $2", 2,
          "username:tN@1.2 username:tN@1.2" },
        { "UPDATE users SET email = $1, (username, user_id) = ($2, $3)", 3,
          "email:t@1.3 username:tN@1.2 user_id:tN@1.1" },
        { "INSERT INTO users (user_id) VALUES (1) ON CONFLICT (user_id) DO UPDATE SET email = $1 "
          "WHERE users.username = $2",
          2, "email:t@1.3 username:cN=@1.2" },
        { "INSERT INTO assets (rating) VALUES ($1)", 1, "rating:tN@2.9" });
}

static void comparisons(void)
{
    FACTS({ "SELECT 1 FROM users WHERE user_id = $1 AND email <> $2", 2,
            "user_id:cN=@1.1 email:c@1.3" },
          { "SELECT 1 FROM users u WHERE $1 = u.user_id", 1, "user_id:cN=@1.1" },
          { "SELECT 1 FROM users WHERE user_id IN ($1, $2)", 2, "user_id:cN=@1.1 user_id:cN=@1.1" },
          { "SELECT 1 FROM users WHERE user_id = ANY($1)", 1, "user_id:cN[]=@1.1" },
          { "SELECT 1 FROM users WHERE user_id BETWEEN $1 AND $2", 2,
            "user_id:cN@1.1 user_id:cN@1.1" },
          { "SELECT 1 FROM users WHERE lower(email) LIKE $1", 1, "email:c@1.3" },
          { "SELECT 1 FROM users WHERE (user_id, email) < ($1, $2)", 2,
            "user_id:cN@1.1 email:c@1.3" },
          { "SELECT 1 FROM assets JOIN thumbs USING (asset_id) WHERE asset_id = $1", 1,
            "asset_id:cN=@2.1" },
          { "SELECT 1 FROM (SELECT * FROM users) s WHERE s.username = $1", 1, "username:cN=@1.2" },
          { "SELECT $1 || $2", 2, "-:o -:o" });
}

static void clauses(void)
{
    FACTS({ "SELECT 1 LIMIT $1 OFFSET $2", 2, "limit:lN offset:lN" },
          { "SELECT $1::int, CAST($2 AS text)", 2, "-:kN -:kN" },
          { "SELECT lower($1), not_known($2)", 2, "lower:aN not_known:a" },
          { "SELECT * FROM unnest($1) x", 1, "unnest:aN[]" },
          { "SELECT COALESCE($1, 'x'), $2 IS NULL", 2, "-:o -:o" });
}

static void levels(void)
{
    FACTS(
        { "SELECT (SELECT 1 FROM users WHERE user_id = $1) FROM assets WHERE EXISTS (SELECT 1 FROM "
          "thumbs WHERE size = $2)",
          2, "user_id:cN=@1.1 size:cN=@3.3" },
        { "WITH c AS (SELECT * FROM users WHERE email = $1) SELECT 1 FROM c WHERE c.user_id = $2",
          2, "email:c=@1.3 user_id:cN=@1.1" },
        { "SELECT 1 FROM users u JOIN assets a ON a.owner_id = u.user_id AND a.name = $1", 1,
          "name:cN=@2.3" },
        { "SELECT 1 FROM users UNION SELECT 2 FROM users WHERE user_id = $1 LIMIT $2", 2,
          "user_id:cN=@1.1 limit:lN" });
}

static void repeated(void)
{
    FACTS({ "SELECT 1 FROM users WHERE $1 IS NULL OR user_id = $1", 1, "user_id:c@1.1" },
          { "SELECT 1 FROM users WHERE user_id = $1 OR user_id > $1", 1, "user_id:cN@1.1" },
          { "SELECT 1 FROM users WHERE COALESCE($1, 'x') = email AND username = $1", 1,
            "username:cN@1.2" },
          { "SELECT 1 FROM users WHERE username = $2", 2, "-:o username:cN=@1.2" });
}

static void not_understood(void)
{
    FACTS({ "SELECT FROM WHERE $1", 1, "-:o" }, { "SELECT 1 FROM nope WHERE x = $1", 1, "-:o=" });
}

static void survives_oom(void)
{
    REQUIRE(ready());
    const slice sql = SLICE("INSERT INTO users (username, email) SELECT $1, name FROM assets WHERE "
                            "width = $2 LIMIT $3");
    bool complete = false;
    for (int fail_at = 1; !complete && fail_at < 200; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        arena *mem = arena_new(&alloc, 256, 0);
        param_fact facts[3];
        if (mem != NULL) {
            pgc_status status = prove_params(cat, sql, 3, mem, facts, NULL);
            CHECK(status == PGC_OK || status == PGC_NOMEM);
            complete = status == PGC_OK;
            arena_free(mem);
        }
        CHECK_INT(plan.live, 0);
    }
    CHECK(complete);
}

TAP_MAIN(TAP("params: INSERT values and SET targets", targets),
         TAP("params: partners of comparisons", comparisons),
         TAP("params: LIMIT, casts, arguments", clauses), TAP("params: every query level", levels),
         TAP("params: the first telling use decides", repeated),
         TAP("params: what is not understood says nothing", not_understood),
         TAP("params: every allocation may fail", survives_oom))
