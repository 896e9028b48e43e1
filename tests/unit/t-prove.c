/* NULL claims by rule, on a hand-made catalog: 'N' proved NOT NULL, 'E' also without NULL elements,
 * '-' nullable, one letter per column. */
#include "base/prelude.h"

#include "sqlc/prove.h"

#include "base/buf.h"
#include "oom.h"
#include "prove_catalog.h"
#include "sqlc/ast.h"
#include "tap.h"

#define COLUMNS_MAX 16

typedef struct expectation {
    const char *sql, *claims;
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

/* Whoever has parsed the text already is told the same, of columns, parameters and stars. */
static void check_with_tree(const prove_input *given, size_t columns, arena *mem,
                            const null_claim *want)
{
    prove_input input = *given;
    null_claim claims[COLUMNS_MAX];
    param_fact facts[2][4] = { { { .name = NULL } } };
    slice texts[2] = { { NULL, 0 } };
    pgc_error err;
    if (ast_parse(input.sql, mem, &input.tree, &err) != PGC_OK) {
        return;
    }
    CHECK_STATUS(prove_columns_given(cat, &input, columns, mem, claims, &err), PGC_OK, &err);
    for (size_t i = 0; i < columns; i++) {
        CHECK(claims[i].not_null == want[i].not_null &&
              claims[i].elems_not_null == want[i].elems_not_null);
        CHECK_STR(claims[i].reason, want[i].reason);
    }
    input.param_count = ARRAY_LEN(facts[0]);
    CHECK_STATUS(prove_params(cat, input.sql, ARRAY_LEN(facts[0]), mem, facts[0], &err), PGC_OK,
                 &err);
    CHECK_STATUS(prove_params_given(cat, &input, mem, facts[1], &err), PGC_OK, &err);
    for (size_t i = 0; i < ARRAY_LEN(facts[0]); i++) {
        const param_fact *a = &facts[0][i];
        const param_fact *b = &facts[1][i];
        CHECK(a->table_oid == b->table_oid && a->attnum == b->attnum && a->context == b->context &&
              a->not_null == b->not_null && a->equals_only == b->equals_only);
    }
    pgc_status status = star_expand(cat, input.sql, mem, &texts[0], NULL);
    CHECK_INT(star_expand_given(cat, input.sql, input.tree, mem, &texts[1], NULL), status);
    CHECK(slice_eq(texts[0], texts[1]));
}

static void claims_of(const char *sql, const bool *params, size_t param_count, size_t columns,
                      char text[static COLUMNS_MAX + 1])
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    null_claim claims[COLUMNS_MAX];
    pgc_error err;
    prove_input input = { .sql = { sql, strlen(sql) },
                          .param_not_null = params,
                          .param_count = param_count };
    memset(text, 0, COLUMNS_MAX + 1);
    if (mem == NULL || prove_columns_given(cat, &input, columns, mem, claims, &err) != PGC_OK) {
        return;
    }
    for (size_t i = 0; i < columns; i++) {
        bool elements = claims[i].not_null && claims[i].elems_not_null;
        text[i] = elements ? 'E' : claims[i].not_null ? 'N' : '-';
        CHECK(claims[i].reason != NULL && claims[i].reason[0] != '\0');
    }
    check_with_tree(&input, columns, mem, claims);
}

static void check_all(const expectation *list, size_t count)
{
    REQUIRE(ready());
    for (size_t i = 0; i < count; i++) {
        char text[COLUMNS_MAX + 1];
        claims_of(list[i].sql, NULL, 0, strlen(list[i].claims), text);
        if (strcmp(text, list[i].claims) != 0) {
            printf("# in: %s\n", list[i].sql);
        }
        CHECK_STR(text, list[i].claims);
    }
}

#define RULES(...)                                          \
    do {                                                    \
        static const expectation list_[] = { __VA_ARGS__ }; \
        check_all(list_, sizeof list_ / sizeof list_[0]);   \
    } while (0)

static void columns(void)
{
    RULES({ "SELECT asset_id, owner_id FROM assets", "N-" }, { "SELECT * FROM users", "NN-" },
          { "SELECT u.*, u.email FROM users AS u", "NN--" },
          { "SELECT public.users.username, users.email FROM public.users", "N-" },
          { "SELECT x.a FROM users AS x(a, b)", "N" }, { "SELECT ctid, tableoid FROM users", "NN" },
          { "SELECT u FROM users u", "N" }, { "SELECT (u).username, (u).email FROM users u", "N-" },
          { "SELECT rating FROM assets", "-" }, { "SELECT id FROM foreign_thing", "-" },
          { "SELECT id FROM other.users", "N" }, { "SELECT nothing FROM users", "-" },
          { "SELECT id FROM not_there", "-" });
}

static void joins(void)
{
    RULES({ "SELECT a.name, t.size FROM assets a JOIN thumbs t USING (asset_id)", "NN" },
          { "SELECT a.name, t.size FROM assets a LEFT JOIN thumbs t USING (asset_id)", "N-" },
          { "SELECT a.name, t.size FROM assets a RIGHT JOIN thumbs t USING (asset_id)", "-N" },
          { "SELECT a.name, t.size FROM assets a FULL JOIN thumbs t USING (asset_id)", "--" },
          { "SELECT asset_id FROM assets a LEFT JOIN thumbs t USING (asset_id)", "N" },
          { "SELECT asset_id FROM assets a RIGHT JOIN thumbs t USING (asset_id)", "N" },
          { "SELECT asset_id FROM assets a FULL JOIN thumbs t USING (asset_id)", "N" },
          { "SELECT asset_id, a.asset_id FROM assets a NATURAL LEFT JOIN thumbs t", "NN" },
          { "SELECT u.username FROM users v LEFT JOIN (users u JOIN assets a ON "
            "a.owner_id = u.user_id) ON v.user_id = u.user_id",
            "-" },
          { "SELECT s.n FROM users LEFT JOIN (SELECT 1 AS n) s ON true", "N" },
          { "SELECT s.n FROM users LEFT JOIN (SELECT 1 AS n) s ON s.n > 0", "-" },
          { "SELECT g FROM users LEFT JOIN generate_series(1, 2) g ON true", "-" },
          { "SELECT u FROM assets LEFT JOIN users u ON true", "-" },
          { "SELECT j.x, j.y FROM (users u JOIN assets a ON true) AS j(x, y)", "NN" },
          { "SELECT username, name FROM users, assets", "NN" },
          { "SELECT u.ctid FROM assets a LEFT JOIN users u ON true", "-" });
}

static void expressions(void)
{
    RULES({ "SELECT 1, 'x', NULL, true, 1.5", "NN-NN" },
          { "SELECT user_id + 1, -user_id, username || 'x', username || email FROM users", "NNN-" },
          { "SELECT meta -> 'a', meta ->> 'a' FROM assets", "--" },
          { "SELECT user_id %% 2 FROM users", "-" },
          { "SELECT user_id = 1, email = 'x', email IS NULL, email IS DISTINCT FROM 'x' FROM users",
            "N-NN" },
          { "SELECT NOT ready, ready AND true, ready IS TRUE FROM assets", "--N" },
          { "SELECT user_id IN (1, 2), user_id IN (1, NULL), user_id BETWEEN 1 AND 2 FROM users",
            "N-N" },
          { "SELECT username LIKE 'x%', email LIKE 'x%' FROM users", "N-" },
          { "SELECT COALESCE(email, 'x'), COALESCE(email, NULL), GREATEST(width, 1), "
            "NULLIF(user_id, 1) FROM users, assets",
            "N-N-" },
          { "SELECT CASE WHEN true THEN 1 END, CASE WHEN true THEN 1 ELSE 2 END, "
            "CASE WHEN email IS NOT NULL THEN email ELSE 'x' END, "
            "CASE WHEN email IS NULL THEN 'x' ELSE email END FROM users",
            "-NNN" },
          { "SELECT CASE WHEN email = 'x' THEN 1 ELSE NULL END FROM users", "-" },
          { "SELECT ARRAY[1, 2], ARRAY[1, NULL], ARRAY(SELECT user_id FROM users), "
            "ARRAY(SELECT email FROM users), ROW(NULL)",
            "ENENN" },
          { "SELECT tags[1], tags[1:2], tags[1:width] FROM assets", "-N-" },
          { "SELECT current_date, current_user, current_schema", "NN-" },
          { "SELECT ROW(user_id, email) = ROW(1, 'x') FROM users", "-" });
}

static void casts(void)
{
    RULES({ "SELECT width::text, asset_id::text, NULL::int FROM assets", "-N-" },
          { "SELECT added::date, added::time, '10:00'::time FROM assets", "N-N" },
          { "SELECT meta::int4, COALESCE(meta, '1')::int4 FROM assets", "--" },
          { "SELECT 'x'::own, 5::rating, '{}'::text[]", "-NE" },
          { "SELECT user_id::not_a_type FROM users", "-" },
          { "SELECT ARRAY[1, 2]::text[], '{a,NULL}'::text[]", "EN" });
}

static void functions(void)
{
    RULES({ "SELECT lower(username), lower(email), lower(rng) FROM users, assets", "N--" },
          { "SELECT length(username), array_length(tags, 1), now() FROM users, assets", "N-N" },
          { "SELECT extract(year FROM added), extract(day FROM added), "
            "extract(year FROM taken) FROM assets",
            "N--" },
          { "SELECT to_char(added, 'YYYY'), to_char(1.5, '9') FROM assets", "-N" },
          { "SELECT concat(email, 'x'), own_fn('x'), not_known(1) FROM users", "N--" },
          { "SELECT substring(username FROM 2), substring(username FROM 'x') FROM users", "N-" },
          { "SELECT array_remove(tags, NULL) FROM assets", "E" });
}

static void aggregates(void)
{
    RULES({ "SELECT count(*), count(email), sum(user_id), max(username) FROM users", "NN--" },
          { "SELECT email, count(*), sum(user_id), max(email) FROM users GROUP BY email", "-NN-" },
          { "SELECT sum(user_id) FILTER (WHERE true), stddev(user_id) FROM users GROUP BY email",
            "--" },
          { "SELECT array_agg(username), array_agg(email), string_agg(username, ',') FROM users "
            "GROUP BY user_id",
            "ENN" },
          { "SELECT array_agg(email) FILTER (WHERE email IS NOT NULL) FROM users GROUP BY user_id",
            "-" },
          { "SELECT COALESCE(sum(user_id), 0) FROM users", "N" },
          { "SELECT user_id, username, count(*), sum(user_id) FROM users "
            "GROUP BY ROLLUP(user_id, username)",
            "--N-" },
          { "SELECT user_id, username, sum(user_id) FROM users "
            "GROUP BY GROUPING SETS ((user_id), (username))",
            "--N" },
          { "SELECT user_id, username FROM users GROUP BY user_id, CUBE(username)", "N-" },
          { "SELECT COALESCE(username, 'all'), GROUPING(username) FROM users "
            "GROUP BY ROLLUP(username)",
            "NN" },
          { "SELECT email FROM users GROUP BY email HAVING email > ''", "-" },
          { "SELECT email FROM users GROUP BY email HAVING email <> ''", "N" },
          { "SELECT sum(user_id) FROM users HAVING sum(user_id) IS NOT NULL", "N" },
          { "SELECT (SELECT sum(u.user_id) FROM assets) FROM users u", "-" });
}

static void windows(void)
{
    RULES({ "SELECT row_number() OVER (), count(*) OVER (), lag(user_id) OVER (ORDER BY 1) "
            "FROM users",
            "NN-" },
          { "SELECT sum(user_id) OVER (), sum(user_id) OVER (ROWS BETWEEN 2 PRECEDING AND "
            "1 PRECEDING), first_value(email) OVER () FROM users",
            "N--" },
          { "SELECT sum(user_id) OVER w, max(username) OVER w FROM users WINDOW w AS "
            "(ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
            "NN" },
          { "SELECT CASE WHEN email IS NOT NULL THEN first_value(email) OVER () ELSE 'x' END, "
            "CASE WHEN email IS NOT NULL THEN max(email) OVER () ELSE 'x' END FROM users",
            "--" },
          { "SELECT first_value(email) OVER () FROM users WHERE email = 'x'", "N" },
          { "SELECT sum(user_id) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW "
            "EXCLUDE CURRENT ROW) FROM users",
            "-" });
}

static void sub_selects(void)
{
    RULES({ "SELECT (SELECT count(*) FROM users), (SELECT username FROM users), (SELECT 1), "
            "(SELECT 1 WHERE true)",
            "N-N-" },
          { "SELECT (SELECT count(*) FROM users LIMIT 0), (SELECT max(user_id) FROM users), "
            "(SELECT count(*) FROM users HAVING false)",
            "---" },
          { "SELECT EXISTS (SELECT 1), user_id IN (SELECT user_id FROM users), "
            "user_id IN (SELECT width FROM assets) FROM users",
            "NN-" },
          { "SELECT s.username, s.n FROM (SELECT username, NULL AS n FROM users) s", "N-" },
          { "SELECT l.email FROM users u, LATERAL (SELECT u.email) l", "-" },
          { "SELECT l.username FROM users u, LATERAL (SELECT u.username) l", "N" },
          { "SELECT l.x FROM users v LEFT JOIN users u ON true, LATERAL (SELECT u.username AS x) l",
            "-" },
          { "SELECT (SELECT u.username) FROM users u", "N" },
          { "SELECT (SELECT u.username) FROM assets a LEFT JOIN users u ON true", "-" });
}

static void with_queries(void)
{
    RULES(
        { "WITH u AS (SELECT user_id, email FROM users) SELECT * FROM u", "N-" },
        { "WITH u(a, b) AS (SELECT user_id, email FROM users) SELECT b, a FROM u", "-N" },
        { "WITH a AS (SELECT 1 AS x), b AS (SELECT x FROM a) SELECT x FROM b", "N" },
        { "WITH users AS (SELECT NULL AS user_id) SELECT user_id FROM users", "-" },
        { "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n FROM r", "N" },
        { "WITH RECURSIVE r(n, p) AS (SELECT 1, 1 UNION ALL SELECT p, NULL FROM r) "
          "SELECT n, p FROM r",
          "--" },
        { "WITH d AS (DELETE FROM users RETURNING user_id, email) SELECT * FROM d", "N-" },
        { "WITH RECURSIVE a AS (SELECT * FROM users), users AS (SELECT NULL AS z) "
          "SELECT * FROM a",
          "-" });
}

static void set_operations(void)
{
    RULES({ "SELECT 1 UNION SELECT NULL", "-" }, { "SELECT 1, 'x' UNION ALL SELECT 2, 'y'", "NN" },
          { "SELECT username FROM users INTERSECT SELECT email FROM users", "N" },
          { "SELECT username FROM users EXCEPT SELECT email FROM users", "N" },
          { "SELECT email FROM users EXCEPT SELECT username FROM users", "-" },
          { "VALUES (1, 'a'), (2, NULL)", "N-" }, { "SELECT x FROM (VALUES (1), (2)) v(x)", "N" });
}

static void changes(void)
{
    RULES({ "INSERT INTO users VALUES (1, 'x') RETURNING *", "NN-" },
          { "UPDATE users SET email = $1 WHERE email = 'x' RETURNING email, username", "-N" },
          { "UPDATE users SET username = $1 WHERE email = 'x' RETURNING email", "N" },
          { "UPDATE guarded SET id = 1 WHERE note = 'x' RETURNING note, id", "-N" },
          { "DELETE FROM users WHERE email = 'x' RETURNING email", "N" },
          { "INSERT INTO ruled VALUES (1) RETURNING id", "-" },
          { "UPDATE asset_sizes SET size = 'x' RETURNING asset_id", "-" },
          { "UPDATE users SET email = a.name FROM assets a WHERE a.owner_id = user_id "
            "RETURNING users.username, a.name, a.owner_id, users.email",
            "NNNN" },
          { "DELETE FROM users USING assets a WHERE a.owner_id = user_id RETURNING a.owner_id",
            "N" });
}

static void refinement(void)
{
    RULES({ "SELECT email FROM users WHERE email IS NOT NULL", "N" },
          { "SELECT email FROM users WHERE email = 'x'", "N" },
          { "SELECT email FROM users WHERE lower(email) = 'x'", "N" },
          { "SELECT email FROM users WHERE email IN ('x', 'y')", "N" },
          { "SELECT email FROM users WHERE email NOT IN ('x')", "N" },
          { "SELECT email FROM users WHERE email = ANY($1)", "N" },
          { "SELECT email FROM users WHERE email <> ALL($1)", "-" },
          { "SELECT email FROM users WHERE email IN (SELECT username FROM users)", "N" },
          { "SELECT email FROM users WHERE email NOT IN (SELECT username FROM users)", "-" },
          { "SELECT email FROM users WHERE email = 'x' OR email = 'y'", "N" },
          { "SELECT email FROM users WHERE email = 'x' OR user_id = 1", "-" },
          { "SELECT email FROM users WHERE NOT (email IS NULL)", "N" },
          { "SELECT email FROM users WHERE NOT (email IS NULL OR user_id = 1)", "N" },
          { "SELECT email FROM users WHERE NOT (email IS NULL AND user_id = 1)", "-" },
          { "SELECT email FROM users WHERE COALESCE(email, 'x') = 'x'", "-" },
          { "SELECT email FROM users WHERE own_fn(email) = 'x'", "-" },
          { "SELECT width FROM assets WHERE width BETWEEN 1 AND 2", "N" },
          { "SELECT width FROM assets WHERE width NOT BETWEEN 1 AND 2", "N" },
          { "SELECT ready FROM assets WHERE ready", "N" },
          { "SELECT ready FROM assets WHERE ready IS NOT FALSE", "-" },
          { "SELECT ready FROM assets WHERE NOT ready", "N" },
          { "SELECT meta ->> 'a' FROM assets WHERE meta ->> 'a' IS NOT NULL", "N" },
          { "SELECT meta ->> 'b' FROM assets WHERE meta ->> 'a' IS NOT NULL", "-" },
          { "SELECT owner_id, width FROM assets WHERE (owner_id, width) = (1, 2)", "NN" },
          { "SELECT owner_id, width FROM assets WHERE (owner_id, width) < (1, 2)", "N-" },
          { "SELECT owner_id, width FROM assets WHERE (owner_id, width) <> (1, 2)", "--" },
          { "SELECT width FROM assets WHERE EXISTS (SELECT 1 WHERE width = 1)", "-" },
          { "SELECT width FROM assets WHERE width %% 1 = 1", "-" });
}

static void join_reduction(void)
{
    RULES({ "SELECT t.size FROM assets a LEFT JOIN thumbs t USING (asset_id) WHERE t.size = 'x'",
            "N" },
          { "SELECT t.thumb_id FROM assets a LEFT JOIN thumbs t USING (asset_id) "
            "WHERE t.size = 'x'",
            "N" },
          { "SELECT a.owner_id FROM users u JOIN assets a ON a.owner_id = u.user_id", "N" },
          { "SELECT a.owner_id FROM users u LEFT JOIN assets a ON a.owner_id = u.user_id", "-" },
          { "SELECT a.owner_id FROM users u LEFT JOIN assets a ON a.owner_id = u.user_id "
            "WHERE a.name = 'x'",
            "N" },
          { "SELECT a.name, t.size FROM assets a FULL JOIN thumbs t ON a.asset_id = t.asset_id "
            "WHERE a.name = 'x'",
            "N-" },
          { "SELECT b.name FROM users u LEFT JOIN (users v LEFT JOIN assets b ON b.owner_id = "
            "v.user_id) ON u.user_id = b.owner_id WHERE v.user_id = 1",
            "N" },
          { "SELECT t.size FROM users u LEFT JOIN assets a ON a.owner_id = u.user_id "
            "LEFT JOIN thumbs t ON t.asset_id = a.asset_id WHERE t.thumb_id = 1",
            "N" },
          { "SELECT a.name FROM users u LEFT JOIN assets a ON a.owner_id = u.user_id "
            "JOIN thumbs t ON t.asset_id = a.asset_id",
            "N" },
          { "SELECT u.email FROM users u LEFT JOIN assets a ON u.email = 'x'", "-" });
}

static void views(void)
{
    RULES({ "SELECT asset_id, size, width FROM asset_sizes", "N-N" },
          { "SELECT v.asset_id FROM users LEFT JOIN asset_sizes v ON true", "-" });
}

static void from_functions(void)
{
    RULES({ "SELECT g FROM generate_series(1, NULL) g", "N" },
          { "SELECT x FROM unnest(ARRAY[1, 2]) x", "N" },
          { "SELECT x FROM assets, unnest(tags) x", "-" },
          { "SELECT x, n FROM unnest(ARRAY[1, 2]) WITH ORDINALITY AS t(x, n)", "NN" },
          { "SELECT a, b FROM unnest(ARRAY[1], ARRAY[2, 3]) AS t(a, b)", "-N" },
          { "SELECT a, b FROM own_pairs()", "--" },
          { "SELECT a FROM own_rows() AS t(a int)", "-" });
}

static void params_given(void)
{
    REQUIRE(ready());
    static const bool given[] = { true, false };
    char text[COLUMNS_MAX + 1];
    claims_of("SELECT $1::int, $2::int, user_id + $1, $3::int FROM users", given, 2, 4, text);
    CHECK_STR(text, "N-N-");
}

static void not_understood(void)
{
    RULES({ "SELECT 1 FROM", "-" }, { "SELECT 1; SELECT 2", "-" }, { "SELECT 1, 2", "-" },
          { "EXPLAIN SELECT 1", "-" });
}

/* A hostile statement ends in bounded time, without a claim or with a true one. */
static void bounded(void)
{
    REQUIRE(ready());
    AUTO(buf_auto) buf sql;
    buf_init(&sql, NULL, 1 << 20);
    buf_add_str(&sql, "SELECT ");
    for (int i = 0; i < 400; i++) {
        buf_add_str(&sql, "(");
    }
    buf_add_str(&sql, "1");
    for (int i = 0; i < 400; i++) {
        buf_add_str(&sql, "+ 1)");
    }
    char text[COLUMNS_MAX + 1];
    claims_of(sql.ptr, NULL, 0, 1, text);
    CHECK_STR(text, "-");
    buf_reset(&sql);
    buf_add_str(&sql, "SELECT (SELECT ");
    for (int i = 0; i < 30; i++) {
        buf_add_str(&sql, "(SELECT (SELECT 1) + ");
    }
    buf_add_str(&sql, "1");
    for (int i = 0; i < 30; i++) {
        buf_add_str(&sql, ")");
    }
    buf_add_str(&sql, ")");
    claims_of(sql.ptr, NULL, 0, 1, text);
    CHECK_INT(strlen(text), 1);
}

static void survives_oom(void)
{
    REQUIRE(ready());
    const slice sql = SLICE("WITH c AS (SELECT * FROM asset_sizes) SELECT u.username, count(*), "
                            "CASE WHEN c.size = 'x' THEN 1 ELSE 0 END FROM users u LEFT JOIN c ON "
                            "true WHERE u.email IS NOT NULL GROUP BY 1, c.size");
    bool complete = false;
    for (int fail_at = 1; !complete && fail_at < 200; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        arena *mem = arena_new(&alloc, 256, 0);
        null_claim claims[3] = { { .not_null = true } };
        if (mem != NULL) {
            pgc_status status = prove_columns(cat, sql, 3, mem, claims, NULL);
            CHECK(status == PGC_OK || status == PGC_NOMEM);
            complete = status == PGC_OK;
            arena_free(mem);
        }
        CHECK_INT(plan.live, 0);
    }
    CHECK(complete);
}

TAP_MAIN(TAP("prove: columns by their NOT NULL", columns),
         TAP("prove: outer joins lower their optional side", joins),
         TAP("prove: operators and expressions", expressions), TAP("prove: casts", casts),
         TAP("prove: functions", functions), TAP("prove: aggregates and grouping", aggregates),
         TAP("prove: window functions", windows), TAP("prove: sub-selects", sub_selects),
         TAP("prove: WITH, recursive and data-modifying", with_queries),
         TAP("prove: set operations and VALUES", set_operations), TAP("prove: RETURNING", changes),
         TAP("prove: conditions exclude NULL", refinement),
         TAP("prove: outer joins become inner ones", join_reduction),
         TAP("prove: views by their definition", views),
         TAP("prove: functions in FROM", from_functions),
         TAP("prove: parameters that are never NULL", params_given),
         TAP("prove: what is not understood claims nothing", not_understood),
         TAP("prove: hostile nesting is bounded", bounded),
         TAP("prove: every allocation may fail", survives_oom))
