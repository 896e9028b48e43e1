/* Lists that have no place elsewhere: smart and public albums, the seed's asset lists, near
 * duplicates, accounts, and what imports and fsck read. Near and far. */
#include "parts.h"

#include "repo/imports.h"
#include "repo/users.h"
#include "service/album.h"
#include "service/asset.h"
#include "service/auth.h"
#include "service/duplicate.h"
#include "service/statistics.h"
#include "service/timeline.h"
#include "service/trash.h"

/* Limits: 5 ms for lists, 20 ms where a filter is behind. */
enum { PAGE_ROWS = 50, ALBUMS = 30 * SITE_OWNERS };

static pgc_status smart_page(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    const lum_list list = { .limit = PAGE_ROWS };
    lum_asset_page page = { 0 };
    (void) site;
    (void) turn;
    pgc_status status = lum_album_list_smart(actor, ALBUMS + actor.user_id, &list, &page, err);
    lum_asset_page_free(&page);
    return status;
}

static pgc_status public_albums(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    repo_list_public_albums_row_set set = { 0 };
    const lum_album_page page = { .before_album_id = turn % 2 == 0 ? 0 : 60, .limit = PAGE_ROWS };
    (void) site;
    pgc_status status = lum_album_list_public(actor, page, &set, err);
    repo_list_public_albums_row_set_free(&set);
    return status;
}

/* Of somebody else's, at its front and behind nine tenths of its members. */
static pgc_status public_album(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    repo_list_public_album_assets_row_set set = { 0 };
    const lum_album_cursor after = { .set = turn % 2 == 1, .position = site->asset_count / 10 * 9 };
    pgc_status status = lum_album_list_public_assets(actor, 3, after, PAGE_ROWS, &set, err);
    assert(status != PGC_OK || set.count > 0);
    repo_list_public_album_assets_row_set_free(&set);
    return status;
}

static pgc_status albums_of_asset(services_site *site, lum_actor actor, uint32_t turn,
                                  pgc_error *err)
{
    repo_album_set set = { 0 };
    uint32_t at = turn * SITE_OWNERS % SITE_IDS + (uint32_t) actor.user_id - 1;
    pgc_status status = lum_album_list_of_asset(actor, site->ids[at], &set, err);
    repo_album_set_free(&set);
    return status;
}

/* A row that stands before the oldest few, whoever the owner is. */
static const repo_asset *far_row(void)
{
    static repo_asset row; /* 2020-02-01 */
    row.uploaded_at.us = INT64_C(1580515200000000);
    return &row;
}

static pgc_status by_type(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    static const char *const TYPES[] = { NULL, "photo", "video" };
    const lum_page page = { .limit = PAGE_ROWS, .behind = turn % 2 == 1 ? far_row() : NULL };
    repo_asset_set set = { 0 };
    (void) site;
    pgc_status status = lum_asset_list(actor, TYPES[turn / 10 % ARRAY_LEN(TYPES)], page, &set, err);
    repo_asset_set_free(&set);
    return status;
}

static pgc_status with_thumbnails(services_site *site, lum_actor actor, uint32_t turn,
                                  pgc_error *err)
{
    const lum_page page = { .limit = PAGE_ROWS, .behind = turn % 2 == 1 ? far_row() : NULL };
    repo_list_assets_with_thumbnails_row_set set = { 0 };
    (void) site;
    pgc_status status = lum_asset_list_with_thumbnails(actor, page, &set, err);
    repo_list_assets_with_thumbnails_row_set_free(&set);
    return status;
}

static pgc_status duplicates(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    const lum_duplicate_search search = {
        .after = site->ids[turn * SITE_OWNERS % SITE_IDS + (uint32_t) actor.user_id - 1],
        .piece = 1,
    };
    lum_duplicate_page page = { 0 };
    pgc_status status = lum_duplicate_find(actor, &search, &page, err);
    lum_duplicate_page_free(&page);
    return status;
}

static pgc_status years(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    repo_count_by_year_row_set set = { 0 };
    (void) site;
    (void) turn;
    pgc_status status = lum_stats_years(actor, &set, err);
    repo_count_by_year_row_set_free(&set);
    return status;
}

static pgc_status days(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    char year[8];
    lum_when when;
    repo_list_timeline_days_row_set set = { 0 };
    (void) site;
    (void) snprintf(year, sizeof year, "%u", 2012 + turn % 12);
    if (!lum_when_parse(pgc_text_from(year), &when)) {
        return pgc_error_set(err, PGC_INVALID, "year %s", year);
    }
    pgc_status status = lum_timeline_days(actor, &when, &set, err);
    repo_list_timeline_days_row_set_free(&set);
    return status;
}

/* The role of accounts has a pool of its own; opened at the first call. */
static pgc_status auth_of(services_site *site, lum_auth **out, pgc_error *err)
{
    static struct {
        const services_site *site;
        lum_library_auth auth;
    } both[2];
    size_t at = both[0].site == NULL || both[0].site == site ? 0 : 1;
    if (both[at].site == NULL) {
        TRY(lum_library_auth_open(site->library, &both[at].auth, err));
        both[at].site = site;
    }
    *out = both[at].auth.auth;
    return PGC_OK;
}

static pgc_status users(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    lum_auth *auth = NULL;
    repo_auth_list_users_row_set set = { 0 };
    (void) actor;
    TRY(auth_of(site, &auth, err));
    pgc_status status = lum_auth_list_users(auth, turn % 2 == 0 ? SLICE("") : SLICE("bench50"),
                                            PAGE_ROWS, &set, err);
    repo_auth_list_users_row_set_free(&set);
    return status;
}

static pgc_status logins(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    lum_auth *auth = NULL;
    repo_auth_list_sessions_row_set set = { 0 };
    (void) turn;
    TRY(auth_of(site, &auth, err));
    pgc_status status = lum_auth_list_sessions(auth, actor.user_id, &set, err);
    repo_auth_list_sessions_row_set_free(&set);
    return status;
}

static pgc_status audit_page(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    repo_list_audit_log_row_set set = { 0 };
    const repo_list_audit_log_params params = { .below_id = turn % 2 == 0 ? INT64_MAX : 5000,
                                                .row_limit = PAGE_ROWS };
    (void) site;
    pgc_status status = repo_list_audit_log(actor.db, &params, &set, err);
    repo_list_audit_log_row_set_free(&set);
    return status;
}

/* Each owner's first repository, found once. */
static pgc_status repository_of(services_site *site, lum_actor actor, pgc_uuid *out, pgc_error *err)
{
    static struct {
        const services_site *site;
        pgc_uuid ids[SITE_OWNERS];
        bool known[SITE_OWNERS];
    } both[2];
    size_t at = both[0].site == NULL || both[0].site == site ? 0 : 1;
    size_t owner = (size_t) actor.user_id - 1;
    both[at].site = site;
    if (!both[at].known[owner]) {
        repo_asset_set set = { 0 };
        TRY(lum_asset_get(actor, site->ids[owner], &set, err));
        both[at].ids[owner] = set.rows[0].repository_id.v;
        both[at].known[owner] = true;
        repo_asset_set_free(&set);
    }
    *out = both[at].ids[owner];
    return PGC_OK;
}

static pgc_status files_to_remove(services_site *site, lum_actor actor, uint32_t turn,
                                  pgc_error *err)
{
    repo_file_deletion_set set = { 0 };
    repo_list_due_file_deletions_params params = { .owner_id = actor.user_id,
                                                   .row_limit = PAGE_ROWS };
    (void) turn;
    TRY(repository_of(site, actor, &params.repository_id, err));
    pgc_status status = repo_list_due_file_deletions(actor.db, &params, &set, err);
    repo_file_deletion_set_free(&set);
    return status;
}

static pgc_status file_waits(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    pgc_uuid repository;
    bool waits = false;
    (void) turn;
    TRY(repository_of(site, actor, &repository, err));
    const repo_is_file_deletion_waiting_params params = { .repository_id = repository,
                                                          .file_path = SLICE("gone/no such") };
    return repo_is_file_deletion_waiting(actor.db, &params, &waits, err);
}

static pgc_status asset_files(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    repo_list_asset_files_row_set set = { 0 };
    repo_list_asset_files_params params = { .after_asset_id = turn % 2 == 0
                                                                  ? (pgc_uuid) { { 0 } }
                                                                  : site->ids[turn % SITE_IDS],
                                            .row_limit = PAGE_ROWS };
    TRY(repository_of(site, actor, &params.repository_id, err));
    pgc_status status = repo_list_asset_files(actor.db, &params, &set, err);
    repo_list_asset_files_row_set_free(&set);
    return status;
}

static pgc_status thumbnail_files(services_site *site, lum_actor actor, uint32_t turn,
                                  pgc_error *err)
{
    repo_list_thumbnail_files_row_set set = { 0 };
    repo_list_thumbnail_files_params params = { .after_asset_id = turn % 2 == 0
                                                                      ? (pgc_uuid) { { 0 } }
                                                                      : site->ids[turn % SITE_IDS],
                                                .row_limit = PAGE_ROWS };
    TRY(repository_of(site, actor, &params.repository_id, err));
    pgc_status status = repo_list_thumbnail_files(actor.db, &params, &set, err);
    repo_list_thumbnail_files_row_set_free(&set);
    return status;
}

static pgc_status open_intents(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    repo_import_intent_set set = { 0 };
    const repo_list_open_import_intents_params params = { .owner_id = actor.user_id,
                                                          .row_limit = PAGE_ROWS };
    (void) site;
    (void) turn;
    pgc_status status = repo_list_open_import_intents(actor.db, &params, &set, err);
    repo_import_intent_set_free(&set);
    return status;
}

void other_list_rows(bench_rows *rows, services_site *big, services_site *small)
{
    static const probe PROBES[] = {
        { .name = "page of a smart album", .call = smart_page, .limit_ms = 20 },
        { .name = "page of public albums, first and last", .call = public_albums, .limit_ms = 5 },
        { .name = "page of a public album, near and far", .call = public_album, .limit_ms = 5 },
        { .name = "albums of an asset", .call = albums_of_asset, .limit_ms = 5 },
        { .name = "seed's page of a type, near and far", .call = by_type, .limit_ms = 5 },
        { .name = "page with thumbnails, near and far", .call = with_thumbnails, .limit_ms = 5 },
        { .name = "near duplicates, an asset's", .call = duplicates, .limit_ms = 5 },
        { .name = "years", .call = years, .limit_ms = 5 },
        { .name = "days of a year", .call = days, .limit_ms = 5 },
        { .name = "page of users, near and far", .call = users, .limit_ms = 5 },
        { .name = "logins of a user", .call = logins, .limit_ms = 5 },
        { .name = "page of the audit log, near and far", .call = audit_page, .limit_ms = 5 },
        { .name = "page of files to remove", .call = files_to_remove, .limit_ms = 5 },
        { .name = "whether a file is to be removed", .call = file_waits, .limit_ms = 5 },
        { .name = "page of a repository's files", .call = asset_files, .limit_ms = 5 },
        { .name = "page of a repository's thumbnails", .call = thumbnail_files, .limit_ms = 5 },
        { .name = "page of open imports", .call = open_intents, .limit_ms = 5 },
    };
    probes_add(rows, big, small, PROBES, ARRAY_LEN(PROBES));
}
