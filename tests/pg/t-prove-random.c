/* The claims against the engine on random queries: what is claimed NOT NULL never shows NULL, and
 * an expanded star has the columns of the original. PROVE_RANDOM=count runs more, PROVE_SEED=number
 * others. Errors of the queries themselves (division, FULL JOIN conditions) are passed over. */
#include "base/prelude.h"

#include "base/buf.h"
#include "pgc/describe.h"
#include "sqlc/prove.h"

#include "pg.h"
#include "prove_fixture.h"
#include "prove_observe.h"
#include "prove_random.h"
#include "tap.h"

typedef struct run {
    pgc_conn *conn;
    const catalog *cat;
    arena *mem; /* of one query */
    size_t queries, errors, columns, claimed, unsound, uncertain, expanded, bad_stars;
} run;

static uint64_t number_of(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);
    int64_t number = 0;
    bool ok = text != NULL && slice_to_i64((slice) { text, strlen(text) }, &number) && number > 0;
    return ok ? (uint64_t) number : otherwise;
}

static void check_claims(run *r, const char *sql, const described *d, const char *seen)
{
    null_claim claims[OBSERVE_COLUMNS];
    pgc_error err;
    if (!CHECK_STATUS(prove_columns(r->cat, (slice) { sql, strlen(sql) }, d->column_count, r->mem,
                                    claims, &err),
                      PGC_OK, &err)) {
        return;
    }
    r->columns += d->column_count;
    for (size_t i = 0; i < d->column_count; i++) {
        bool wrong =
            (claims[i].not_null && seen[i] == '-') || (claims[i].elems_not_null && seen[i] == 'n');
        r->claimed += claims[i].not_null ? 1 : 0;
        r->unsound += wrong ? 1 : 0;
        r->uncertain += strstr(claims[i].reason, "not certain") != NULL ? 1 : 0;
        if (wrong) {
            printf("# UNSOUND: column %zu (%s) of %s\n", i + 1, claims[i].reason, sql);
        }
    }
}

static void check_star(run *r, const char *sql, const described *d)
{
    pgc_error err;
    slice text = { NULL, 0 };
    described after = { .column_count = 0 };
    pgc_status status = star_expand(r->cat, (slice) { sql, strlen(sql) }, r->mem, &text, &err);
    const char *copy = status == PGC_OK ? arena_copy(r->mem, text) : NULL;
    if (status == PGC_OK && text.ptr == sql) {
        return;
    }
    bool ok = copy != NULL &&
              conn_describe(r->conn, "", copy, NULL, 0, r->mem, &after, &err) == PGC_OK &&
              after.column_count == d->column_count;
    for (size_t i = 0; ok && i < d->column_count; i++) {
        ok = strcmp(after.columns[i].name, d->columns[i].name) == 0 &&
             after.columns[i].type_oid == d->columns[i].type_oid;
    }
    r->expanded++;
    r->bad_stars += ok ? 0 : 1;
    if (!ok) {
        printf("# expansion of %s\n#   gave %s\n", sql, copy != NULL ? copy : err.message);
    }
}

static void one_query(run *r, const char *sql)
{
    pgc_error err;
    described d = { .column_count = 0 };
    char seen[OBSERVE_COLUMNS + 1];
    r->queries++;
    if (conn_describe(r->conn, "", sql, NULL, 0, r->mem, &d, &err) != PGC_OK ||
        observe(r->conn, sql, d.column_count, seen, &err) != PGC_OK) {
        r->errors++;
        return;
    }
    check_claims(r, sql, &d, seen);
    check_star(r, sql, &d);
}

static bool prepare(run *r, arena *facts)
{
    pgc_error err;
    catalog *cat = NULL;
    const pgc_conn_options options = { .struct_size = sizeof options,
                                       .conninfo = test_db_create() };
    bool ok = options.conninfo != NULL &&
              CHECK_STATUS(pgc_conn_open(&options, &r->conn, &err), PGC_OK, &err);
    for (size_t i = 0; ok && i < ARRAY_LEN(PROVE_FIXTURE); i++) {
        ok = CHECK_STATUS(pgc_conn_script(r->conn, PROVE_FIXTURE[i], 0, NULL, &err), PGC_OK, &err);
    }
    ok = ok && CHECK_STATUS(catalog_load(r->conn, facts, &cat, &err), PGC_OK, &err);
    ok = ok && CHECK_STATUS(pgc_conn_script(r->conn,
                                            "ANALYZE; SET jit = off; SET statement_timeout = 200",
                                            0, NULL, &err),
                            PGC_OK, &err);
    r->cat = cat;
    return ok;
}

static void random_queries(void)
{
    AUTO(arena_auto) arena *facts = arena_new(NULL, 0, 0);
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    run r = { .mem = mem };
    random_sql text = { .mem = mem, .state = number_of("PROVE_SEED", 1) };
    uint64_t count = number_of("PROVE_RANDOM", 1500);
    REQUIRE(facts != NULL && mem != NULL);
    if (CHECK(prepare(&r, facts))) {
        for (uint64_t i = 0; i < count; i++) {
            arena_reset(mem);
            one_query(&r, random_statement(&text));
        }
        printf("# %zu queries, %zu errors, %zu columns, %zu claimed, %zu uncertain, %zu expanded\n",
               r.queries, r.errors, r.columns, r.claimed, r.uncertain, r.expanded);
        CHECK_INT(r.unsound, 0);
        CHECK_INT(r.bad_stars, 0);
        CHECK_INT(r.uncertain, 0);
        CHECK(r.claimed > count / 2);
        CHECK(r.errors < count / 2);
    }
    pgc_conn_close(r.conn);
}

TAP_MAIN(TAP("prove random: claims hold and stars expand", random_queries))
