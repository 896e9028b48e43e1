/* PostgreSQL for tests: a server for the process and an empty database for each case.
 *
 *     static void finds_the_row(void)
 *     {
 *         const char *url = test_db_create();
 *         REQUIRE(url != NULL);
 *         ... pgc_conn_open() with url ...
 *     }
 *
 * The server is the one that TEST_DATABASE_URL names (`./dev test` starts one for the whole run by
 * build/tests/test-cluster and sets it), else a throw-away one of this process, started at the
 * first call and removed at exit: a test program run alone works too. Databases have unique names,
 * so test programs run side by side; they are dropped at exit. A child made by fork() may use what
 * its parent made, and must end by _exit(). One thread at a time. */
#ifndef TEST_PG_H
#define TEST_PG_H

/* Connection string of the server as superuser, database "postgres"; for roles and other things
 * that all databases share (give those unique names, too). NULL after a diagnostic line when there
 * is no server to be had. Static memory. */
const char *test_server(void);

/* Connection string of a new, empty database; NULL after a diagnostic line. Lives until exit. */
const char *test_db_create(void);

/* A copy of the database `name`; nobody may be connected to it. NULL: of the one that the variable
 * TEST_TEMPLATE names, which is prepared once per run; empty when that is not set either. */
const char *test_db_create_from(const char *name);

/* Drop a database before the end, given what test_db_create() returned; its string dies. */
void test_db_drop(const char *url);

#endif
