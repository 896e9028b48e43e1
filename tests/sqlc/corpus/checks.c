/* Checks of values, written by hand against the generated functions. Compiles as C11 and C++17. */
#include "checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batches.h"
#include "bulk.h"
#include "dynamic.h"
#include "select.h"
#include "types.h"

static int failed;
pgc_error last;

void expect(bool good, const char *what, const char *file, int line)
{
    if (!good) {
        failed++;
        (void) printf("%s:%d: %s (%s)\n", file, line, what, last.message);
    }
}

static bool same(pgc_text text, const char *want)
{
    return text.ptr != NULL && text.len == strlen(want) && memcmp(text.ptr, want, text.len) == 0;
}

/* Titles of a call, joined: "sea,sun". */
static const char *titles(pgc_db *db, const corpus_filter_assets_params *p)
{
    static char text[200];
    corpus_filter_assets_row_set rows = PGC_ZERO;
    text[0] = '\0';
    if (corpus_filter_assets(db, p, &rows, &last) != PGC_OK) {
        return last.message;
    }
    for (size_t i = 0; i < rows.count; i++) {
        (void) strncat(text, i == 0 ? "" : ",", 2);
        (void) strncat(text, rows.rows[i].title.ptr, 20);
    }
    corpus_filter_assets_row_set_free(&rows);
    return text;
}

static void blocks_follow_their_parameters(pgc_db *db)
{
    corpus_filter_assets_params p = PGC_ZERO;
    p.sort = CORPUS_FILTER_ASSETS_SORT_TITLE;
    EXPECT(strcmp(titles(db, &p), "sea,sun,tree") == 0);
    p.owner.has = true;
    p.owner.v = 1;
    EXPECT(strcmp(titles(db, &p), "sea") == 0);
    p.kind.has = true;
    p.kind.v = CORPUS_KIND_VIDEO;
    EXPECT(strcmp(titles(db, &p), "") == 0);
    p.owner.has = false;
    EXPECT(strcmp(titles(db, &p), "tree") == 0);
}

static void a_switch_refuses_other_numbers(pgc_db *db)
{
    corpus_switch_direction_params p = PGC_ZERO;
    corpus_switch_direction_set set = PGC_ZERO;
    EXPECT_OK(corpus_switch_direction(db, &p, &set, &last));
    EXPECT(set.count == 3 && same(set.rows[0], "") && same(set.rows[2], "Cleo"));
    corpus_switch_direction_set_free(&set);
    p.direction = CORPUS_SWITCH_DIRECTION_DIRECTION_DOWN;
    EXPECT_OK(corpus_switch_direction(db, &p, &set, &last));
    EXPECT(set.count == 3 && same(set.rows[0], "Cleo"));
    corpus_switch_direction_set_free(&set);
    int number = 7;
    memcpy(&p.direction, &number, sizeof p.direction);
    EXPECT(corpus_switch_direction(db, &p, &set, &last) == PGC_INVALID);
    EXPECT(strstr(last.message, "direction is none of its values") != NULL);
    EXPECT(set.rows == NULL);
}

static void a_switch_sends_its_own_parameters(pgc_db *db)
{
    corpus_switch_with_params_params p = PGC_ZERO;
    corpus_switch_with_params_set set = PGC_ZERO;
    p.name = pgc_text_from("Cleo");
    p.mail = pgc_text_from("ann@x");
    p.score = 1;
    EXPECT_OK(corpus_switch_with_params(db, &p, &set, &last));
    EXPECT(set.count == 1 && set.rows[0] == 3);
    corpus_switch_with_params_set_free(&set);
    p.by = CORPUS_SWITCH_WITH_PARAMS_BY_MAIL;
    EXPECT_OK(corpus_switch_with_params(db, &p, &set, &last));
    EXPECT(set.count == 1 && set.rows[0] == 1);
    corpus_switch_with_params_set_free(&set);
    p.by = CORPUS_SWITCH_WITH_PARAMS_BY_SCORE;
    EXPECT_OK(corpus_switch_with_params(db, &p, &set, &last));
    EXPECT(set.count == 2); /* 1.5 and NaN, which is above all numbers */
    corpus_switch_with_params_set_free(&set);
}

static void flags_and_conditions(pgc_db *db)
{
    corpus_filter_with_flag_params flag = PGC_ZERO;
    corpus_filter_with_flag_row_set rows = PGC_ZERO;
    EXPECT_OK(corpus_filter_with_flag(db, &flag, &rows, &last));
    EXPECT(rows.count == 3);
    corpus_filter_with_flag_row_set_free(&rows);
    flag.with_people = true;
    EXPECT_OK(corpus_filter_with_flag(db, &flag, &rows, &last));
    EXPECT(rows.count == 2);
    corpus_filter_with_flag_row_set_free(&rows);

    corpus_optional_conditions_params all = PGC_ZERO;
    corpus_asset_set assets = PGC_ZERO;
    all.high = 1000;
    EXPECT_OK(corpus_optional_conditions(db, &all, &assets, &last));
    EXPECT(assets.count == 3);
    corpus_asset_set_free(&assets);
    all.owner.has = true;
    all.owner.v = 2;
    EXPECT_OK(corpus_optional_conditions(db, &all, &assets, &last));
    EXPECT(assets.count == 1 && same(assets.rows[0].title, "sun"));
    corpus_asset_set_free(&assets);
    all.low = 1;
    EXPECT_OK(corpus_optional_conditions(db, &all, &assets, &last));
    EXPECT(assets.count == 0);
    corpus_asset_set_free(&assets);
}

static void a_patch_changes_what_is_set(pgc_db *db)
{
    corpus_patch_person_params p = PGC_ZERO;
    corpus_person_set person = PGC_ZERO;
    int64_t affected = 0;
    p.id = 1;
    EXPECT_OK(corpus_patch_person(db, &p, &affected, &last));
    EXPECT(affected == 1);
    p.set_nick = true;
    p.set_score = true;
    p.score.has = true;
    p.score.v = 8;
    EXPECT_OK(corpus_patch_person(db, &p, &affected, &last));
    EXPECT_OK(corpus_get_person(db, 1, &person, &last));
    EXPECT(person.count == 1 && same(person.rows[0].name, "Ann"));
    EXPECT(person.count == 1 && person.rows[0].nick.ptr == NULL && person.rows[0].born.has);
    EXPECT(person.count == 1 && person.rows[0].score.has && person.rows[0].score.v > 7.5);
    corpus_person_set_free(&person);
}

static void iterators_give_the_same_rows(pgc_db *db)
{
    corpus_list_people_iter it = PGC_ZERO;
    bool more = false;
    int64_t ids = 0;
    EXPECT_OK(corpus_list_people_open(db, &it, &last));
    while (corpus_list_people_next(&it, &more, &last) == PGC_OK && more) {
        ids = ids * 10 + it.row.id;
    }
    corpus_list_people_close(&it);
    EXPECT(ids == 123);
    corpus_list_people_close(&it); /* once more is fine */
    EXPECT_OK(corpus_list_people_open(db, &it, &last));
    EXPECT_OK(corpus_list_people_next(&it, &more, &last));
    EXPECT(more && same(it.row.name, "Ann") && same(it.row.email, "ann@x"));
    corpus_list_people_close(&it); /* in the middle */
    EXPECT_OK(corpus_list_people_open(db, &it, &last));
    corpus_list_people_close(&it);
}

static void detached_rows_outlive_the_result(pgc_db *db)
{
    corpus_person_set set = PGC_ZERO;
    EXPECT_OK(corpus_person_set_detach(&set, &last)); /* an empty one */
    EXPECT_OK(corpus_list_people(db, &set, &last));
    EXPECT(set.result != NULL);
    EXPECT_OK(corpus_person_set_detach(&set, &last));
    EXPECT(set.result == NULL && set.count == 3);
    EXPECT(same(set.rows[0].email, "ann@x") && set.rows[1].email.ptr == NULL);
    EXPECT(same(set.rows[2].email, "") && same(set.rows[0].meta, "{\"a\": {\"b\": 1}}"));
    EXPECT_OK(corpus_person_set_detach(&set, &last)); /* twice */
    corpus_person *copy = corpus_person_clone(&set.rows[0]);
    corpus_person_set_free(&set);
    EXPECT(set.rows == NULL && set.count == 0);
    corpus_person_set_free(&set);
    EXPECT(copy != NULL && same(copy->name, "Ann"));
    free(copy);
}

static void items_of_two_queries_share_a_batch(pgc_db *db)
{
    pgc_pipeline *batch = NULL;
    size_t at[4] = { 0, 0, 0, 0 };
    corpus_batch_rename_params rename = PGC_ZERO;
    corpus_batch_person_name_params who = PGC_ZERO;
    corpus_batch_assets_of_params of = PGC_ZERO;
    corpus_batch_person_name_set name = PGC_ZERO;
    corpus_asset_set assets = PGC_ZERO;
    rename.id = who.id = 2;
    rename.name = pgc_text_from("Bea");
    of.owner = 1;
    EXPECT_OK(pgc_pipeline_open_db(db, PGC_PIPELINE_ATOMIC, NULL, &batch, &last));
    EXPECT_OK(corpus_batch_rename_add(batch, &rename, &at[0], &last));
    EXPECT_OK(corpus_batch_person_name_add(batch, &who, &at[1], &last));
    EXPECT_OK(corpus_batch_assets_of_add(batch, &of, &at[2], &last));
    who.id = 77;
    EXPECT_OK(corpus_batch_person_name_add(batch, &who, &at[3], &last));
    rename.name.ptr = NULL;
    EXPECT(corpus_batch_rename_add(batch, &rename, NULL, &last) == PGC_INVALID);
    EXPECT_OK(pgc_pipeline_run(batch, &last));
    EXPECT_OK(corpus_batch_rename_take(batch, at[0], &last));
    EXPECT_OK(corpus_batch_person_name_take(batch, at[1], &name, &last));
    EXPECT(name.count == 1 && same(name.rows[0], "Bea"));
    EXPECT_OK(corpus_batch_assets_of_take(batch, at[2], &assets, &last));
    EXPECT(assets.count == 1 && same(assets.rows[0].title, "sea"));
    corpus_batch_person_name_set_free(&name);
    corpus_asset_set_free(&assets);
    EXPECT(corpus_batch_person_name_take(batch, at[3], &name, &last) == PGC_NOT_FOUND);
    pgc_pipeline_close(batch);
}

static void rows_in_bulk_keep_their_order(pgc_db *db)
{
    corpus_bulk_upsert_params rows[3];
    corpus_bulk_upsert_row_set set = PGC_ZERO;
    memset(rows, 0, sizeof rows);
    for (int i = 0; i < 3; i++) {
        rows[i].id = 60 - i * 7;
    }
    rows[0].name = pgc_text_from("first");
    rows[1].name = pgc_text_from("");
    rows[2].name = pgc_text_from("third");
    EXPECT_OK(corpus_bulk_upsert(db, rows, 3, &set, &last));
    EXPECT(set.count == 3 && set.rows[0].id == 60 && set.rows[2].id == 46);
    EXPECT(set.count == 3 && same(set.rows[1].name, ""));
    corpus_bulk_upsert_row_set_free(&set);
    EXPECT_OK(corpus_bulk_upsert(db, rows, 0, &set, &last));
    EXPECT(set.count == 0);
    corpus_bulk_upsert_row_set_free(&set);
    rows[1].name.ptr = NULL;
    EXPECT(corpus_bulk_upsert(db, rows, 3, &set, &last) == PGC_INVALID);
}

/* The same rows through COPY and, under row-level security, through arrays. */
static void copy_guarded(pgc_db *db)
{
    corpus_copy_guarded_params rows[2];
    corpus_guarded_set set = PGC_ZERO;
    int64_t stored = 0;
    memset(rows, 0, sizeof rows);
    rows[0].id = 5;
    rows[0].kind.has = true;
    rows[0].kind.v = CORPUS_KIND_LIVE_PHOTO;
    rows[0].note = pgc_text_from("a\tb\\N");
    rows[0].at.has = true;
    rows[0].at.v.us = 1234567;
    rows[1].id = 6;
    EXPECT_OK(corpus_copy_guarded(db, rows, 2, &stored, &last));
    EXPECT(stored == 2);
    EXPECT_OK(corpus_list_guarded(db, &set, &last));
    EXPECT(set.count == 2 && set.rows[0].id == 5 && same(set.rows[0].note, "a\tb\\N"));
    EXPECT(set.count == 2 && set.rows[0].kind.v == CORPUS_KIND_LIVE_PHOTO);
    EXPECT(set.count == 2 && set.rows[0].at.v.us == 1234567);
    EXPECT(set.count == 2 && !set.rows[1].kind.has && set.rows[1].note.ptr == NULL);
    corpus_guarded_set_free(&set);
}

static void guarded_by_policies(pgc_db *db)
{
    copy_guarded(db);
}

static void types_come_back(pgc_db *db)
{
    corpus_more_scalar_set set = PGC_ZERO;
    EXPECT_OK(corpus_read_more_scalars(db, &set, &last));
    EXPECT(set.count == 2);
    if (set.count == 2) {
        const corpus_more_scalar *none = &set.rows[0];
        const corpus_more_scalar *row = &set.rows[1];
        EXPECT(!none->c_inet.has && !none->c_i4r.has && none->c_citext.ptr == NULL);
        EXPECT(row->c_inet.v.family == 6 && row->c_inet.v.addr[15] == 1);
        EXPECT(row->c_i4r.has && row->c_i4r.lower == 1 && row->c_i4r.upper == 5);
        EXPECT(row->c_i8r.has && row->c_i8r.flags == PGC_RANGE_EMPTY);
        EXPECT(row->c_i4m.count == 2 && row->c_i4m.v[1].lower == 5);
        EXPECT(row->c_money.v == 1250 && row->c_xid8.v == 9);
        EXPECT(row->c_macaddr.v.bytes[0] == 8 && row->c_bit.count == 4);
        EXPECT(same(row->c_jsonpath, "$.\"a\"") && same(row->c_ltree, "top.sub"));
        EXPECT(row->c_hstore.count == 2 && row->c_tsvector.count == 2);
        EXPECT(row->c_sparse.dim == 3 && row->c_sparse.indices[0] == 0);
        EXPECT(same(row->c_citext, "Word") && row->c_circle.v.radius > 0.5);
    }
    corpus_more_scalar_set_free(&set);
}

static void missing_rows_are_a_status(pgc_db *db)
{
    corpus_person_set set = PGC_ZERO;
    bool active = true;
    EXPECT(corpus_get_person(db, 99, &set, &last) == PGC_NOT_FOUND);
    EXPECT(set.rows == NULL && set.count == 0);
    EXPECT(corpus_person_is_active(db, 99, &active, &last) == PGC_NOT_FOUND);
    EXPECT(active); /* untouched */
}

static void commands_tell_their_tag(pgc_db *db)
{
    pgc_result *result = NULL;
    corpus_result_of_insert_params p = PGC_ZERO;
    p.id = 70;
    p.name = pgc_text_from("seventy");
    EXPECT_OK(corpus_result_of_insert(db, &p, &result, &last));
    EXPECT(strcmp(pgc_result_tag(result), "INSERT 0 1") == 0);
    EXPECT(pgc_result_affected(result) == 1);
    pgc_result_free(result);
}

typedef void check_fn(pgc_db *db);

static void run(pgc_conn *conn, const char *begin, check_fn *check)
{
    EXPECT_OK(pgc_conn_script(conn, begin, 0, NULL, &last));
    last.message[0] = '\0';
    check(pgc_conn_db(conn));
    EXPECT_OK(pgc_conn_script(conn, "ROLLBACK", 0, NULL, &last));
}

int corpus_checks(pgc_conn *conn)
{
    static check_fn *const CHECKS[] = { blocks_follow_their_parameters,
                                        a_switch_refuses_other_numbers,
                                        a_switch_sends_its_own_parameters,
                                        flags_and_conditions,
                                        a_patch_changes_what_is_set,
                                        iterators_give_the_same_rows,
                                        detached_rows_outlive_the_result,
                                        items_of_two_queries_share_a_batch,
                                        rows_in_bulk_keep_their_order,
                                        copy_guarded,
                                        types_come_back,
                                        missing_rows_are_a_status,
                                        commands_tell_their_tag,
                                        nested_values_are_read,
                                        nested_values_are_sent,
                                        nested_values_are_cloned,
                                        labels_inside_are_checked,
                                        overrides_are_followed,
                                        a_missing_row_is_no_null,
                                        statements_are_prepared_once,
                                        a_stream_may_end_early,
                                        functions_can_be_replaced,
                                        the_schema_fits };
    for (size_t i = 0; i < sizeof CHECKS / sizeof CHECKS[0]; i++) {
        run(conn, "BEGIN", CHECKS[i]);
    }
    run(conn, "BEGIN; ALTER TABLE thumbs ALTER COLUMN path TYPE varchar(9)",
        another_schema_is_noticed);
    run(conn,
        "BEGIN; CREATE ROLE corpus_guest; GRANT ALL ON guarded TO corpus_guest;"
        " SET LOCAL ROLE corpus_guest",
        guarded_by_policies);
    return failed;
}
