/* Generated functions that send many rows, under faults: each allocation of libpgc fails once, and
 * the server ends the connection in the middle. All or nothing is in the table, outputs are written
 * on success only, and nothing leaks. First argument: the database. Linked with --wrap=realloc and
 * --wrap=free, so that every block of the runtime is counted. Exit status 1 when something is
 * wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pgc/conn.h>

#include "queries.h"

#define ITEMS 40

static int failures, line_seen;
static const char *database;

static void expect(bool good, const char *what, int line, const pgc_error *err)
{
    if (!good && line != line_seen) {
        failures++;
        line_seen = line; /* once per place: loops would repeat it */
        (void) printf("line %d: not true: %s (%s)\n", line, what, err->message);
    }
}

#define EXPECT(cond) expect((cond), #cond, __LINE__, &err)

/* The allocator below libpgc. */
void *__real_realloc(void *ptr, size_t size);
void __real_free(void *ptr);
void *__wrap_realloc(void *ptr, size_t size);
void __wrap_free(void *ptr);
static long calls, fail_at, live;

void *__wrap_realloc(void *ptr, size_t size)
{
    calls++;
    if (fail_at != 0 && calls == fail_at) {
        return NULL;
    }
    void *made = __real_realloc(ptr, size);
    live += ptr == NULL && made != NULL ? 1 : 0;
    return made;
}

void __wrap_free(void *ptr)
{
    live -= ptr != NULL ? 1 : 0;
    __real_free(ptr);
}

static pgc_conn *connect_it(void)
{
    pgc_error err;
    pgc_conn *conn = NULL;
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = database };
    if (pgc_conn_open(&options, &conn, &err) != PGC_OK) {
        (void) printf("connect: %s\n", err.message);
        exit(1);
    }
    return conn;
}

static void script(const char *sql)
{
    pgc_error err;
    pgc_conn *conn = connect_it();
    if (pgc_conn_script(conn, sql, 0, NULL, &err) != PGC_OK) {
        (void) printf("%s: %s\n", sql, err.message);
        exit(1);
    }
    pgc_conn_close(conn);
}

static int64_t count_items(void)
{
    pgc_error err;
    int64_t count = -1;
    pgc_conn *conn = connect_it();
    EXPECT(f_count_items(pgc_conn_db(conn), &count, &err) == PGC_OK);
    pgc_conn_close(conn);
    return count;
}

/* One way to send rows. *done: the outputs say that it worked. */
typedef pgc_status (*work_fn)(pgc_db *db, bool *done, pgc_error *err);

static char names[ITEMS][24];

static pgc_text name_of(int i)
{
    (void) snprintf(names[i], sizeof names[i], "item %d", i);
    return pgc_text_from(names[i]);
}

static pgc_status copy_items(pgc_db *db, bool *done, pgc_error *err)
{
    f_copy_items_params rows[ITEMS];
    pgc_text words[2] = { pgc_text_from("a"), pgc_text_from("b") };
    int64_t affected = -1;
    memset(rows, 0, sizeof rows);
    for (int i = 0; i < ITEMS; i++) {
        rows[i].id = i;
        rows[i].name = name_of(i);
        rows[i].words.has = true;
        rows[i].words.count = 2;
        rows[i].words.v = words;
    }
    pgc_status status = f_copy_items(db, rows, ITEMS, &affected, err);
    *done = affected == ITEMS;
    return affected == -1 || affected == ITEMS ? status : PGC_PROTOCOL;
}

static pgc_status bulk_items(pgc_db *db, bool *done, pgc_error *err)
{
    f_bulk_items_params rows[ITEMS];
    f_bulk_items_row_set set = PGC_ZERO;
    memset(rows, 0, sizeof rows);
    for (int i = 0; i < ITEMS; i++) {
        rows[i].id = i;
        rows[i].name = name_of(i);
        rows[i].mood.has = i % 2 == 0;
        rows[i].mood.v = F_MOOD_OK;
    }
    pgc_status status = f_bulk_items(db, rows, ITEMS, &set, err);
    *done = set.count == ITEMS && set.rows[ITEMS - 1].id == ITEMS - 1;
    f_bulk_items_row_set_free(&set);
    return status;
}

/* Three kinds of items in one batch. The table has its rows already. */
static pgc_status batch(pgc_db *db, bool *done, pgc_error *err)
{
    pgc_pipeline *p = NULL;
    size_t renamed[ITEMS];
    size_t named = 0;
    size_t like = 0;
    pgc_status status = pgc_pipeline_open_db(db, PGC_PIPELINE_ATOMIC, NULL, &p, err);
    for (int i = 0; status == PGC_OK && i < ITEMS; i++) {
        f_rename_item_params item = { .name = name_of(i), .id = i };
        status = f_rename_item_add(p, &item, &renamed[i], err);
    }
    if (status == PGC_OK) {
        f_name_of_params one = { .id = 3 };
        status = f_name_of_add(p, &one, &named, err);
    }
    if (status == PGC_OK) {
        f_items_like_params many = { .pattern = pgc_text_from("item %") };
        status = f_items_like_add(p, &many, &like, err);
    }
    if (status == PGC_OK) {
        status = pgc_pipeline_run(p, err);
    }
    f_name_of_set one = PGC_ZERO;
    f_items_like_row_set many = PGC_ZERO;
    for (int i = 0; status == PGC_OK && i < ITEMS; i++) {
        status = f_rename_item_take(p, renamed[i], err);
    }
    if (status == PGC_OK) {
        status = f_name_of_take(p, named, &one, err);
    }
    if (status == PGC_OK) {
        status = f_items_like_take(p, like, &many, err);
    }
    *done = one.count == 1 && many.count == ITEMS;
    f_name_of_set_free(&one);
    f_items_like_row_set_free(&many);
    pgc_pipeline_close(p);
    return status;
}

typedef struct form {
    const char *before;
    work_fn work;
    int64_t rows_before; /* in the table when the work failed */
} form;

static const form FORMS[] = {
    { "TRUNCATE items", copy_items, 0 },
    { "TRUNCATE items", bulk_items, 0 },
    { "TRUNCATE items; INSERT INTO items SELECT i, 'x' FROM generate_series(0, 39) i", batch,
      ITEMS },
};

/* Each allocation of one call fails; the connection serves on, or is known to be lost. */
static void allocations_fail(const form *f)
{
    bool complete = false;
    pgc_error err = PGC_ZERO;
    long tried = 0;
    for (long k = 1; !complete && k < 5000; k++) {
        bool done = false;
        script(f->before);
        long before = live;
        pgc_conn *conn = connect_it();
        calls = 0;
        fail_at = k;
        pgc_status status = f->work(pgc_conn_db(conn), &done, &err);
        complete = calls < k;
        fail_at = 0;
        EXPECT(done == (status == PGC_OK));
        EXPECT(status == PGC_OK || status == PGC_NOMEM || status == PGC_CONNECTION);
        EXPECT(!complete || status == PGC_OK);
        EXPECT(!pgc_conn_alive(conn) || pgc_conn_ping(conn, 0, &err) == PGC_OK);
        pgc_conn_close(conn);
        EXPECT(live == before);
        /* Memory may end after the server has done its work: then all of it is there. */
        int64_t count = count_items();
        EXPECT(count == ITEMS || (count == f->rows_before && status != PGC_OK));
        tried = k;
    }
    EXPECT(complete);
    EXPECT(tried > 1);
}

static void cut(pgc_conn *conn)
{
    char sql[80];
    (void) snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%d, 5000)",
                    (int) pgc_conn_backend_pid(conn));
    script(sql);
}

/* The server ends the connection before the call: the call finds out on its way. */
static void connections_end(const form *f)
{
    bool done = false;
    pgc_error err = PGC_ZERO;
    script(f->before);
    long before = live;
    pgc_conn *conn = connect_it();
    cut(conn);
    EXPECT(f->work(pgc_conn_db(conn), &done, &err) == PGC_CONNECTION);
    EXPECT(!done);
    EXPECT(!pgc_conn_alive(conn));
    pgc_conn_close(conn);
    EXPECT(live == before);
    EXPECT(count_items() == f->rows_before);
}

/* Between two rows of a COPY. */
static void a_copy_is_cut(void)
{
    pgc_error err = PGC_ZERO;
    pgc_copy_in *copy = NULL;
    int64_t affected = -1;
    script("TRUNCATE items");
    pgc_conn *conn = connect_it();
    f_copy_items_params row = PGC_ZERO;
    row.name = name_of(1);
    EXPECT(f_copy_items_open(pgc_conn_db(conn), &copy, &err) == PGC_OK);
    EXPECT(f_copy_items_add(copy, &row, &err) == PGC_OK);
    cut(conn);
    pgc_status status = PGC_OK;
    for (int i = 1; status == PGC_OK && i < 100000; i++) {
        row.id = i;
        status = f_copy_items_add(copy, &row, &err);
    }
    if (status == PGC_OK) {
        status = pgc_copy_in_finish(&copy, &affected, &err);
    } else {
        pgc_copy_in_abort(copy, "cut");
    }
    EXPECT(status == PGC_CONNECTION);
    EXPECT(affected == -1);
    pgc_conn_close(conn);
    EXPECT(count_items() == 0);
}

/* Values that cannot be sent stop everything before a row reaches the table. */
static void bad_values_send_nothing(void)
{
    pgc_error err = PGC_ZERO;
    int64_t affected = -1;
    f_copy_items_params rows[2] = { PGC_ZERO, PGC_ZERO };
    f_bulk_items_params bulk[2] = { PGC_ZERO, PGC_ZERO };
    f_bulk_items_row_set set = PGC_ZERO;
    script("TRUNCATE items");
    pgc_conn *conn = connect_it();
    pgc_db *db = pgc_conn_db(conn);
    rows[0].name = bulk[0].name = pgc_text_from("x");
    EXPECT(f_copy_items(db, rows, 2, &affected, &err) == PGC_INVALID);
    EXPECT(strstr(err.message, "name") != NULL && affected == -1);
    EXPECT(f_bulk_items(db, bulk, 2, &set, &err) == PGC_INVALID);
    EXPECT(set.rows == NULL);
    rows[1].name = bulk[1].name = pgc_text_from("y"); /* the same key twice */
    EXPECT(f_copy_items(db, rows, 2, &affected, &err) == PGC_CONFLICT && affected == -1);
    EXPECT(f_bulk_items(db, bulk, 2, &set, &err) == PGC_CONFLICT && set.rows == NULL);
    EXPECT(pgc_conn_ping(conn, 0, &err) == PGC_OK);
    pgc_conn_close(conn);
    EXPECT(count_items() == 0);
}

int main(int argc, char **argv)
{
    database = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < sizeof FORMS / sizeof FORMS[0]; i++) {
        allocations_fail(&FORMS[i]);
        connections_end(&FORMS[i]);
    }
    a_copy_is_cut();
    bad_values_send_nothing();
    return failures == 0 ? 0 : 1;
}
