/* Code over the generated functions, and its unit test without a server: the service takes the
 * table of interface.h, the test puts functions of its own into one. Compiled as C11 and C++17. */
#include "service.h"

#include <stdio.h>
#include <string.h>

#include "interface.h"

/* The service: who wrote anything, and how many they are. Not found is no failure here. */
static pgc_status greet(const lib_queries *queries, pgc_db *db, int64_t author_id, char *out,
                        size_t size, pgc_error *err)
{
    lib_author_set set = PGC_ZERO;
    int64_t count = 0;
    pgc_status status = queries->get_author(db, author_id, &set, err);
    if (status == PGC_NOT_FOUND) {
        (void) snprintf(out, size, "nobody");
        return PGC_OK;
    }
    if (status == PGC_OK) {
        status = queries->count_authors(db, &count, err);
    }
    if (status == PGC_OK) {
        (void) snprintf(out, size, "%s, one of %d", set.rows[0].name.ptr, (int) count);
    }
    lib_author_set_free(&set);
    return status;
}

/* A handle of the test: the functions get it as it is. */
typedef struct fake_db {
    pgc_db db;
    int calls;
    lib_author author;
} fake_db;

static pgc_status fake_get_author(pgc_db *db, int64_t author_id, lib_author_set *out,
                                  pgc_error *err)
{
    fake_db *fake = (fake_db *) db;
    fake->calls++;
    if (author_id != fake->author.author_id) {
        return pgc_error_set(err, PGC_NOT_FOUND, "no such author");
    }
    out->rows = lib_author_clone(&fake->author); /* one block, as of a detached set */
    out->count = 1;
    out->result = NULL;
    return out->rows == NULL ? pgc_error_set(err, PGC_NOMEM, "fake author") : PGC_OK;
}

static pgc_status fake_count(pgc_db *db, int64_t *out, pgc_error *err)
{
    (void) err;
    ((fake_db *) db)->calls++;
    *out = 12;
    return PGC_OK;
}

#define EXPECT(cond)                                                        \
    do {                                                                    \
        if (!(cond)) {                                                      \
            failed++;                                                       \
            (void) printf("service.c:%d: not true: %s\n", __LINE__, #cond); \
        }                                                                   \
    } while (0)

static int without_server(void)
{
    int failed = 0;
    char text[64] = "";
    pgc_error err = PGC_ZERO;
    fake_db fake = PGC_ZERO;
    lib_queries given = PGC_ZERO;
    fake.author.author_id = 7;
    fake.author.name = pgc_text_from("Ann");
    given.get_author = fake_get_author;
    lib_queries queries = lib_queries_with(&lib_queries_none, &given);
    EXPECT(greet(&queries, &fake.db, 8, text, sizeof text, &err) == PGC_OK);
    EXPECT(strcmp(text, "nobody") == 0);
    /* What was not given says so, and nothing reaches a server. */
    EXPECT(greet(&queries, &fake.db, 7, text, sizeof text, &err) == PGC_UNSUPPORTED);
    EXPECT(strstr(err.message, "lib_count_authors()") != NULL);
    queries.count_authors = fake_count;
    EXPECT(greet(&queries, &fake.db, 7, text, sizeof text, &err) == PGC_OK);
    EXPECT(strcmp(text, "Ann, one of 12") == 0);
    EXPECT(fake.calls == 4);
    lib_list_authors_iter it = PGC_ZERO;
    EXPECT(queries.list_authors_open(&fake.db, &it, &err) == PGC_UNSUPPORTED);
    queries.list_authors_close(&it);
    return failed;
}

int check_service(pgc_db *db, int64_t author_id)
{
    int failed = without_server();
    char text[64] = "";
    pgc_error err = PGC_ZERO;
    EXPECT(greet(&lib_queries_real, db, author_id, text, sizeof text, &err) == PGC_OK);
    EXPECT(strcmp(text, "Ann, one of 2") == 0);
    /* One function of the test's own among the real ones. */
    lib_queries given = PGC_ZERO;
    given.count_authors = fake_count;
    lib_queries mixed = lib_queries_with(&lib_queries_real, &given);
    EXPECT(mixed.get_author == lib_get_author && mixed.count_authors == fake_count);
    return failed;
}
