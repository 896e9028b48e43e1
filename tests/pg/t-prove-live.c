/* The claims against the engine: every query of prove_queries.h runs on rows made to give NULL
 * wherever the server can, and no column claimed NOT NULL may show one.
 *
 * Each query carries one letter per column: N claimed, E claimed and without NULL elements, - not
 * claimed and NULL comes, p not claimed although no NULL came in any of the worlds (the register of
 * over-pessimistic columns with the reason beside it: an entry that is claimed one day must be
 * taken out). */
#include "base/prelude.h"

#include <pgc/conn.h>

#include "base/buf.h"
#include "pgc/describe.h"
#include "sqlc/prove.h"

#include "pg.h"
#include "prove_fixture.h"
#include "prove_observe.h"
#include "prove_queries.h"
#include "prove_worlds.h"
#include "tap.h"

typedef struct totals {
    size_t queries, columns, claimed, nulls, pessimistic;
    size_t unsound, miscounted, unexpected, badly_expanded, expanded;
    bool ran;
} totals;

static totals sum;

typedef struct live {
    pgc_conn *conn;
    const catalog *cat;
    arena *mem; /* of one query */
} live;

static const char *const SETTINGS =
    "SET jit = off; SET enable_seqscan = on; SET statement_timeout = '5s'";

static bool same_columns(const described *a, const described *b)
{
    if (a->column_count != b->column_count) {
        return false;
    }
    for (size_t i = 0; i < a->column_count; i++) {
        if (strcmp(a->columns[i].name, b->columns[i].name) != 0 ||
            a->columns[i].type_oid != b->columns[i].type_oid ||
            a->columns[i].typmod != b->columns[i].typmod) {
            return false;
        }
    }
    return true;
}

/* The expansion has the same columns and leaves nothing to expand; a refusal is said in the list.
 */
static void check_expansion(live *l, const prove_query *q, const described *original)
{
    pgc_error err;
    slice sql = { q->sql, strlen(q->sql) }, text = { NULL, 0 }, again = { NULL, 0 };
    described after;
    pgc_status status = star_expand(l->cat, sql, l->mem, &text, &err);
    if (status == PGC_UNSUPPORTED && q->star_refused) {
        return;
    }
    bool ok = status == PGC_OK && !q->star_refused;
    sum.expanded += ok && text.ptr != sql.ptr ? 1 : 0;
    const char *copy = ok ? arena_copy(l->mem, text) : NULL;
    ok = ok && copy != NULL &&
         conn_describe(l->conn, "", copy, NULL, 0, l->mem, &after, &err) == PGC_OK &&
         same_columns(original, &after) &&
         star_expand(l->cat, text, l->mem, &again, &err) == PGC_OK && slice_eq(text, again);
    if (!ok) {
        sum.badly_expanded++;
        printf("# expansion: %s\n#   gave %s\n", q->sql, copy != NULL ? copy : err.message);
    }
}

static void compare(const prove_query *q, const null_claim *claims, const described *d,
                    const char *seen)
{
    char got[OBSERVE_COLUMNS + 1] = { 0 };
    for (size_t i = 0; i < d->column_count; i++) {
        const null_claim *c = &claims[i];
        got[i] = c->not_null ? (c->elems_not_null ? 'E' : 'N') : seen[i] == '-' ? '-' : 'p';
        sum.columns++;
        sum.claimed += c->not_null ? 1 : 0;
        sum.nulls += seen[i] == '-' ? 1 : 0;
        sum.pessimistic += got[i] == 'p' ? 1 : 0;
        if (got[i] == 'p') {
            printf("# PESS: col %zu %s in %s :: %s\n", i, d->columns[i].name, q->sql, c->reason);
        }
        if (got[i] == 'p') {
            printf("# PESS: col %zu %s in %s :: %s\n", i, d->columns[i].name, q->sql, c->reason);
        }
        if ((c->not_null && seen[i] == '-') || (c->elems_not_null && seen[i] == 'n')) {
            sum.unsound++;
            printf("# UNSOUND: %s in %s\n#   %s\n", d->columns[i].name, q->sql, c->reason);
        }
    }
    if (strcmp(got, q->claims) != 0) {
        sum.unexpected++;
        printf("# claims of %s\n#   got  %s\n#   want %s\n", q->sql, got, q->claims);
    }
}

/* In the other worlds a query may fail, by a division or a key that is there already; the first
 * one is as the fixture made it. */
static pgc_status observe_worlds(live *l, const prove_query *q, size_t columns,
                                 char seen[static OBSERVE_COLUMNS + 1], pgc_error *err)
{
    TRY(observe(l->conn, q->sql, columns, seen, err));
    for (size_t i = 1; i < ARRAY_LEN(PROVE_WORLDS); i++) {
        (void) observe_in(l->conn, PROVE_WORLDS[i], q->sql, columns, seen, NULL);
    }
    return PGC_OK;
}

static void check_query(live *l, const prove_query *q)
{
    pgc_error err;
    described d = { .column_count = 0 };
    null_claim claims[OBSERVE_COLUMNS];
    char seen[OBSERVE_COLUMNS + 1] = { 0 };
    arena_reset(l->mem);
    sum.queries++;
    if (conn_describe(l->conn, "", q->sql, NULL, 0, l->mem, &d, &err) != PGC_OK ||
        observe_worlds(l, q, d.column_count, seen, &err) != PGC_OK ||
        prove_columns(l->cat, (slice) { q->sql, strlen(q->sql) }, d.column_count, l->mem, claims,
                      &err) != PGC_OK) {
        sum.miscounted++;
        printf("# not looked at: %s\n#   %s\n", q->sql, err.message);
        return;
    }
    if (d.column_count > 0 &&
        strcmp(claims[0].reason, "the columns of the statement are not certain") == 0 &&
        !q->star_refused) {
        sum.miscounted++;
        printf("# other columns than the server's: %s\n", q->sql);
    }
    compare(q, claims, &d, seen);
    check_expansion(l, q, &d);
}

static bool run_all(void)
{
    if (sum.ran) {
        return true;
    }
    const char *url = test_db_create();
    pgc_error err;
    live l = { .conn = NULL };
    catalog *cat = NULL;
    AUTO(arena_auto) arena *facts = arena_new(NULL, 0, 0);
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = url };
    if (url == NULL || facts == NULL || mem == NULL ||
        !CHECK_STATUS(pgc_conn_open(&options, &l.conn, &err), PGC_OK, &err)) {
        return CHECK(false);
    }
    bool ok = CHECK_STATUS(pgc_conn_script(l.conn, SETTINGS, 0, NULL, &err), PGC_OK, &err);
    for (size_t i = 0; ok && i < ARRAY_LEN(PROVE_FIXTURE); i++) {
        ok = CHECK_STATUS(pgc_conn_script(l.conn, PROVE_FIXTURE[i], 0, NULL, &err), PGC_OK, &err);
    }
    ok = ok && CHECK_STATUS(catalog_load(l.conn, facts, &cat, &err), PGC_OK, &err);
    l.cat = cat;
    l.mem = mem;
    for (size_t i = 0; ok && i < ARRAY_LEN(PROVE_QUERIES); i++) {
        check_query(&l, &PROVE_QUERIES[i]);
    }
    pgc_conn_close(l.conn);
    sum.ran = ok;
    if (ok) {
        printf("# %zu queries, %zu columns: %zu claimed, %zu showed NULL, %zu pessimistic (%.1f %% "
               "of the columns without NULL); %zu texts expanded\n",
               sum.queries, sum.columns, sum.claimed, sum.nulls, sum.pessimistic,
               100.0 * (double) sum.pessimistic / (double) (sum.columns - sum.nulls), sum.expanded);
    }
    return ok;
}

static void sound(void)
{
    REQUIRE(run_all());
    CHECK_INT(sum.unsound, 0);
    CHECK(sum.claimed > 300);
}

static void counted(void)
{
    REQUIRE(run_all());
    CHECK_INT(sum.miscounted, 0);
    CHECK(sum.queries >= 200);
}

static void expected(void)
{
    REQUIRE(run_all());
    CHECK_INT(sum.unexpected, 0);
}

static void few_are_pessimistic(void)
{
    REQUIRE(run_all());
    CHECK(sum.pessimistic * 50 < sum.columns - sum.nulls);
}

static void expanded(void)
{
    REQUIRE(run_all());
    CHECK_INT(sum.badly_expanded, 0);
    CHECK(sum.expanded > 50);
}

TAP_MAIN(TAP("prove live: no column claimed NOT NULL ever shows NULL", sound),
         TAP("prove live: as many columns as the server describes", counted),
         TAP("prove live: claims and register of pessimistic columns hold", expected),
         TAP("prove live: fewer than 2 % of the columns are over-pessimistic", few_are_pessimistic),
         TAP("prove live: an expanded star has the same names and types", expanded))
