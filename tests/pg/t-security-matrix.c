/* Every table × role × command × own or foreign row, and every rule about tables, policies, rights
 * and functions, both read from the catalogs (security_checks.sql); and the proof that they notice:
 * each policy, FORCE, foreign key and right is taken away or opened once. All in transactions that
 * are undone. */
#include "base/prelude.h"

#include "security.h"
#include "tap.h"

static const char *db_url;
static pgc_conn *conn; /* superuser */

/* One database for all cases: each undoes what it does. */
static bool set_up(void)
{
    char got[32];
    char state[6];
    if (conn != NULL) {
        return true;
    }
    conn = security_open(&db_url);
    if (conn == NULL) {
        return false;
    }
    schema_ask(conn, "SELECT checks.copy_rows()", got, sizeof got, state);
    return state[0] == '\0';
}

static void print_wrong(char **cells, void *arg)
{
    (void) arg;
    (void) printf("# %s\n", cells[0]);
}

static void the_rules_hold(void)
{
    REQUIRE(CHECK(set_up()));
    CHECK_INT(security_each(conn, "SELECT * FROM checks.violations()", 1, print_wrong, NULL), 0);
}

static void the_matrix_holds(void)
{
    REQUIRE(CHECK(set_up()));
    CHECK_INT(security_each(conn, "SELECT * FROM checks.matrix(NULL)", 1, print_wrong, NULL), 0);
}

/* Lines of a check inside the open transaction; -1 when it could not be asked. */
static long lines_of(const char *sql)
{
    char got[32];
    char state[6];
    schema_ask(conn, sql, got, sizeof got, state);
    return state[0] != '\0' ? -1 : strtol(got, NULL, 10);
}

/* cells: statement, its table, whether the matrix must notice. */
static void mutate(char **cells, void *arg)
{
    char got[32];
    char state[6];
    char sql[256];
    size_t *noticed = arg;
    schema_ask(conn, "BEGIN", got, sizeof got, state);
    schema_ask(conn, cells[0], got, sizeof got, state);
    if (!CHECK(state[0] == '\0')) {
        (void) printf("# %s: %s\n", cells[0], state);
    } else if (!CHECK(lines_of("SELECT count(*) FROM checks.violations()") > 0)) {
        (void) printf("# no rule misses: %s\n", cells[0]);
    }
    if (state[0] == '\0' && strcmp(cells[2], "t") == 0) {
        (void) snprintf(sql, sizeof sql, "SELECT count(*) FROM checks.matrix('%s')", cells[1]);
        if (CHECK(lines_of(sql) > 0)) {
            *noticed += 1;
        } else {
            (void) printf("# the matrix misses nothing without: %s\n", cells[0]);
        }
    }
    schema_ask(conn, "ROLLBACK", got, sizeof got, state);
}

static void mutate_all(const char *condition, bool matrix)
{
    char sql[256];
    size_t noticed = 0;
    REQUIRE(CHECK(set_up()));
    (void) snprintf(sql, sizeof sql,
                    "SELECT statement, table_name, seen::text::char(1) FROM checks.mutations "
                    "WHERE statement %s ORDER BY 1",
                    condition);
    size_t count = security_each(conn, sql, 3, mutate, &noticed);
    CHECK(count > 0);
    CHECK(!matrix || noticed > 0);
    (void) printf("# %zu mutations, %zu of them seen by the matrix too\n", count, noticed);
}

static void every_policy_is_missed(void)
{
    mutate_all("LIKE 'DROP POLICY%'", true);
}

static void every_open_policy_is_noticed(void)
{
    mutate_all("LIKE '% POLICY%' AND statement NOT LIKE 'DROP%'", true);
}

static void row_security_and_force_are_missed(void)
{
    mutate_all("LIKE '%ROW LEVEL SECURITY'", true);
}

static void every_foreign_key_and_owner_is_missed(void)
{
    mutate_all("LIKE '%DROP CONSTRAINT%' OR statement LIKE '%DROP NOT NULL'", true);
}

static void rights_and_functions_are_watched(void)
{
    mutate_all("!~ '(POLICY|SECURITY$|DROP )'", false);
}

/* What is taken away is counted once more, straight from PostgreSQL's own views: nothing that
 * protects a row may be missing among the mutations. */
static void nothing_is_left_out(void)
{
    static const struct {
        const char *what, *in_catalog, *in_mutations;
    } COUNTS[] = {
        { "policies", "SELECT count(*) FROM pg_policies WHERE schemaname = 'public'",
          "SELECT count(*) FROM checks.mutations WHERE statement LIKE 'DROP POLICY%'" },
        { "foreign keys",
          "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 AND "
          "connamespace = 'public'::regnamespace",
          "SELECT count(*) FROM checks.mutations WHERE statement LIKE '%DROP CONSTRAINT%'" },
        { "tables with FORCE",
          "SELECT count(*) FROM pg_class WHERE relforcerowsecurity AND relnamespace = "
          "'public'::regnamespace",
          "SELECT count(*) FROM checks.mutations WHERE statement LIKE '% NO FORCE ROW%'" },
    };
    REQUIRE(CHECK(set_up()));
    for (size_t i = 0; i < ARRAY_LEN(COUNTS); i++) {
        long there = lines_of(COUNTS[i].in_catalog);
        CHECK(there > 10);
        CHECK_INT(lines_of(COUNTS[i].in_mutations), there);
        (void) printf("# %ld %s\n", there, COUNTS[i].what);
    }
}

/* A table that somebody adds without thinking of any of this. */
static void a_new_table_is_caught(void)
{
    REQUIRE(CHECK(set_up()));
    CHECK_SQL(
        conn,
        "BEGIN; CREATE TABLE notes (note_id serial PRIMARY KEY, asset_id uuid, note text); "
        "SELECT count(*) >= 10 FROM checks.violations() WHERE strpos(violations, 'notes') > 0",
        "t");
    CHECK_SQL(conn,
              "ALTER TABLE notes ADD owner_id integer NOT NULL REFERENCES users; "
              "ALTER TABLE notes OWNER TO lumilio_owner; ALTER TABLE notes ENABLE ROW LEVEL "
              "SECURITY, FORCE ROW LEVEL SECURITY; "
              "DROP SCHEMA everything CASCADE; SELECT checks.copy_rows(); "
              "SELECT count(*) FROM checks.matrix('notes') WHERE matrix LIKE '%no rows of user%'",
              "2");
    CHECK_SQL(conn, "ROLLBACK", "");
    pgc_conn_close(TAKE(conn));
    test_db_drop(db_url);
}

TAP_MAIN(TAP("security: every rule about tables, policies, rights and functions holds",
             the_rules_hold),
         TAP("security: every table, role, command and row: own yes, foreign no", the_matrix_holds),
         TAP("security: every single policy is missed", every_policy_is_missed),
         TAP("security: every policy that lets all in is noticed", every_open_policy_is_noticed),
         TAP("security: row security and FORCE are missed on every table",
             row_security_and_force_are_missed),
         TAP("security: every foreign key and owner is missed",
             every_foreign_key_and_owner_is_missed),
         TAP("security: no policy, foreign key or FORCE of the catalogs is left out",
             nothing_is_left_out),
         TAP("security: rights, roles, views and functions are watched",
             rights_and_functions_are_watched),
         TAP("security: a new table is caught", a_new_table_is_caught))
