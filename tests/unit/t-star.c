/* Star expansion on a hand-made catalog: exact text, or the refusal with its place. */
#include "base/prelude.h"

#include "sqlc/prove.h"

#include "oom.h"
#include "prove_catalog.h"
#include "tap.h"

typedef struct expectation {
    const char *sql, *expanded; /* NULL: unchanged */
} expectation;

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

static void check_all(const expectation *list, size_t count)
{
    REQUIRE(ready());
    for (size_t i = 0; i < count; i++) {
        AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
        pgc_error err;
        slice sql = { list[i].sql, strlen(list[i].sql) }, out = { NULL, 0 };
        REQUIRE(mem != NULL);
        if (!CHECK_STATUS(star_expand(cat, sql, mem, &out, &err), PGC_OK, &err)) {
            printf("# in: %s\n", list[i].sql);
            continue;
        }
        const char *text = arena_copy(mem, out);
        CHECK_STR(text, list[i].expanded != NULL ? list[i].expanded : list[i].sql);
        CHECK((list[i].expanded == NULL) == (out.ptr == sql.ptr));
    }
}

#define TEXTS(...)                                          \
    do {                                                    \
        static const expectation list_[] = { __VA_ARGS__ }; \
        check_all(list_, sizeof list_ / sizeof list_[0]);   \
    } while (0)

/* The message of a refusal; position counts characters from 1. */
static void refuses(const char *text, pgc_status want, int32_t position)
{
    REQUIRE(ready());
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    pgc_error err;
    slice sql = { text, strlen(text) }, out = { "untouched", 9 };
    REQUIRE(mem != NULL);
    pgc_status status = star_expand(cat, sql, mem, &out, &err);
    if (!CHECK_STATUS(status, want, &err)) {
        printf("# in: %s\n", text);
    }
    CHECK_INT(err.position, position);
    CHECK(slice_eq_str(out, "untouched"));
}

static void plain(void)
{
    TEXTS({ "SELECT * FROM users", "SELECT user_id, username, email FROM users" },
          { "SELECT users.* FROM users",
            "SELECT users.user_id, users.username, users.email FROM users" },
          { "SELECT public.users.* FROM public.users",
            "SELECT public.users.user_id, public.users.username, public.users.email FROM "
            "public.users" },
          { "SELECT 1, u.*, 2 FROM users AS u",
            "SELECT 1, u.user_id, u.username, u.email, 2 FROM users AS u" },
          { "SELECT count(*), count(u.*) FROM users u", NULL }, { "SELECT 2 * 3", NULL });
}

static void quoting(void)
{
    TEXTS(
        { "SELECT * FROM \"Odd Table\"", "SELECT \"Group\", \"order\", plain FROM \"Odd Table\"" },
        { "SELECT \"Odd Table\" . /* x */ * FROM \"Odd Table\"",
          "SELECT \"Odd Table\" . /* x */ \"Group\", \"Odd Table\" . /* x */ \"order\", "
          "\"Odd Table\" . /* x */ plain FROM \"Odd Table\"" },
        { "SELECT * FROM users AS u(\"a\"\"b\", c)",
          "SELECT \"a\"\"b\", c, email FROM users AS u(\"a\"\"b\", c)" },
        { "SELECT * FROM (SELECT 1 AS \xc3\xa9) x",
          "SELECT \"\xc3\xa9\" FROM (SELECT 1 AS \xc3\xa9) x" });
}

static void ambiguous(void)
{
    TEXTS({ "SELECT * FROM assets JOIN thumbs ON thumbs.asset_id = assets.asset_id",
            "SELECT assets.asset_id, owner_id, name, width, taken, meta, tags, rng, rating, ready, "
            "added, thumb_id, thumbs.asset_id, size FROM assets JOIN thumbs ON thumbs.asset_id = "
            "assets.asset_id" },
          { "SELECT * FROM users a, users b",
            "SELECT a.user_id, a.username, a.email, b.user_id, b.username, b.email FROM users a, "
            "users b" },
          { "SELECT * FROM thumbs t JOIN asset_sizes USING (asset_id)",
            "SELECT asset_id, thumb_id, t.size, asset_sizes.size, width FROM thumbs t JOIN "
            "asset_sizes USING (asset_id)" });
}

static void levels(void)
{
    TEXTS({ "SELECT * FROM public.users, other.users",
            "SELECT user_id, username, email, id FROM public.users, other.users" },
          { "SELECT * FROM (SELECT * FROM users) s",
            "SELECT user_id, username, email FROM (SELECT user_id, username, email FROM users) s" },
          { "WITH c AS (SELECT * FROM users) SELECT c.* FROM c",
            "WITH c AS (SELECT user_id, username, email FROM users) SELECT c.user_id, c.username, "
            "c.email FROM c" },
          { "SELECT user_id FROM users WHERE user_id IN (SELECT * FROM other.users)",
            "SELECT user_id FROM users WHERE user_id IN (SELECT id FROM other.users)" },
          { "SELECT EXISTS (SELECT * FROM users)", NULL },
          { "SELECT * FROM other.users UNION SELECT * FROM foreign_thing",
            "SELECT id FROM other.users UNION SELECT id FROM foreign_thing" },
          { "INSERT INTO users SELECT * FROM users",
            "INSERT INTO users SELECT user_id, username, email FROM users" },
          { "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT r.* FROM r) SELECT * FROM r",
            "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT r.n FROM r) SELECT n FROM r" },
          { "SELECT l.* FROM users u, LATERAL (SELECT u.*) l",
            "SELECT l.user_id, l.username, l.email FROM users u, LATERAL (SELECT u.user_id, "
            "u.username, u.email) l" });
}

static void names_of_expressions(void)
{
    TEXTS(
        { "SELECT * FROM (SELECT count(*), lower('x'), 1, 'x'::text, CASE WHEN true THEN 1 END, "
          "COALESCE(1), ARRAY[1], EXISTS (SELECT 1), NULLIF(1, 2), (SELECT 2 AS two), "
          "current_date, GREATEST(1), tags[1] FROM assets) s",
          "SELECT count, lower, \"?column?\", text, \"case\", \"coalesce\", \"array\", "
          "\"exists\", \"nullif\", two, \"current_date\", \"greatest\", tags FROM (SELECT "
          "count(*), lower('x'), 1, 'x'::text, CASE WHEN true THEN 1 END, COALESCE(1), ARRAY[1], "
          "EXISTS (SELECT 1), NULLIF(1, 2), (SELECT 2 AS two), current_date, GREATEST(1), tags[1] "
          "FROM assets) s" });
}

static void returning(void)
{
    TEXTS({ "INSERT INTO users VALUES (1, 'x') RETURNING *",
            "INSERT INTO users VALUES (1, 'x') RETURNING user_id, username, email" },
          { "UPDATE users SET email = t.size FROM thumbs t WHERE t.thumb_id = 1 RETURNING *",
            "UPDATE users SET email = t.size FROM thumbs t WHERE t.thumb_id = 1 RETURNING "
            "user_id, username, email, thumb_id, asset_id, size" },
          { "DELETE FROM users AS u RETURNING u.*",
            "DELETE FROM users AS u RETURNING u.user_id, u.username, u.email" },
          { "INSERT INTO users VALUES (1, 'x') ON CONFLICT (user_id) DO UPDATE SET email = "
            "excluded.email RETURNING *",
            "INSERT INTO users VALUES (1, 'x') ON CONFLICT (user_id) DO UPDATE SET email = "
            "excluded.email RETURNING user_id, username, email" });
}

static void functions(void)
{
    TEXTS({ "SELECT * FROM generate_series(1, 2)",
            "SELECT generate_series FROM generate_series(1, 2)" },
          { "SELECT * FROM generate_series(1, 2) WITH ORDINALITY AS g",
            "SELECT g, ordinality FROM generate_series(1, 2) WITH ORDINALITY AS g" },
          { "SELECT * FROM own_pairs() p", "SELECT a, b FROM own_pairs() p" },
          { "SELECT * FROM own_rows() AS r(x int, y text)",
            "SELECT x, y FROM own_rows() AS r(x int, y text)" },
          { "SELECT * FROM (VALUES (1, 2)) v", "SELECT column1, column2 FROM (VALUES (1, 2)) v" });
}

/* (value).*: the value once for each field, at every level; a row of FROM is a value, too. */
static void fields(void)
{
    TEXTS({ "SELECT (users).*, 1 FROM users",
            "SELECT (users).user_id, (users).username, (users).email, 1 FROM users" },
          { "SELECT ( $1::pair ) . * FROM users",
            "SELECT ( $1::pair ) . a, ( $1::pair ) . b FROM users" },
          { "SELECT (own_pairs()).*FROM users",
            "SELECT (own_pairs()).a, (own_pairs()).b FROM users" },
          { "SELECT (ROW(1, ')', \"order\")).* FROM \"Odd Table\"",
            "SELECT (ROW(1, ')', \"order\")).f1, (ROW(1, ')', \"order\")).f2, (ROW(1, ')', "
            "\"order\")).f3 FROM \"Odd Table\"" },
          { "SELECT (o).* FROM \"Odd Table\" o",
            "SELECT (o).\"Group\", (o).\"order\", (o).plain FROM \"Odd Table\" o" },
          { "SELECT * FROM (SELECT (x).* FROM (SELECT $1::pair) AS s(x)) t",
            "SELECT a, b FROM (SELECT (x).a, (x).b FROM (SELECT $1::pair) AS s(x)) t" },
          { "INSERT INTO users VALUES (1, '\xc3\xa9') RETURNING (users).*",
            "INSERT INTO users VALUES (1, '\xc3\xa9') RETURNING (users).user_id, "
            "(users).username, (users).email" },
          { "SELECT 1 WHERE EXISTS (SELECT ($1::pair).*)", NULL });
}

/* A star inside of a value is there once for each field of the value. */
static void stars_in_values(void)
{
    TEXTS({ "SELECT ((SELECT $1::pair FROM (SELECT * FROM users) u)).*",
            "SELECT ((SELECT $1::pair FROM (SELECT user_id, username, email FROM users) u)).a, "
            "((SELECT $1::pair FROM (SELECT user_id, username, email FROM users) u)).b" },
          { "SELECT ((SELECT y.x FROM (SELECT ((SELECT $1::pair FROM (SELECT * FROM thumbs) s)).*, "
            "$2::pair AS x) y)).*",
            "SELECT ((SELECT y.x FROM (SELECT ((SELECT $1::pair FROM (SELECT thumb_id, asset_id, "
            "size FROM thumbs) s)).a, ((SELECT $1::pair FROM (SELECT thumb_id, asset_id, size FROM "
            "thumbs) s)).b, $2::pair AS x) y)).a, ((SELECT y.x FROM (SELECT ((SELECT $1::pair FROM "
            "(SELECT thumb_id, asset_id, size FROM thumbs) s)).a, ((SELECT $1::pair FROM (SELECT "
            "thumb_id, asset_id, size FROM thumbs) s)).b, $2::pair AS x) y)).b" });
}

static void text_around(void)
{
    TEXTS({ "-- name\nSELECT\t*\n  FROM users -- *\n WHERE '*' <> $1",
            "-- name\nSELECT\tuser_id, username, email\n  FROM users -- *\n WHERE '*' <> $1" },
          { "SELECT* FROM users", "SELECT user_id, username, email FROM users" },
          { "SELECT*FROM(SELECT u.*FROM users u)s",
            "SELECT user_id, username, email FROM(SELECT u.user_id, u.username, u.email FROM users "
            "u)s" },
          { "SELECT '\xc3\xa9\xe2\x82\xac', * FROM users",
            "SELECT '\xc3\xa9\xe2\x82\xac', user_id, username, email FROM users" });
}

static void refusals(void)
{
    refuses("SELECT * FROM not_there", PGC_UNSUPPORTED, 8);
    refuses("SELECT '\xc3\xa9', x.* FROM users", PGC_UNSUPPORTED, 13);
    refuses("SELECT * FROM own_rows()", PGC_UNSUPPORTED, 8);
    refuses("SELECT * FROM (SELECT 1 AS a, 2 AS a) s", PGC_UNSUPPORTED, 8);
    refuses("SELECT (own_rows()).* FROM users u", PGC_UNSUPPORTED, 8);
    refuses("SELECT 1, (ROW(u.*)).* FROM users u", PGC_UNSUPPORTED, 11);
    refuses("SELECT 1, ($1).* FROM users u", PGC_UNSUPPORTED, 11);
    refuses("SELECT FROM WHERE *", PGC_INVALID, 13);
    refuses("TABLE users", PGC_UNSUPPORTED, 1);
}

static void survives_oom(void)
{
    REQUIRE(ready());
    const slice sql = SLICE("SELECT * FROM (SELECT * FROM users) s JOIN assets ON true");
    bool complete = false;
    for (int fail_at = 1; !complete && fail_at < 200; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        arena *mem = arena_new(&alloc, 256, 0);
        slice out = { NULL, 0 };
        if (mem != NULL) {
            pgc_status status = star_expand(cat, sql, mem, &out, NULL);
            CHECK(status == PGC_OK || (status == PGC_NOMEM && out.ptr == NULL));
            complete = status == PGC_OK;
            arena_free(mem);
        }
        CHECK_INT(plan.live, 0);
    }
    CHECK(complete);
}

TAP_MAIN(TAP("star: tables and aliases", plain), TAP("star: quotes only where needed", quoting),
         TAP("star: a name in front only where needed", ambiguous),
         TAP("star: every level of the query", levels),
         TAP("star: names of expressions", names_of_expressions), TAP("star: RETURNING", returning),
         TAP("star: functions and VALUES in FROM", functions),
         TAP("star: fields of values", fields),
         TAP("star: stars inside of values", stars_in_values),
         TAP("star: the text around stays", text_around),
         TAP("star: what is not certain is refused", refusals),
         TAP("star: every allocation may fail", survives_oom))
