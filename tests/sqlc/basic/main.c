/* Uses the functions generated from queries/ against the database of the first argument. Compiled
 * as C11 and as C++17. Prints what is wrong; exit status 1 then. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pgc/conn.h>

#include "authors.h"
#include "books.h"
#include "service.h"

static int failures;

#define EXPECT(cond)                                                   \
    do {                                                               \
        if (!(cond)) {                                                 \
            failures++;                                                \
            (void) printf("line %d: not true: %s\n", __LINE__, #cond); \
        }                                                              \
    } while (0)

#define EXPECT_OK(call, err)                                                     \
    do {                                                                         \
        if ((call) != PGC_OK) {                                                  \
            failures++;                                                          \
            (void) printf("line %d: %s: %s\n", __LINE__, #call, (err)->message); \
        }                                                                        \
    } while (0)

static bool text_is(pgc_text text, const char *want)
{
    return text.ptr != NULL && text.len == strlen(want) && memcmp(text.ptr, want, text.len) == 0;
}

static int64_t create_author(pgc_db *db, const char *name, pgc_error *err)
{
    lib_create_author_params p = PGC_ZERO;
    lib_author_set set = PGC_ZERO;
    pgc_text tags[2];
    int64_t author_id = 0;
    tags[0] = pgc_text_from("poet");
    tags[1] = pgc_text_from(name);
    p.name = pgc_text_from(name);
    p.feels = LIB_MOOD_VERY_HAPPY;
    p.age.has = true;
    p.age.v = 41;
    p.tags.has = true;
    p.tags.count = 2;
    p.tags.v = tags;
    EXPECT_OK(lib_create_author(db, &p, &set, err), err);
    if (set.count == 1) {
        author_id = set.rows[0].author_id;
        EXPECT(text_is(set.rows[0].name, name));
        EXPECT(set.rows[0].bio.ptr == NULL);
        EXPECT(set.rows[0].feels == LIB_MOOD_VERY_HAPPY);
        EXPECT(!set.rows[0].felt.has);
        EXPECT(set.rows[0].age.has && set.rows[0].age.v == 41);
        EXPECT(set.rows[0].tags.count == 2 && text_is(set.rows[0].tags.v[1], name));
        EXPECT(set.rows[0].class_.ptr == NULL);
    }
    lib_author_set_free(&set);
    return author_id;
}

static void check_authors(pgc_db *db, int64_t first, int64_t second, pgc_error *err)
{
    lib_author_set set = PGC_ZERO;
    EXPECT_OK(lib_get_author(db, first, &set, err), err);
    lib_author *copy = set.count == 1 ? lib_author_clone(&set.rows[0]) : NULL;
    lib_author_set_free(&set);
    EXPECT(set.rows == NULL && set.result == NULL);
    EXPECT(copy != NULL && text_is(copy->name, "Ann") && text_is(copy->tags.v[0], "poet"));
    free(copy);
    EXPECT(lib_get_author(db, -1, &set, err) == PGC_NOT_FOUND);
    EXPECT_OK(lib_list_authors(db, &set, err), err);
    EXPECT(set.count == 2 && set.rows[1].author_id == second);
    lib_author_set_free(&set);
    int64_t ids[1];
    ids[0] = second;
    pgc_arr_i64 array = PGC_ZERO;
    array.has = true;
    array.count = 1;
    array.v = ids;
    EXPECT_OK(lib_list_authors_by_id(db, array, &set, err), err);
    EXPECT(set.count == 1 && set.rows[0].author_id == second);
    lib_author_set_free(&set);
    array.has = false;
    EXPECT(lib_list_authors_by_id(db, array, &set, err) == PGC_INVALID);
}

static void check_values(pgc_db *db, int64_t first, pgc_error *err)
{
    int64_t count = 0;
    int64_t affected = 0;
    pgc_opt_i32 age = PGC_ZERO;
    lib_mood feels = LIB_MOOD_UNKNOWN;
    lib_opt_mood felt = PGC_ZERO;
    lib_set_feeling_params p = PGC_ZERO;
    EXPECT_OK(lib_count_authors(db, &count, err), err);
    EXPECT(count == 2);
    EXPECT_OK(lib_max_age(db, &age, err), err);
    EXPECT(age.has && age.v == 41);
    EXPECT_OK(lib_get_feeling(db, first, &feels, err), err);
    EXPECT(feels == LIB_MOOD_VERY_HAPPY);
    EXPECT_OK(lib_get_felt(db, first, &felt, err), err);
    EXPECT(!felt.has);
    p.author_id = first;
    p.felt.has = true;
    p.felt.v = LIB_MOOD_SAD;
    EXPECT_OK(lib_set_feeling(db, &p, &affected, err), err);
    EXPECT(affected == 1);
    EXPECT_OK(lib_get_felt(db, first, &felt, err), err);
    EXPECT(felt.has && felt.v == LIB_MOOD_SAD);
    p.felt.v = LIB_MOOD_UNKNOWN;
    EXPECT(lib_set_feeling(db, &p, &affected, err) == PGC_INVALID);
    EXPECT(text_is(lib_mood_to_text(LIB_MOOD_OK), "ok"));
    EXPECT(lib_mood_from_text(pgc_text_from("angry")) == LIB_MOOD_UNKNOWN);
    EXPECT(!lib_mood_is_valid(LIB_MOOD_UNKNOWN));
    EXPECT(!lib_mood_is_valid((lib_mood) (sizeof lib_mood_values / sizeof lib_mood_values[0] + 1)));
    for (size_t i = 0; i < sizeof lib_mood_values / sizeof lib_mood_values[0]; i++) {
        EXPECT(lib_mood_is_valid(lib_mood_values[i]));
        EXPECT(lib_mood_from_text(lib_mood_to_text(lib_mood_values[i])) == lib_mood_values[i]);
    }
}

static void check_scalar_sets(pgc_db *db, int64_t first, pgc_error *err)
{
    lib_list_author_names_set names = PGC_ZERO;
    lib_list_feelings_set feelings = PGC_ZERO;
    lib_get_bio_set bio = PGC_ZERO;
    EXPECT_OK(lib_list_author_names(db, &names, err), err);
    EXPECT(names.count == 2 && text_is(names.rows[1], "Ben"));
    lib_list_author_names_set_free(&names);
    EXPECT_OK(lib_list_feelings(db, &feelings, err), err);
    EXPECT(feelings.count == 2 && feelings.rows[0].has && feelings.rows[0].v == LIB_MOOD_SAD);
    EXPECT(feelings.count == 2 && !feelings.rows[1].has);
    lib_list_feelings_set_free(&feelings);
    EXPECT_OK(lib_get_bio(db, first, &bio, err), err);
    EXPECT(bio.count == 1 && bio.rows[0].ptr == NULL);
    lib_get_bio_set_free(&bio);
}

static void check_rows(pgc_db *db, int64_t first, pgc_error *err)
{
    pgc_text wanted = pgc_text_from("Ann");
    pgc_arr_text tags = PGC_ZERO;
    lib_list_tagged_row_set tagged = PGC_ZERO;
    lib_author_summary_set summary = PGC_ZERO;
    lib_odd_texts_row_set odd = PGC_ZERO;
    tags.has = true;
    tags.count = 1;
    tags.v = &wanted;
    EXPECT_OK(lib_list_tagged(db, tags, &tagged, err), err);
    EXPECT(tagged.count == 1 && tagged.rows[0].author_id == first);
    lib_list_tagged_row_set_free(&tagged);
    EXPECT_OK(lib_summarise_author(db, first, &summary, err), err);
    EXPECT(summary.count == 1 && text_is(summary.rows[0].bio, ""));
    lib_author_summary_set_free(&summary);
    EXPECT_OK(lib_summarise_authors(db, &summary, err), err);
    EXPECT(summary.count == 2 && summary.rows[0].bio.ptr == NULL);
    lib_author_summary_set_free(&summary);
    EXPECT_OK(lib_odd_texts(db, &odd, err), err);
    EXPECT(odd.count == 1 && text_is(odd.rows[0].quoted, "?"
                                                         "?/ \"quoted\" \\ back"));
    EXPECT(odd.count == 1 && text_is(odd.rows[0].gr_e, "\303\266\303\244\342\202\254\n"));
    EXPECT(odd.count == 1 && odd.rows[0].class_ == 1 && odd.rows[0].n2nd == 2);
    lib_odd_texts_row_set_free(&odd);
}

static void check_book(const lib_book *book)
{
    EXPECT(text_is(book->title, "Verse"));
    EXPECT(book->price.present && pgc_numeric_to_double(&book->price) > 12.49);
    EXPECT(book->published.has && book->published.v.days == 1);
    EXPECT(book->embedding.dim == 3 && book->embedding.v[2] > 2.9F);
    EXPECT(book->half.dim == 3 && pgc_half_to_float(book->half.v[0]) > 0.9F);
    EXPECT(book->cover.len == 2 && book->cover.ptr[1] == 0);
    EXPECT(text_is(book->meta, "{\"a\": 1}"));
    EXPECT(text_is(book->raw, "[ 1 ]"));
    EXPECT(book->reading_time.has && book->reading_time.v.days == 2);
    EXPECT(book->opens.has && book->opens.v.us == 1000000);
    EXPECT(book->stars.has && book->stars.v > 4.4F);
    EXPECT(!book->weight.has);
    EXPECT(book->pages.has && book->pages.v == 300);
    EXPECT(book->in_print.has && book->in_print.v);
    EXPECT(book->seen.has && book->seen.v.us == 7);
    EXPECT(book->sizes.has && book->sizes.count == 2 && book->sizes.v[1] == -5);
}

static void create_book(pgc_db *db, int64_t author_id, pgc_error *err)
{
    static const float numbers[] = { 1.0F, 2.0F, 3.0F };
    static const uint8_t cover[] = { 255, 0 };
    static const int32_t sizes[] = { 4, -5 };
    uint16_t digits[PGC_NUMERIC_DIGITS_MAX];
    uint16_t halves[3];
    lib_create_book_params p = PGC_ZERO;
    lib_book_set set = PGC_ZERO;
    for (int i = 0; i < 3; i++) {
        halves[i] = pgc_half_from_float(numbers[i]);
    }
    p.book_id.bytes[0] = 9;
    p.author_id = author_id;
    p.title = pgc_text_from("Verse");
    EXPECT(pgc_numeric_parse(pgc_text_from("12.50"), digits, &p.price));
    p.published.has = true;
    p.published.v.days = 1;
    p.embedding.v = numbers;
    p.embedding.dim = 3;
    p.half.v = halves;
    p.half.dim = 3;
    p.cover.ptr = cover;
    p.cover.len = sizeof cover;
    p.meta = pgc_text_from("{\"a\":1}");
    p.raw = pgc_text_from("[ 1 ]");
    p.reading_time.has = true;
    p.reading_time.v.days = 2;
    p.opens.has = true;
    p.opens.v.us = 1000000;
    p.stars.has = true;
    p.stars.v = 4.5F;
    p.pages.has = true;
    p.pages.v = 300;
    p.in_print.has = true;
    p.in_print.v = true;
    p.seen.has = true;
    p.seen.v.us = 7;
    p.sizes.has = true;
    p.sizes.count = 2;
    p.sizes.v = sizes;
    EXPECT_OK(lib_create_book(db, &p, &set, err), err);
    lib_book *copy = set.count == 1 ? lib_book_clone(&set.rows[0]) : NULL;
    lib_book_set_free(&set);
    EXPECT(copy != NULL);
    if (copy != NULL) {
        check_book(copy);
    }
    free(copy);
    p.title.ptr = NULL;
    EXPECT(lib_create_book(db, &p, &set, err) == PGC_INVALID);
    EXPECT(strstr(err->message, "title") != NULL);
}

static void check_joins(pgc_db *db, pgc_error *err)
{
    lib_list_books_with_author_row_set books = PGC_ZERO;
    lib_list_authors_with_book_row_set authors = PGC_ZERO;
    EXPECT_OK(lib_list_books_with_author(db, &books, err), err);
    EXPECT(books.count == 1 && text_is(books.rows[0].a.name, "Ann"));
    if (books.count == 1) {
        check_book(&books.rows[0].b);
    }
    lib_list_books_with_author_row_set_free(&books);
    EXPECT_OK(lib_list_authors_with_book(db, &authors, err), err);
    EXPECT(authors.count == 2 && authors.rows[0].b.has && !authors.rows[1].b.has);
    if (authors.count == 2) {
        check_book(&authors.rows[0].b.v);
        EXPECT(!authors.rows[0].free && authors.rows[1].free);
        lib_list_authors_with_book_row *copy =
            lib_list_authors_with_book_row_clone(&authors.rows[0]);
        EXPECT(copy != NULL && copy->b.v.title.ptr != authors.rows[0].b.v.title.ptr);
        free(copy);
    }
    lib_list_authors_with_book_row_set_free(&authors);
}

static void check_others(pgc_db *db, int64_t first, pgc_error *err)
{
    static const float numbers[] = { 1.0F, 2.0F, 4.0F };
    int64_t affected = 0;
    lib_add_article_params article = PGC_ZERO;
    lib_list_articles_row_set articles = PGC_ZERO;
    lib_prolific_set prolific = PGC_ZERO;
    lib_nearest_params nearest = PGC_ZERO;
    lib_nearest_row_set near_rows = PGC_ZERO;
    lib_long_text_set words = PGC_ZERO;
    article.article_id = 5;
    article.weird_name = pgc_text_from("x");
    EXPECT_OK(lib_add_article(db, &article, &affected, err), err);
    EXPECT_OK(lib_list_articles(db, &articles, err), err);
    EXPECT(articles.count == 1 && text_is(articles.rows[0].articles.weird_name, "x"));
    lib_list_articles_row_set_free(&articles);
    EXPECT_OK(lib_list_prolific(db, &prolific, err), err);
    EXPECT(prolific.count == 1 && prolific.rows[0].books == 1);
    lib_prolific_set_free(&prolific);
    nearest.query.v = numbers;
    nearest.query.dim = 3;
    nearest.row_limit = 10;
    EXPECT_OK(lib_nearest(db, &nearest, &near_rows, err), err);
    EXPECT(near_rows.count == 1 && text_is(near_rows.rows[0].title, "Verse"));
    lib_nearest_row_set_free(&near_rows);
    EXPECT_OK(lib_long_text(db, &words, err), err);
    EXPECT(words.count == 1 && words.rows[0].len > 5000);
    lib_long_text_set_free(&words);
    EXPECT(lib_delete_author(db, first, err) == PGC_CONFLICT); /* books refer to it */
}

/* Last, because it takes columns away. Only what queries name counts. */
static void check_schema(pgc_conn *conn, pgc_error *err)
{
    pgc_db *db = pgc_conn_db(conn);
    EXPECT_OK(lib_schema_check(db, err), err);
    EXPECT_OK(pgc_conn_script(conn, "ALTER TABLE articles DROP words", 0, NULL, err), err);
    EXPECT_OK(lib_schema_check(db, err), err);
    EXPECT_OK(pgc_conn_script(conn, "ALTER TABLE books DROP weight, ALTER title DROP NOT NULL", 0,
                              NULL, err),
              err);
    EXPECT(lib_schema_check(db, err) == PGC_SCHEMA);
    EXPECT(strstr(err->message,
                  "2 differences: column \"title\" of public.books may be NULL, "
                  "expected NOT NULL; table public.books has no column \"weight\"") != NULL);
}

int main(int argc, char **argv)
{
    pgc_error err = PGC_ZERO;
    pgc_conn *conn = NULL;
    pgc_conn_options options = PGC_ZERO;
    options.struct_size = sizeof options;
    options.conninfo = argc > 1 ? argv[1] : "";
    if (pgc_conn_open(&options, &conn, &err) != PGC_OK) {
        (void) printf("connect: %s\n", err.message);
        return 1;
    }
    pgc_db *db = pgc_conn_db(conn);
    int64_t first = create_author(db, "Ann", &err);
    int64_t second = create_author(db, "Ben", &err);
    check_authors(db, first, second, &err);
    check_values(db, first, &err);
    check_scalar_sets(db, first, &err);
    check_rows(db, first, &err);
    create_book(db, first, &err);
    check_joins(db, &err);
    check_others(db, first, &err);
    failures += check_service(db, first);
    check_schema(conn, &err);
    pgc_conn_close(conn);
    return failures == 0 ? 0 : 1;
}
