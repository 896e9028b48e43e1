/* lumilio search: assets by name, text and meaning, or like another one. */
#include "cli/prelude.h"

#include "cli/action.h"
#include "cli/asset_view.h"
#include "cli/commands.h"
#include "cli/filter_options.h"
#include "service/asset.h"
#include "service/search.h"

#define TRIES   2                      /* somebody waits for the embedding of the text */
#define WAIT_US (5 * INT64_C(1000000)) /* for each of them */

/* What the words of the call become. */
typedef struct search_call {
    lum_search_request request;
    cli_filter filter;
    const char *by, *similar, *after;
    uint32_t limit;
} search_call;

static void member_set(json_t *object, const char *name, json_t *value)
{
    (void) json_object_set_new(object, name, value);
}

static json_t *rank_json(pgc_opt_i32 rank)
{
    return rank.has ? json_integer(rank.v) : json_null();
}

/* The asset as other commands print it, and how it was found. */
static json_t *hit_json(const repo_search_hits_row *hit, const char *next)
{
    json_t *object = asset_json(&hit->a);
    json_t *search = json_object();
    if (object == NULL || search == NULL) {
        json_decref(object);
        json_decref(search);
        return NULL;
    }
    member_set(search, "score", json_real(hit->score));
    member_set(search, "name_rank", rank_json(hit->name_rank));
    member_set(search, "text_rank", rank_json(hit->text_rank));
    member_set(search, "text_score",
               hit->text_score.has ? json_real((double) hit->text_score.v) : json_null());
    member_set(search, "meaning_rank", rank_json(hit->meaning_rank));
    member_set(search, "distance", hit->distance.has ? json_real(hit->distance.v) : json_null());
    if (next != NULL) {
        member_set(search, "next", json_string(next));
    }
    member_set(object, "search", search);
    return object;
}

/* The last hit of a page that is not the last one says how to go on. */
static void page_print_json(const lum_search_page *page)
{
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < page->hits.count; i++) {
        bool is_end = i + 1 == page->hits.count && page->next[0] != '\0';
        (void) json_array_append_new(array,
                                     hit_json(&page->hits.rows[i], is_end ? page->next : NULL));
    }
    cli_print_json(array);
}

/* The table prints rows that lie one behind the other; those of hits lie apart. */
static void page_print(const lum_search_page *page)
{
    if (page->hits.count == 0) {
        (void) printf("nothing found\n");
        return;
    }
    asset_print_heading(stdout);
    for (size_t i = 0; i < page->hits.count; i++) {
        asset_print_row(stdout, &page->hits.rows[i].a);
    }
    if (page->next[0] != '\0') {
        (void) printf("(%zu hits; go on with --cursor %s)\n", page->hits.count, page->next);
    }
}

/* The embedder, when one is configured and the search may want it: few tries, as somebody waits. */
static pgc_status embedder_open(const lum_library *library, const search_call *call,
                                ml_embedder **out, pgc_error *err)
{
    ml_config config;
    *out = NULL;
    if (call->similar != NULL || call->request.by == LUM_SEARCH_NAME ||
        call->request.by == LUM_SEARCH_TEXT) {
        return PGC_OK;
    }
    TRY(ml_config_read(lum_library_env(library), lum_library_home(library), &config, err));
    int64_t timeout_us = config.timeout_us > 0 && config.timeout_us < WAIT_US ? 0 : WAIT_US;
    return ml_open_configured(lum_library_env(library), &config, TRIES, timeout_us, out, err);
}

static pgc_status search_run(lum_library *library, lum_session *session, search_call *call,
                             pgc_error *err)
{
    AUTO(lum_filter_doc_auto) lum_filter_doc *doc = NULL;
    lum_search_page page = PGC_ZERO;
    TRY(cli_filter_read(&call->filter, &doc, err));
    call->request.filter = lum_filter_doc_get(doc);
    TRY(embedder_open(library, call, &call->request.embedder, err));
    pgc_status status = lum_search(lum_session_actor(session), &call->request, &page, err);
    ml_close(call->request.embedder);
    TRY(status);
    if (page.without_meaning[0] != '\0') {
        (void) fprintf(stderr, "lumilio: note: names and texts only: %s\n", page.without_meaning);
    }
    if (cli_common_options.json) {
        page_print_json(&page);
    } else {
        page_print(&page);
    }
    lum_search_page_free(&page);
    return PGC_OK;
}

/* Options into a request; the service checks what they say. */
static int request_fill(search_call *call, int argc, char **argv)
{
    pgc_error err;
    lum_search_request *request = &call->request;
    if (argc != (call->similar != NULL ? 0 : 1)) {
        return cli_usage("search", "give one text to search for, or --similar and the id of one "
                                   "asset");
    }
    if (call->limit > LUM_PAGE_MAX) {
        return cli_usage("search", "--limit goes up to %d", LUM_PAGE_MAX);
    }
    if (call->similar != NULL &&
        !pgc_uuid_parse(pgc_text_from(call->similar), &request->like_asset_id.v)) {
        return cli_usage("search", "--similar takes the id of one asset, as `lumilio list` prints "
                                   "it");
    }
    if (call->by != NULL && lum_search_by_parse(call->by, &request->by, &err) != PGC_OK) {
        return cli_usage("search", "%s", err.message);
    }
    request->query = argc > 0 ? argv[0] : NULL;
    request->like_asset_id.has = call->similar != NULL;
    request->limit = (int32_t) call->limit;
    request->after = call->after;
    return CLI_OK;
}

int cmd_search(int argc, char **argv)
{
    search_call call = { .limit = 50 };
    cli_option options[4 + CLI_FILTERS_MAX] = {
        { "by", "WAY", "name, text, meaning or all (the default)", &call.by, CLI_TEXT },
        { "similar", "ID", "assets that look like this one", &call.similar, CLI_TEXT },
        { "limit", "N", "hits at the most, up to 1000 (default: 50)", &call.limit, CLI_COUNT },
        { "cursor", "CURSOR", "go on behind a page before", &call.after, CLI_TEXT },
    };
    size_t count = cli_filter_options(&call.filter, options, 4);
    bool done = false;
    int code = cli_parse("search", options, count, &argc, argv, &done);
    if (code == CLI_OK && !done) {
        code = request_fill(&call, argc, argv);
    }
    if (code != CLI_OK || done) {
        return code;
    }
    pgc_error err;
    pgc_error_clear(&err);
    lum_library *library = NULL;
    lum_session *session = NULL;
    pgc_status status = cli_open(&library, &session, &err);
    if (status == PGC_OK) {
        status = search_run(library, session, &call, &err);
        lum_session_close(session);
        lum_library_close(library);
    }
    return status == PGC_OK ? CLI_OK : cli_fail(&err);
}
