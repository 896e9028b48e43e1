/* Bad input to every service call: a typed error that says what and where, in words for people, and
 * nothing is changed. The calls are read from the headers, so that none is forgotten. */
#include "base/prelude.h"

#include <lumilio/status.h>

#include "bad_accounts.h"
#include "headers.h"
#include "tap.h"

static void assets(void)
{
    REQUIRE(CHECK(bad_open()));
    bad_run(BAD_ASSETS, ARRAY_LEN(BAD_ASSETS));
}

static void albums(void)
{
    REQUIRE(bad.session != NULL);
    bad_run(BAD_ALBUMS, ARRAY_LEN(BAD_ALBUMS));
}

static void lists(void)
{
    REQUIRE(bad.session != NULL);
    bad_run(BAD_LISTS, ARRAY_LEN(BAD_LISTS));
}

static void tags(void)
{
    REQUIRE(bad.session != NULL);
    bad_run(BAD_TAGS, ARRAY_LEN(BAD_TAGS));
}

static void accounts(void)
{
    REQUIRE(bad.session != NULL);
    if (CHECK(bad_auth_open())) {
        bad_run(BAD_ACCOUNTS, ARRAY_LEN(BAD_ACCOUNTS));
    }
    bad_auth_close();
    bad_close();
}

/* Calls without a value that somebody could get wrong (lum_duplicate_trash() takes what another
 * call gave), and those whose bad values stand in tests of their own: of opening a library or the
 * auth service, and of models, which only operators add.
 */
static const char *const EXEMPT[] = {
    "lum_auth_open",
    "lum_auth_rotate_key",
    "lum_cluster_dir",
    "lum_database_open",
    "lum_duplicate_trash",
    "lum_embedding_fill",
    "lum_filter_digest",
    "lum_filter_doc_new",
    "lum_graph_connect",
    "lum_graph_make",
    "lum_home_resolve",
    "lum_library_auth_open",
    "lum_library_open",
    "lum_library_set_psql_env",
    "lum_model_active",
    "lum_model_add",
    "lum_model_list",
    "lum_model_use",
    "lum_repository_list",
    "lum_session_begin",
    "lum_session_open",
    "lum_stats_recount",
    "lum_stats_storage",
    "lum_stats_totals",
    "lum_stats_years",
    "lum_timeline_days",
    "lum_timeline_months",
    "lum_timeline_repair",
    "lum_repository_ensure_default",
};

static bool is_tested(const char *name)
{
    static const struct {
        const bad_row *rows;
        size_t count;
    } TABLES[] = { { BAD_ASSETS, ARRAY_LEN(BAD_ASSETS) },
                   { BAD_ALBUMS, ARRAY_LEN(BAD_ALBUMS) },
                   { BAD_LISTS, ARRAY_LEN(BAD_LISTS) },
                   { BAD_TAGS, ARRAY_LEN(BAD_TAGS) },
                   { BAD_ACCOUNTS, ARRAY_LEN(BAD_ACCOUNTS) } };
    for (size_t i = 0; i < ARRAY_LEN(EXEMPT); i++) {
        if (strcmp(EXEMPT[i], name) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(TABLES); i++) {
        for (size_t j = 0; j < TABLES[i].count; j++) {
            if (strcmp(TABLES[i].rows[j].function, name) == 0) {
                return true;
            }
        }
    }
    return false;
}

static void no_call_is_forgotten(void)
{
    headers_check_calls("src/service", is_tested, "it gets no bad values");
}

TAP_MAIN(TAP("bad input: assets and what belongs to them", assets),
         TAP("bad input: albums and their members", albums),
         TAP("bad input: filters, lists, search, timeline and trash", lists),
         TAP("bad input: tags", tags),
         TAP("bad input: repositories, accounts and sessions", accounts),
         TAP("bad input: no call is forgotten", no_call_is_forgotten))
