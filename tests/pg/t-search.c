/* Search on a real server: names, texts and meaning, alone and together, filters, pages and what is
 * refused. One library for all cases; each has a user of its own. */
#include "base/prelude.h"

#include <pgc/error.h>

#include "http_server.h"
#include "person.h"
#include "schema.h"
#include "service/embedding.h"
#include "service/search.h"
#include "tap.h"
#include "vectors.h"

#define DIM LUM_EMBEDDING_DIM

static test_library lib;

static void begins(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    REQUIRE(CHECK(test_library_make(&lib)));
    REQUIRE(CHECK_STATUS(test_library_open(&lib, &err) ? PGC_OK : err.status, PGC_OK, &err));
}

static void ends(void)
{
    test_library_remove(&lib);
    CHECK(lib.library == NULL);
}

/* As the database's superuser, of whom no policy asks. */
static void run_sql(const char *sql)
{
    char got[64];
    char state[6];
    pgc_conn *conn = schema_connect(lib.url);
    if (CHECK(conn != NULL)) {
        schema_ask(conn, sql, got, sizeof got, state);
        CHECK_STR(state, "");
    }
    pgc_conn_close(conn);
}

/* Names of the hits, best first; the message of an error. */
static const char *find_with(const person *who, const lum_search_request *request)
{
    static char text[4096];
    pgc_error err;
    pgc_error_clear(&err);
    lum_search_page page = PGC_ZERO;
    size_t used = 0;
    text[0] = '\0';
    if (lum_search(who->actor, request, &page, &err) != PGC_OK) {
        (void) snprintf(text, sizeof text, "error: %.900s", err.message);
        return text;
    }
    for (size_t i = 0; i < page.hits.count && used < sizeof text; i++) {
        used +=
            (size_t) snprintf(text + used, sizeof text - used, "%s%" SLICE_FMT, i > 0 ? " | " : "",
                              SLICE_ARG(page.hits.rows[i].a.original_filename));
    }
    lum_search_page_free(&page);
    return text;
}

static const char *find(const person *who, lum_search_by by, const char *query)
{
    const lum_search_request request = { .query = query, .by = by, .limit = 20 };
    return find_with(who, &request);
}

static const float *along(size_t axis)
{
    static float v[DIM];
    for (size_t i = 0; i < DIM; i++) {
        v[i] = i == axis ? 1 : 0.01f;
    }
    return v;
}

static pgc_uuid add_with_vector(const person *owner, const char *name, const float *vector)
{
    pgc_error err;
    pgc_error_clear(&err);
    pgc_uuid id = person_add(owner, name);
    CHECK_STATUS(lum_embedding_save(owner->actor, id, vector, DIM, NULL, NULL, &err), PGC_OK, &err);
    return id;
}

static void names_are_found_by_their_words(void)
{
    PERSON(&lib, owner);
    (void) person_add(&owner, "beach-paris-2019.jpg");
    (void) person_add(&owner, "IMG_1234.JPG");
    (void) person_add(&owner, "HolidayInRome2020.heic");
    CHECK_STR(find(&owner, LUM_SEARCH_NAME, "beach"), "beach-paris-2019.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_NAME, "PARIS beach"), "beach-paris-2019.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_NAME, "1234"), "IMG_1234.JPG");
    CHECK_STR(find(&owner, LUM_SEARCH_NAME, "rome 20"), "HolidayInRome2020.heic");
    CHECK_STR(find(&owner, LUM_SEARCH_NAME, "holi"), "HolidayInRome2020.heic");
    CHECK_STR(find(&owner, LUM_SEARCH_NAME, "20"), "HolidayInRome2020.heic | beach-paris-2019.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_NAME, "beach rome"), "");
}

static void parts_of_names_are_found_from_three_characters_on(void)
{
    PERSON(&lib, owner);
    (void) person_add(&owner, "panorama.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_NAME, "nora"), "panorama.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_NAME, "rama.jp"), "panorama.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_NAME, "no"), ""); /* no word begins so */
    CHECK_STR(find(&owner, LUM_SEARCH_NAME, "pa"), "panorama.jpg");
}

/* Of more rows than a look into the index takes: first the newest are walked, then all are read. */
static void what_is_frequent_is_found_newest_first(void)
{
    PERSON(&lib, owner);
    char sql[640];
    (void) snprintf(sql, sizeof sql,
                    "INSERT INTO assets (asset_id, original_filename, file_path, file_size, "
                    "file_hash, asset_type, owner_id, uploaded_at) SELECT gen_random_uuid(), CASE "
                    "WHEN i <= 2600 THEN 'oak ' ELSE 'birch ' END || i || '.jpg', 'x', 1, "
                    "'sha256:tree' || i, CASE WHEN i IN (5, 3000) THEN 'video' ELSE 'photo' END, "
                    "%" PRId32 ", timestamptz '2020-01-01' + i * interval '1 minute' "
                    "FROM generate_series(1, 18600) i",
                    owner.id);
    run_sql(sql);
    const lum_filter videos = { .asset_type = SLICE("video") };
    for (lum_search_by by = LUM_SEARCH_NAME; by <= LUM_SEARCH_TEXT; by++) {
        lum_search_request request = { .query = "birch", .by = by, .limit = 2 };
        CHECK_STR(find_with(&owner, &request), "birch 18600.jpg | birch 18599.jpg");
        request.query = "oak";
        CHECK_STR(find_with(&owner, &request), "oak 2600.jpg | oak 2599.jpg");
        request.filter = &videos;
        CHECK_STR(find_with(&owner, &request), "oak 5.jpg");
        request.query = "birch";
        CHECK_STR(find_with(&owner, &request), "birch 3000.jpg");
        request = (lum_search_request) { .query = "oak", .by = by, .limit = 1000 };
        static const size_t PAGES[] = { 1000, 1000, 600 };
        char after[LUM_SEARCH_CURSOR_SIZE];
        for (size_t i = 0; i < ARRAY_LEN(PAGES); i++) {
            lum_search_page page = PGC_ZERO;
            REQUIRE_OK(lum_search(owner.actor, &request, &page, &err), &err);
            CHECK_INT(page.hits.count, PAGES[i]);
            (void) snprintf(after, sizeof after, "%s", page.next);
            request.after = after;
            lum_search_page_free(&page);
        }
        CHECK_STR(after, "");
    }
}

static void the_exact_name_comes_first(void)
{
    PERSON(&lib, owner);
    (void) person_add(&owner, "sea.jpg");
    (void) person_add(&owner, "at sea.jpg");
    (void) person_add(&owner, "sea.jpg.heic");
    CHECK_STR(find(&owner, LUM_SEARCH_NAME, "SEA.jpg"), "sea.jpg | sea.jpg.heic | at sea.jpg");
}

static void wildcards_are_ordinary_characters(void)
{
    PERSON(&lib, owner);
    (void) person_add(&owner, "a_b%c\\d.jpg");
    (void) person_add(&owner, "aXbYcZd.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_NAME, "a_b%"), "a_b%c\\d.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_NAME, "c\\d"), "a_b%c\\d.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_NAME, "%%%"), "");
    CHECK_STR(find(&owner, LUM_SEARCH_NAME, "___"), "");
}

static void accents_and_case_do_not_matter(void)
{
    PERSON(&lib, owner);
    (void) person_add(&owner, "Zürich Café.jpg");
    (void) person_add(&owner, "Smørrebrød.jpg");
    (void) person_add(&owner, "Straße.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_NAME, "zurich"), "Zürich Café.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_NAME, "CAFÉ"), "Zürich Café.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "cafe zurich"), "Zürich Café.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_NAME, "smorrebrod"), "Smørrebrød.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_NAME, "strasse"), "Straße.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_NAME, "STRAßE"), "Straße.jpg");
    /* Taken apart by Unicode, as some file systems store it. */
    CHECK_STR(find(&owner, LUM_SEARCH_NAME, "Zu\xcc\x88rich"), "Zürich Café.jpg");
}

static void scripts_without_blanks_are_found_by_any_part(void)
{
    PERSON(&lib, owner);
    (void) person_add(&owner, "IMG海边日落2019.jpg");
    (void) person_add(&owner, "京都の紅葉.jpg");
    (void) person_add(&owner, "서울야경.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "海边"), "IMG海边日落2019.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "边日落"), "IMG海边日落2019.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "落"), "IMG海边日落2019.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "海边 2019"), "IMG海边日落2019.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "日海"), "");
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "紅葉"), "京都の紅葉.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_NAME, "야경"), "서울야경.jpg");
}

/* Everything that is written about a photo, and it follows every change. */
static void texts_are_kept_as_they_change(void)
{
    PERSON(&lib, owner);
    char sql[1024];
    char id[PGC_UUID_TEXT_SIZE];
    repo_create_asset_params row = person_photo(&owner, "p1.jpg");
    row.camera_model = SLICE("NIKON D850");
    pgc_uuid asset_id = person_add_row(&owner, &row);
    (void) person_add(&owner, "p2.jpg");
    pgc_uuid_format(&asset_id, id);
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "nikon"), "p1.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "d850"), "p1.jpg");
    repo_asset_set changed = PGC_ZERO;
    const pgc_text change = SLICE("{\"description\": \"Ein Spaziergang\"}");
    REQUIRE_OK(lum_asset_update_metadata(owner.actor, asset_id, change, &changed, &err), &err);
    repo_asset_set_free(&changed);
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "spaziergang"), "p1.jpg");
    (void) snprintf(sql, sizeof sql,
                    "INSERT INTO tags (name, owner_id) VALUES ('Geburtstag', %" PRId32 ");"
                    "INSERT INTO asset_tags (asset_id, tag_id, owner_id) SELECT '%s', tag_id, "
                    "%" PRId32 " FROM tags WHERE name = 'Geburtstag';"
                    "INSERT INTO albums (name, owner_id) VALUES ('Alpen 2020', %" PRId32 ");"
                    "INSERT INTO album_assets (album_id, asset_id, owner_id) SELECT album_id, '%s',"
                    " %" PRId32 " FROM albums WHERE name = 'Alpen 2020'",
                    owner.id, id, owner.id, owner.id, id, owner.id);
    run_sql(sql);
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "geburtstag"), "p1.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "alpen nikon spazier"), "p1.jpg");
    run_sql("UPDATE tags SET name = 'Hochzeit' WHERE name = 'Geburtstag';"
            "UPDATE albums SET name = 'Pyrenäen' WHERE name = 'Alpen 2020'");
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "geburtstag"), "");
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "alpen"), "");
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "hochzeit pyrenaen"), "p1.jpg");
    run_sql("DELETE FROM tags WHERE name = 'Hochzeit'; DELETE FROM albums WHERE name = 'Pyrenäen'");
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "hochzeit"), "");
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "pyrenaen"), "");
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "spaziergang"), "p1.jpg");
}

static void texts_are_searched_as_on_the_web(void)
{
    PERSON(&lib, owner);
    repo_create_asset_params row = person_photo(&owner, "1.jpg");
    row.description = SLICE("a red house by the sea");
    (void) person_add_row(&owner, &row);
    row = person_photo(&owner, "2.jpg");
    row.description = SLICE("the sea and a house, red roof");
    (void) person_add_row(&owner, &row);
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "red house"), "2.jpg | 1.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "\"red house\""), "1.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "house -roof"), "1.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "roof or \"by the sea\""), "2.jpg | 1.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "red-house"), "2.jpg | 1.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "\"\""), "");
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "& | ! :* <-> ("), "");
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "-\"'"), "");
}

static void the_nearest_by_meaning_come_first(void)
{
    PERSON(&lib, owner);
    AUTO(person_done) person other;
    REQUIRE(person_make(&lib, &other, "owner_of_other_vectors"));
    float v[DIM];
    memcpy(v, along(1), sizeof v);
    v[2] = 0.5f;
    (void) add_with_vector(&owner, "one.jpg", along(1));
    (void) add_with_vector(&owner, "between.jpg", v);
    (void) add_with_vector(&owner, "two.jpg", along(2));
    (void) add_with_vector(&other, "theirs.jpg", along(1));
    lum_search_request request = {
        .query = "anything", .by = LUM_SEARCH_MEANING, .vector = along(1), .limit = 20
    };
    CHECK_STR(find_with(&owner, &request), "one.jpg | between.jpg | two.jpg");
    CHECK_STR(find_with(&other, &request), "theirs.jpg");
    request.exact_most = 1; /* by the graph */
    CHECK_STR(find_with(&owner, &request), "one.jpg | between.jpg | two.jpg");
    request.limit = 1;
    CHECK_STR(find_with(&owner, &request), "one.jpg");
    lum_search_page page = PGC_ZERO;
    request.exact_most = 0;
    REQUIRE_OK(lum_search(owner.actor, &request, &page, &err), &err);
    CHECK_INT(page.hits.rows[0].meaning_rank.v, 1);
    CHECK(page.hits.rows[0].distance.has && fabs(page.hits.rows[0].distance.v) < 1e-3);
    CHECK(slice_eq_str(page.hits.rows[0].route, "exact"));
    lum_search_page_free(&page);
}

static void photos_like_one_are_found_without_itself(void)
{
    PERSON(&lib, owner);
    AUTO(person_done) person other;
    REQUIRE(person_make(&lib, &other, "owner_of_a_likeness"));
    pgc_uuid one = add_with_vector(&owner, "one.jpg", along(5));
    pgc_uuid bare = person_add(&owner, "bare.jpg");
    (void) add_with_vector(&owner, "two.jpg", along(6));
    lum_search_request request = { .like_asset_id = { true, one }, .limit = 20 };
    CHECK_STR(find_with(&owner, &request), "two.jpg");
    CHECK(strstr(find_with(&other, &request), "error:") != NULL);
    request.like_asset_id.v = bare;
    CHECK(strstr(find_with(&owner, &request), "it has none by this model") != NULL);
}

static void all_ways_together_tell_the_rank_of_each(void)
{
    PERSON(&lib, owner);
    repo_create_asset_params row = person_photo(&owner, "dog.jpg");
    row.description = SLICE("my dog");
    pgc_uuid dog = person_add_row(&owner, &row);
    (void) add_with_vector(&owner, "cat.jpg", along(2));
    (void) add_with_vector(&owner, "puppy.jpg", along(1));
    REQUIRE_OK(lum_embedding_save(owner.actor, dog, along(1), DIM, NULL, NULL, &err), &err);
    lum_search_request request = { .query = "dog", .vector = along(1), .limit = 20 };
    CHECK_STR(find_with(&owner, &request), "dog.jpg | puppy.jpg | cat.jpg");
    lum_search_page page = PGC_ZERO;
    REQUIRE_OK(lum_search(owner.actor, &request, &page, &err), &err);
    REQUIRE(CHECK(page.hits.count == 3));
    const repo_search_hits_row *first = &page.hits.rows[0];
    const repo_search_hits_row *second = &page.hits.rows[1];
    CHECK_INT(first->name_rank.v, 1);
    CHECK_INT(first->text_rank.v, 1);
    CHECK(first->text_score.has && first->text_score.v > 0);
    CHECK(first->meaning_rank.has && first->meaning_rank.v <= 2);
    CHECK(fabs(first->score - (0.6 / 61 + 0.8 / 61 + 1.0 / (60 + first->meaning_rank.v))) < 1e-9);
    CHECK(!second->name_rank.has && !second->text_rank.has && second->distance.has);
    lum_search_page_free(&page);
    request.vector = NULL; /* nobody can embed the text: names and texts answer */
    CHECK_STR(find_with(&owner, &request), "dog.jpg");
}

/* The other side answers with a vector, or is not there. */
static void texts_are_embedded_or_it_is_said_that_not(void)
{
    PERSON(&lib, owner);
    static http_server server;
    static char body[16384];
    REQUIRE(CHECK(http_server_open(&server)));
    size_t used = (size_t) snprintf(body, sizeof body, "{\"clip\": \"[0.01");
    for (size_t i = 1; i < DIM; i++) {
        used += (size_t) snprintf(body + used, sizeof body - used, i == 9 ? ",1" : ",0.01");
    }
    (void) snprintf(body + used, sizeof body - used, "]\"}");
    const http_answer answer = { 200, body, HTTP_FINE };
    http_server_say(&server, &answer, 1);
    (void) add_with_vector(&owner, "nine.jpg", along(9));
    (void) add_with_vector(&owner, "beach.jpg", along(2));
    lum_search_request request = { .query = "beach", .by = LUM_SEARCH_MEANING, .limit = 20 };
    ml_options options = { .api = ML_API_IMMICH, .url = server.url, .tries = 1 };
    lum_search_page page = PGC_ZERO;
    REQUIRE_OK(ml_open(NULL, &options, &request.embedder, &err), &err);
    CHECK_STR(find_with(&owner, &request), "nine.jpg | beach.jpg");
    CHECK(http_server_got(&server, "\"modelName\":\"clip-vit-base\"")); /* the active one */
    CHECK(http_server_got(&server, "beach"));
    request.by = LUM_SEARCH_NAME;
    CHECK_STR(find_with(&owner, &request), "beach.jpg");
    CHECK_INT(http_server_asked(&server), 1); /* names need no vector */
    ml_close(request.embedder);
    http_server_close(&server);
    options.url = "http://127.0.0.1:1";
    REQUIRE_OK(ml_open(NULL, &options, &request.embedder, &err), &err);
    request.by = LUM_SEARCH_ALL;
    REQUIRE_OK(lum_search(owner.actor, &request, &page, &err), &err);
    CHECK_INT(page.hits.count, 1);
    CHECK(strstr(page.without_meaning, "127.0.0.1") != NULL);
    lum_search_page_free(&page);
    request.by = LUM_SEARCH_MEANING;
    CHECK_STATUS(lum_search(owner.actor, &request, &page, &err), PGC_CONNECTION, &err);
    CHECK(person_says(&err, "search by meaning"));
    ml_close(request.embedder);
}

static void trash_is_not_searched(void)
{
    PERSON(&lib, owner);
    pgc_uuid gone = add_with_vector(&owner, "lost dog.jpg", along(1));
    (void) add_with_vector(&owner, "dog.jpg", along(1));
    REQUIRE_OK(lum_asset_delete(owner.actor, gone, &err), &err);
    const lum_search_request request = { .query = "dog", .vector = along(1), .limit = 20 };
    CHECK_STR(find_with(&owner, &request), "dog.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_NAME, "dog"), "dog.jpg");
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "dog"), "dog.jpg");
    REQUIRE_OK(lum_asset_restore(owner.actor, gone, &err), &err);
    CHECK_STR(find(&owner, LUM_SEARCH_TEXT, "lost"), "lost dog.jpg");
}

/* Every member of the filter alone, for every way of searching. */
static void filters_hold_for_every_way(void)
{
    PERSON(&lib, owner);
    char sql[1024];
    char id[PGC_UUID_TEXT_SIZE];
    repo_create_asset_params row = person_photo(&owner, "yes dog.jpg");
    row.asset_type = SLICE("video");
    row.camera_model = SLICE("X100");
    row.rating = (pgc_opt_i32) { true, 4 };
    row.is_raw = true;
    row.uploaded_at = pgc_timestamptz_from_unix_us(INT64_C(1000000000000000));
    pgc_uuid yes = person_add_row(&owner, &row);
    pgc_uuid no = add_with_vector(&owner, "no dog.jpg", along(1));
    REQUIRE_OK(lum_embedding_save(owner.actor, yes, along(1), DIM, NULL, NULL, &err), &err);
    pgc_uuid_format(&yes, id);
    (void) snprintf(
        sql, sizeof sql,
        "INSERT INTO tags (tag_id, name, owner_id) VALUES (900001, 'f1', %" PRId32 "), "
        "(900002, 'f2', %" PRId32 ");"
        "INSERT INTO asset_tags (asset_id, tag_id, owner_id) SELECT '%s', t, %" PRId32
        " FROM unnest(ARRAY[900001, 900002]) t;"
        "INSERT INTO albums (album_id, name, owner_id) VALUES (900001, 'f', %" PRId32 ");"
        "INSERT INTO album_assets (album_id, asset_id, owner_id) VALUES (900001, '%s', %" PRId32
        ");"
        "UPDATE assets SET liked = true, latitude = 1, longitude = 2 WHERE asset_id = '%s'",
        owner.id, owner.id, id, owner.id, owner.id, id, owner.id, id);
    run_sql(sql);
    pgc_uuid_format(&no, id);
    (void) snprintf(sql, sizeof sql,
                    "INSERT INTO asset_tags (asset_id, tag_id, owner_id) VALUES ('%s', 900001, "
                    "%" PRId32 ")",
                    id, owner.id);
    run_sql(sql);
    static const pgc_text TAGS[] = { SLICE("f1"), SLICE("f2") };
    const lum_moment middle = { true, true, INT64_C(100000000000000) + 1 }; /* 2003 */
    const lum_filter filters[] = {
        { .asset_type = SLICE("video") },  { .album_id = { true, 900001 } },
        { .tags_all = { TAGS, 2 } },       { .taken_before = middle },
        { .rating_min = { true, 4 } },     { .liked = { true, true } },
        { .is_raw = { true, true } },      { .has_place = { true, true } },
        { .camera_model = SLICE("X100") },
    };
    for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
        for (int exact = 0; exact <= 1; exact++) {
            lum_search_request request = { .query = "dog",
                                           .vector = along(1),
                                           .filter = &filters[i],
                                           .limit = 20,
                                           .exact_most = exact == 0 ? 20000 : 1 };
            for (int by = LUM_SEARCH_ALL; by <= LUM_SEARCH_MEANING; by++) {
                request.by = (lum_search_by) by;
                CHECK_STR(find_with(&owner, &request), "yes dog.jpg");
            }
        }
    }
    const lum_filter since = { .taken_from = middle };
    const lum_search_request later = { .query = "dog", .filter = &since, .limit = 20 };
    CHECK_STR(find_with(&owner, &later), "no dog.jpg");
}

/* Walks all pages; the number of hits, each of which must be new. */
static size_t walk(const person *who, lum_search_request request, size_t *pages)
{
    static pgc_uuid seen[4096];
    static char cursor[LUM_SEARCH_CURSOR_SIZE];
    pgc_error err;
    pgc_error_clear(&err);
    size_t count = 0;
    *pages = 0;
    do {
        lum_search_page page = PGC_ZERO;
        if (!CHECK_STATUS(lum_search(who->actor, &request, &page, &err), PGC_OK, &err)) {
            return count;
        }
        for (size_t i = 0; i < page.hits.count && count < ARRAY_LEN(seen); i++) {
            for (size_t k = 0; k < count; k++) {
                CHECK(!person_same(seen[k], page.hits.rows[i].a.asset_id));
            }
            seen[count++] = page.hits.rows[i].a.asset_id;
        }
        (void) snprintf(cursor, sizeof cursor, "%s", page.next);
        request.after = cursor;
        lum_search_page_free(&page);
        (*pages)++;
    } while (cursor[0] != '\0');
    return count;
}

static void pages_give_each_hit_once(void)
{
    PERSON(&lib, owner);
    char sql[1024];
    size_t pages = 0;
    (void) snprintf(
        sql, sizeof sql,
        "INSERT INTO assets (original_filename, file_path, file_size, file_hash, asset_type, "
        "owner_id, uploaded_at) SELECT CASE WHEN i < 5 THEN 'walk.jpg' ELSE 'walk ' || i || '.jpg' "
        "END, i, 1, 'walk' || i, 'photo', %" PRId32 ", timestamptz '2020-01-01' + i / 7 * "
        "interval '1 second' FROM generate_series(1, 500) i;"
        "INSERT INTO embeddings (asset_id, owner_id, embedding) SELECT asset_id, owner_id, "
        "(SELECT array_agg(sin(i * file_size + length(file_path) + file_path::int))::real[]::"
        "halfvec FROM generate_series(1, 512) i) FROM assets WHERE owner_id = %" PRId32,
        owner.id, owner.id);
    run_sql(sql);
    lum_search_request request = { .query = "walk.jpg", .limit = 33, .by = LUM_SEARCH_NAME };
    CHECK_INT(walk(&owner, request, &pages), 500);
    CHECK_INT(pages, 16);
    request.by = LUM_SEARCH_TEXT;
    CHECK_INT(walk(&owner, request, &pages), 500);
    request.limit = 1; /* ends inside of the exact names, and at each of equal times */
    request.by = LUM_SEARCH_NAME;
    CHECK_INT(walk(&owner, request, &pages), 500);
    CHECK_INT(pages, 500);
    request.limit = 33;
    request.by = LUM_SEARCH_MEANING;
    request.vector = along(1);
    CHECK_INT(walk(&owner, request, &pages), LUM_SEARCH_DEPTH); /* as deep as similarity goes */
    request.by = LUM_SEARCH_ALL;
    CHECK(walk(&owner, request, &pages) >= LUM_SEARCH_DEPTH);
    request.limit = 500;
    request.by = LUM_SEARCH_MEANING;
    CHECK_INT(walk(&owner, request, &pages), 500);
}

static void a_cursor_belongs_to_its_search(void)
{
    PERSON(&lib, owner);
    (void) person_add(&owner, "one walk.jpg");
    (void) person_add(&owner, "two walk.jpg");
    lum_search_page page = PGC_ZERO;
    char cursor[LUM_SEARCH_CURSOR_SIZE];
    lum_search_request request = { .query = "walk", .limit = 1, .by = LUM_SEARCH_NAME };
    REQUIRE_OK(lum_search(owner.actor, &request, &page, &err), &err);
    (void) snprintf(cursor, sizeof cursor, "%s", page.next);
    lum_search_page_free(&page);
    CHECK(cursor[0] != '\0');
    request.after = cursor;
    CHECK_STR(find_with(&owner, &request), "one walk.jpg");
    request.query = "other";
    CHECK(strstr(find_with(&owner, &request), "not one of this search") != NULL);
    request.query = "walk";
    const lum_filter unliked = { .liked = { true, false } };
    request.filter = &unliked;
    CHECK(strstr(find_with(&owner, &request), "not one of this search") != NULL);
    request.filter = NULL;
    static const char *const WRONG[] = { "", "1", "x", "2", "1zz", "'; DROP TABLE assets; --" };
    for (size_t i = 0; i < ARRAY_LEN(WRONG); i++) {
        request.after = WRONG[i];
        CHECK(strstr(find_with(&owner, &request), "not one of this search") != NULL);
    }
    for (size_t i = 0; cursor[i] != '\0'; i++) { /* any digit changed: an error, or a page */
        char changed[LUM_SEARCH_CURSOR_SIZE];
        (void) snprintf(changed, sizeof changed, "%s", cursor);
        changed[i] = changed[i] == 'f' ? '0' : 'f';
        request.after = changed;
        pgc_status status = lum_search(owner.actor, &request, &page, &err);
        CHECK(status == PGC_OK || status == PGC_INVALID);
        lum_search_page_free(&page);
    }
}

static void wrong_requests_are_refused(void)
{
    PERSON(&lib, owner);
    static char longer[LUM_QUERY_MAX + 2];
    float bad[DIM] = { 0 };
    memset(longer, 'a', sizeof longer - 1);
    CHECK(strstr(find(&owner, LUM_SEARCH_ALL, ""), "empty") != NULL);
    CHECK(strstr(find(&owner, LUM_SEARCH_NAME, " \t\n"), "empty") != NULL);
    CHECK(strstr(find(&owner, LUM_SEARCH_NAME, NULL), "empty") != NULL);
    CHECK(strstr(find(&owner, LUM_SEARCH_NAME, "\xff\xfe"), "UTF-8") != NULL);
    CHECK(strstr(find(&owner, LUM_SEARCH_NAME, longer), "1001 bytes") != NULL);
    CHECK(strstr(find(&owner, LUM_SEARCH_MEANING, "x"), "no vector") != NULL);
    lum_search_request request = { .query = "x", .vector = bad, .limit = 1 };
    CHECK(strstr(find_with(&owner, &request), "zero") != NULL);
    bad[7] = NAN;
    CHECK(strstr(find_with(&owner, &request), "not finite") != NULL);
    request.vector = NULL;
    static const int32_t LIMITS[] = { INT32_MIN, -1, 0, LUM_PAGE_MAX + 1, INT32_MAX };
    for (size_t i = 0; i < ARRAY_LEN(LIMITS); i++) {
        request.limit = LIMITS[i];
        CHECK(strstr(find_with(&owner, &request), "1 to 1000") != NULL);
    }
    request.limit = 1;
    static const struct {
        lum_filter filter;
        const char *says;
    } WRONG[] = {
        { { .asset_type = SLICE("document") }, "photo, video or audio" },
        { { .rating_min = { true, 6 } }, "rating_min: 6" },
        { { .tags_all = { NULL, LUM_FILTER_TAGS_MAX + 1 } }, "100 are allowed" },
        { { .camera_model = SLICE("\xff") }, "UTF-8" },
        { { .south = { true, 1 } }, "go together" },
    };
    for (size_t i = 0; i < ARRAY_LEN(WRONG); i++) {
        request.filter = &WRONG[i].filter;
        CHECK(strstr(find_with(&owner, &request), WRONG[i].says) != NULL);
    }
    lum_search_by by = LUM_SEARCH_ALL;
    CHECK_STATUS(lum_search_by_parse("nothing", &by, &err), PGC_INVALID, &err);
    CHECK(person_says(&err, "use all, name, text or meaning"));
    REQUIRE_OK(lum_search_by_parse("meaning", &by, &err), &err);
    CHECK_INT(by, LUM_SEARCH_MEANING);
}

/* Whatever people type is a text to search for. */
static void hostile_texts_are_only_texts(void)
{
    PERSON(&lib, owner);
    static const char ALPHABET[] = "'\"\\%_:*&|!()<>-;$ {}[]a1\xc3\xa9,.?/#@^~`=+";
    uint64_t state = 20240611;
    (void) person_add(&owner, "a1.jpg");
    for (int i = 0; i < 500; i++) {
        char text[40];
        size_t length = 1 + vectors_bits(&state) % (sizeof text - 1);
        for (size_t k = 0; k < length; k++) {
            text[k] = ALPHABET[vectors_bits(&state) % (sizeof ALPHABET - 1)];
        }
        text[length - 1] = '\0';
        const char *found = find(&owner, (lum_search_by) (i % 3), text);
        bool refused = strstr(found, "empty") != NULL || strstr(found, "UTF-8") != NULL;
        if (!CHECK(refused || strstr(found, "error") == NULL)) {
            (void) printf("# \"%s\": %s\n", text, found);
        }
    }
}

static void others_see_nothing_in_any_way(void)
{
    PERSON(&lib, owner);
    AUTO(person_done) person other;
    REQUIRE(person_make(&lib, &other, "who_looks_at_others"));
    (void) add_with_vector(&owner, "secret plan.jpg", along(3));
    lum_search_request request = { .query = "secret", .vector = along(3), .limit = 20 };
    for (int by = LUM_SEARCH_ALL; by <= LUM_SEARCH_MEANING; by++) {
        request.by = (lum_search_by) by;
        request.exact_most = 0;
        CHECK_STR(find_with(&other, &request), "");
        request.exact_most = 1;
        CHECK_STR(find_with(&other, &request), "");
        CHECK_STR(find_with(&owner, &request), "secret plan.jpg");
    }
}

TAP_MAIN(TAP("search: the library opens", begins),
         TAP("search: names are found by their words", names_are_found_by_their_words),
         TAP("search: parts of names are found from three characters on",
             parts_of_names_are_found_from_three_characters_on),
         TAP("search: what thousands of rows have is found newest first, behind any filter",
             what_is_frequent_is_found_newest_first),
         TAP("search: the exact name comes first, then the newest", the_exact_name_comes_first),
         TAP("search: % and _ and \\ are ordinary characters", wildcards_are_ordinary_characters),
         TAP("search: accents and case do not matter", accents_and_case_do_not_matter),
         TAP("search: scripts without blanks are found by any part",
             scripts_without_blanks_are_found_by_any_part),
         TAP("search: texts follow descriptions, tags and albums", texts_are_kept_as_they_change),
         TAP("search: phrases, or, and words to leave out", texts_are_searched_as_on_the_web),
         TAP("search: the nearest by meaning come first", the_nearest_by_meaning_come_first),
         TAP("search: photos like one are found without itself",
             photos_like_one_are_found_without_itself),
         TAP("search: all ways together tell the rank of each",
             all_ways_together_tell_the_rank_of_each),
         TAP("search: texts are embedded, or it is said that they are not",
             texts_are_embedded_or_it_is_said_that_not),
         TAP("search: what is in the trash is not found", trash_is_not_searched),
         TAP("search: filters hold for every way", filters_hold_for_every_way),
         TAP("search: pages give each hit once", pages_give_each_hit_once),
         TAP("search: a cursor belongs to its search", a_cursor_belongs_to_its_search),
         TAP("search: wrong requests are refused with the reason", wrong_requests_are_refused),
         TAP("search: hostile texts are only texts", hostile_texts_are_only_texts),
         TAP("search: others see nothing, whichever way", others_see_nothing_in_any_way),
         TAP("search: the library is removed", ends))
