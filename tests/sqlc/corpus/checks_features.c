/* Features that values alone do not show. Compiles as C11 and C++17. */
#include <string.h>

#include "checks.h"
#include "coverage.h"
#include "flags.h"
#include "interface.h"
#include "select.h"
#include "shown.h"

/* No row is a status; a row with NULL is a value. */
void a_missing_row_is_no_null(pgc_db *db)
{
    corpus_show_maybe_set name = PGC_ZERO;
    int64_t id = 77;
    EXPECT(corpus_feature_opt(db, 1, &id, &last) == PGC_NOT_FOUND);
    EXPECT(id == 77);
    EXPECT(corpus_show_maybe(db, 99, &name, &last) == PGC_NOT_FOUND);
    EXPECT(name.count == 0 && name.rows == NULL);
    EXPECT_OK(corpus_show_maybe(db, 1, &name, &last));
    EXPECT(name.count == 1 && name.rows[0].ptr == NULL);
    corpus_show_maybe_set_free(&name);
}

/* Statements on the server that contain the words, and how often they ran. */
static corpus_show_prepared_row prepared(pgc_db *db, const char *words)
{
    corpus_show_prepared_row_set set = PGC_ZERO;
    corpus_show_prepared_row row;
    memset(&row, 0, sizeof row);
    EXPECT_OK(corpus_show_prepared(db, pgc_text_from(words), &set, &last));
    if (set.count == 1) {
        row = set.rows[0];
    }
    corpus_show_prepared_row_set_free(&set);
    return row;
}

void statements_are_prepared_once(pgc_db *db)
{
    int64_t count = 0;
    corpus_not_prepared_set ids = PGC_ZERO;
    const corpus_show_prepared_row before = prepared(db, "-- name: ReadOnly :one");
    for (int i = 0; i < 5; i++) {
        EXPECT_OK(corpus_read_only(db, &count, &last));
        EXPECT_OK(corpus_not_prepared(db, &ids, &last));
        corpus_not_prepared_set_free(&ids);
    }
    const corpus_show_prepared_row after = prepared(db, "-- name: ReadOnly :one");
    EXPECT(after.statements >= 1 && after.statements <= before.statements + 1);
    EXPECT(after.runs == before.runs + 5);
    EXPECT(prepared(db, "-- name: NotPrepared :many").statements == 0);
    EXPECT(prepared(db, "-- name: ShowPrepared :one").statements == 0);
}

/* Rows that nobody asks for are thrown away, and the connection is good for the next query. */
void a_stream_may_end_early(pgc_db *db)
{
    corpus_feature_stream_iter it = PGC_ZERO;
    bool more = false;
    int64_t count = 0;
    EXPECT_OK(corpus_feature_stream_open(db, &it, &last));
    for (int n = 1; n <= 3; n++) {
        EXPECT_OK(corpus_feature_stream_next(&it, &more, &last));
        EXPECT(more && it.row.n == n && it.row.filler.len == 100);
    }
    corpus_feature_stream_close(&it);
    EXPECT_OK(corpus_read_only(db, &count, &last));
    EXPECT(count == 3);
}

static int64_t asked_for;

static pgc_status nobody(pgc_db *db, int64_t id, corpus_person_set *out, pgc_error *err)
{
    (void) db;
    (void) out;
    (void) err;
    asked_for = id;
    return PGC_NOT_FOUND;
}

/* What a program would do: everything goes through the table. */
static bool exists(const corpus_queries *queries, pgc_db *db, int64_t id)
{
    corpus_person_set set = PGC_ZERO;
    bool found = queries->get_person(db, id, &set, &last) == PGC_OK;
    corpus_person_set_free(&set);
    return found;
}

void functions_can_be_replaced(pgc_db *db)
{
    corpus_queries table = corpus_queries_real;
    corpus_person_set set = PGC_ZERO;
    EXPECT(exists(&table, db, 1));
    table.get_person = nobody;
    EXPECT(!exists(&table, db, 1) && asked_for == 1);
    EXPECT_OK(table.list_people(db, &set, &last)); /* the others are what they were */
    EXPECT(set.count == 3);
    corpus_person_set_free(&set);
}

void the_schema_fits(pgc_db *db)
{
    EXPECT_OK(corpus_schema_check(db, &last));
}

void another_schema_is_noticed(pgc_db *db)
{
    EXPECT(corpus_schema_check(db, &last) == PGC_SCHEMA);
    EXPECT(strstr(last.message, "column \"path\" of public.thumbs") != NULL);
}
