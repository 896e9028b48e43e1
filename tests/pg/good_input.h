/* Good values for the calls that tests/pg/bad_input.h has tables of, found by the kind of the value
 * and by what the error of a bad one would say: every service call can be made to work without
 * being named once more. Calls that take no value at all are added here. */
#ifndef TEST_GOOD_INPUT_H
#define TEST_GOOD_INPUT_H

#include "bad_accounts.h"

#define GOOD_PLACE_SIZE 64

/* What a call that takes one of a few words, or a text of a certain form, is happy with. First
 * match wins. */
static const struct good_word {
    const char *function, *says, *text;
} GOOD_WORDS[] = {
    { "lum_filter_doc_set", "rating", "3" },
    { "lum_filter_doc_set", "liked", "true" },
    { "lum_filter_doc_set", "from", "2024" },
    { "lum_filter_doc_set", "repository", "own" },
    { "lum_filter_doc_set", "filter", "rating" },
    { "lum_auth_login", "password", "nine lives at least" },
    { "lum_auth_login", "", "cat" },
    { "lum_auth_set_password", "password", "nine lives at least" },
    { "lum_user_", "", "ann" },
    { "", "photo, video or audio", "photo" },
    { "", "small, medium or large", "small" },
    { "", "time of capture", "exif" },
    { "", "user, clip or smart", "clip" },
    { "", "date, flat or cas", "flat" },
    { "", "taken, uploaded", "name" },
    { "", "use all, name", "all" },
    { "lum_asset_filter", "type", "photo" },
    { "", "embedding model", LUM_MODEL_SEED },
    { "", "MIME", "image/webp" },
    { "", "e-mail", "dog@x" },
    { "", "password", "long enough, surely" },
};

/* Texts that live in this program's memory only. */
static inline slice good_text(const bad_row *row)
{
    static char uuid[40];
    for (size_t i = 0; i < ARRAY_LEN(GOOD_WORDS); i++) {
        if (strstr(row->function, GOOD_WORDS[i].function) == row->function &&
            strstr(row->says, GOOD_WORDS[i].says) != NULL) {
            if (strcmp(GOOD_WORDS[i].text, "own") == 0) {
                pgc_uuid_format(&bad.own_repository, uuid);
                return pgc_text_from(uuid);
            }
            return pgc_text_from(GOOD_WORDS[i].text);
        }
    }
    if (row->kind == BAD_WORD && strstr(row->says, "folder") != NULL) {
        return pgc_text_from(bad_auth.new_folder);
    }
    if (strstr(row->says, "token") != NULL) {
        return pgc_text_from(strstr(row->function, "refresh") != NULL ? bad_auth.tokens.refresh
                                                                      : bad_auth.tokens.access);
    }
    return SLICE("beach");
}

static inline bad_value good_value(const bad_row *row)
{
    bool smart = strstr(row->function, "smart") != NULL || strstr(row->says, "smart") != NULL;
    switch (row->kind) {
    case BAD_CURSOR:
        return (bad_value) { .what = "good", .text = { NULL, 0 } };
    case BAD_NAME:
    case BAD_TEXT:
    case BAD_FILE:
    case BAD_WORD:
        return (bad_value) { .what = "good", .text = good_text(row) };
    case BAD_DOCUMENT:
        return (bad_value) { .what = "good",
                             .text = strstr(row->says, "filter") != NULL
                                         ? SLICE("{\"liked\": true}")
                                         : SLICE("{\"rating\": 4}") };
    case BAD_ASSET:
        return (bad_value) { .what = "good", .uuid = bad.own_asset };
    case BAD_REPOSITORY:
        return (bad_value) { .what = "good", .uuid = bad.own_repository };
    case BAD_SESSION:
        return (bad_value) { .what = "good", .uuid = bad_auth.tokens.session_id };
    case BAD_ALBUM:
        return (bad_value) { .what = "good", .number = smart ? bad.smart_album : bad.own_album };
    case BAD_TAG:
        return (bad_value) { .what = "good", .number = bad.own_tag };
    case BAD_USER:
        return (bad_value) { .what = "good",
                             .number = strncmp(row->function, "lum_auth", 8) == 0
                                           ? bad_auth.tokens.user_id
                                           : 1 };
    case BAD_LIMIT:
        return (bad_value) { .what = "good", .number = 5 };
    case BAD_PART:
        return (bad_value) { .what = "good", .real = 0.5 };
    case BAD_VECTOR:
        return (bad_value) { .what = "good", .vector = bad_unit, .dim = LUM_EMBEDDING_DIM };
    case BAD_OFFSET:
    case BAD_COUNT:
    case BAD_MANY:
    case BAD_ENUM:
        break;
    }
    return (bad_value) { .what = "good", .number = 1 };
}

BAD_SET(good_repositories, repo_repository_set, lum_repository_list(bad.ann, &out, err))
BAD_SET(good_totals, repo_get_totals_row_set, lum_stats_totals(bad.ann, &out, err))
BAD_SET(good_years, repo_count_by_year_row_set, lum_stats_years(bad.ann, &out, err))
BAD_SET(good_storage, repo_count_by_repository_row_set, lum_stats_storage(bad.ann, &out, err))
BAD_SET(good_models, repo_list_embedding_models_row_set, lum_model_list(bad.ann, &out, err))
BAD_SET(good_months, repo_list_timeline_months_row_set, lum_timeline_months(bad.ann, &out, err))
static const lum_when GOOD_TIME = { .first = { 0 }, .next = { INT64_C(86400000000) * 12000 } };
BAD_SET(good_days, repo_list_timeline_days_row_set,
        lum_timeline_days(bad.ann, &GOOD_TIME, &out, err))
BAD_PAGE(good_timeline, lum_timeline_page(bad.ann, &GOOD_TIME, 100, (slice) { NULL, 0 }, &out, err))
BAD_PAGE(good_all, lum_asset_filter(bad.ann, BAD_LIST(.limit = 100, .want_total = true), &out, err))
BAD_PLAIN(good_repair, lum_timeline_repair(bad.ann, &bad_int, err))
BAD_PLAIN(good_duplicates,
          bad_duplicates((lum_duplicate_search) { .distance_most = value->real, .similar = true },
                         err))
static char good_model_name[LUM_MODEL_NAME_MAX + 1];
BAD_PLAIN(good_model, lum_model_active(bad.ann, good_model_name, err))
BAD_PLAIN(good_meaning, bad_search((lum_search_request) { .by = LUM_SEARCH_MEANING,
                                                          .vector = bad_unit,
                                                          .limit = 100 },
                                   err))

static pgc_status good_count(const bad_value *value, pgc_error *err)
{
    (void) value;
    int64_t count = 0;
    pgc_status status = lum_asset_count(bad.ann, NULL, &count, err);
    bad_keep((size_t) count, NULL);
    return status;
}

static pgc_status good_session(const bad_value *value, pgc_error *err)
{
    lum_session *session = NULL;
    pgc_tx *tx = NULL;
    (void) value;
    TRY(lum_session_open(bad.pool, 1, &session, err));
    pgc_status status = lum_session_begin(session, &tx, err);
    if (status == PGC_OK) {
        pgc_tx_rollback(tx);
    }
    lum_session_close(session);
    return status;
}

static const bad_row GOOD_CALLS[] = {
    { "lum_repository_list", BAD_LIMIT, "", good_repositories, 0, 0 },
    { "lum_stats_totals", BAD_LIMIT, "", good_totals, 0, 0 },
    { "lum_stats_years", BAD_LIMIT, "", good_years, 0, 0 },
    { "lum_stats_storage", BAD_LIMIT, "", good_storage, 0, 0 },
    { "lum_model_list", BAD_LIMIT, "", good_models, 0, 0 },
    { "lum_model_active", BAD_LIMIT, "", good_model, 0, 0 },
    { "lum_timeline_months", BAD_LIMIT, "", good_months, 0, 0 },
    { "lum_timeline_days", BAD_LIMIT, "", good_days, 0, 0 },
    { "lum_timeline_page", BAD_LIMIT, "", good_timeline, 0, 0 },
    { "lum_timeline_repair", BAD_LIMIT, "", good_repair, 0, 0 },
    { "lum_asset_filter", BAD_LIMIT, "", good_all, 0, 0 },
    { "lum_asset_count", BAD_LIMIT, "", good_count, 0, 0 },
    { "lum_duplicate_find", BAD_PART, "", good_duplicates, 0, 0 },
    { "lum_search", BAD_LIMIT, "", good_meaning, 0, 0 },
    { "lum_session_begin", BAD_LIMIT, "", good_session, 0, 0 },
};

/* All calls of all services. */
static const struct good_table {
    const bad_row *rows;
    size_t count;
} GOOD_TABLES[] = {
    { GOOD_CALLS, ARRAY_LEN(GOOD_CALLS) }, { BAD_LISTS, ARRAY_LEN(BAD_LISTS) },
    { BAD_ASSETS, ARRAY_LEN(BAD_ASSETS) }, { BAD_ALBUMS, ARRAY_LEN(BAD_ALBUMS) },
    { BAD_TAGS, ARRAY_LEN(BAD_TAGS) },     { BAD_ACCOUNTS, ARRAY_LEN(BAD_ACCOUNTS) },
};

/* Rows of all tables as they are now, to be brought back by checks.put_back(): by copies, because
 * a call commits by itself. */
static const char GOOD_KEEP_SQL[] =
    "CREATE SCHEMA kept; DO $$ DECLARE t record; BEGIN FOR t IN SELECT name FROM checks.tables "
    "LOOP EXECUTE format('CREATE TABLE kept.%I AS SELECT * FROM public.%I', t.name, t.name); "
    "END LOOP; END $$;"
    "CREATE FUNCTION checks.put_back() RETURNS void LANGUAGE plpgsql SET session_replication_role "
    "= replica AS $$ DECLARE t record; cols text; BEGIN FOR t IN SELECT oid, name FROM "
    "checks.tables LOOP SELECT string_agg(quote_ident(attname), ', ') INTO cols FROM pg_attribute "
    "WHERE attrelid = t.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''; "
    "EXECUTE format('DELETE FROM public.%I', t.name); EXECUTE format('INSERT INTO public.%I (%s) "
    "OVERRIDING SYSTEM VALUE SELECT %s FROM kept.%I', t.name, cols, cols, t.name); END LOOP; "
    "PERFORM setval(schemaname || '.' || sequencename, 1000000) FROM pg_sequences "
    "WHERE schemaname = 'public'; END $$";

/* A number that moves when any transaction has written. */
static inline void good_written(char out[static GOOD_PLACE_SIZE])
{
    char state[6];
    schema_ask(bad.owner, "SELECT pg_snapshot_xmax(pg_current_snapshot())", out, GOOD_PLACE_SIZE,
               state);
    CHECK_STR(state, "");
}

static inline void good_put_back(void)
{
    char got[8];
    char state[6];
    schema_ask(bad.owner, "SELECT checks.put_back()", got, sizeof got, state);
    CHECK_STR(state, "");
}

#endif
