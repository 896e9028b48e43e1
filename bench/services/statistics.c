/* Statistics, the trash, repositories: pages that must not grow with the library. */
#include "parts.h"

#include "service/repository.h"
#include "service/species.h"
#include "service/statistics.h"
#include "service/trash.h"

enum { PAGE_ROWS = 50 };

static pgc_status totals(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    repo_get_totals_row_set set = { 0 };
    (void) site;
    (void) turn;
    pgc_status status = lum_stats_totals(actor, &set, err);
    assert(status != PGC_OK || set.rows[0].photos > 0);
    repo_get_totals_row_set_free(&set);
    return status;
}

static pgc_status cameras(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    repo_count_by_camera_row_set set = { 0 };
    (void) site;
    (void) turn;
    pgc_status status = lum_stats_cameras(actor, PAGE_ROWS, &set, err);
    assert(status != PGC_OK || set.count > 0);
    repo_count_by_camera_row_set_free(&set);
    return status;
}

static pgc_status lenses(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    repo_count_by_lens_row_set set = { 0 };
    (void) site;
    (void) turn;
    pgc_status status = lum_stats_lenses(actor, PAGE_ROWS, &set, err);
    repo_count_by_lens_row_set_free(&set);
    return status;
}

static pgc_status storage(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    repo_count_by_repository_row_set set = { 0 };
    (void) site;
    (void) turn;
    pgc_status status = lum_stats_storage(actor, &set, err);
    assert(status != PGC_OK || set.rows[0].bytes > 0);
    repo_count_by_repository_row_set_free(&set);
    return status;
}

static pgc_status species(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    repo_count_species_row_set set = { 0 };
    (void) site;
    (void) turn;
    pgc_status status = lum_species_count(actor, LUM_SPECIES_CONFIDENCE, PAGE_ROWS, &set, err);
    repo_count_species_row_set_free(&set);
    return status;
}

static pgc_status repositories(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    repo_repository_set set = { 0 };
    (void) site;
    (void) turn;
    pgc_status status = lum_repository_list(actor, &set, err);
    repo_repository_set_free(&set);
    return status;
}

static pgc_status trash_page(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    lum_asset_page page = { 0 };
    (void) site;
    (void) turn;
    pgc_status status = lum_trash_list(actor, PAGE_ROWS, (slice) { 0 }, &page, err);
    lum_asset_page_free(&page);
    return status;
}

void statistics_rows(bench_rows *rows, services_site *big, services_site *small)
{
    static const probe PROBES[] = {
        { .name = "totals", .call = totals, .limit_ms = 5 },
        { .name = "cameras", .call = cameras, .limit_ms = 5 },
        { .name = "lenses", .call = lenses, .limit_ms = 5 },
        { .name = "storage", .call = storage, .limit_ms = 5 },
        { .name = "species", .call = species, .limit_ms = 5 },
        { .name = "repositories", .call = repositories, .limit_ms = 5 },
        { .name = "page of the trash", .call = trash_page, .limit_ms = 5 },
    };
    probes_add(rows, big, small, PROBES, ARRAY_LEN(PROBES));
}
