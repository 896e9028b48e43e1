/* The rows of ./dev bench services and what they share: two libraries of the product as it is, a
 * small and a large one, filled by services-data.sql with 100 owners each.
 *
 * A part is a file bench/services/NAME.c with one function NAME_rows() that adds its cases, and a
 * line in PARTS of bench/bench-services.c and in bench/meson.build. Most cases are probes: one call
 * of a service, made again and again for changing owners; what counts is the 95th percentile. */
#ifndef BENCH_SERVICES_PARTS_H
#define BENCH_SERVICES_PARTS_H

#include "base/prelude.h"

#include "bench.h"
#include "service/library.h"
#include "service/list.h"
#include "service/session.h"

enum { SITE_OWNERS = 100, SITE_IDS = 2000, SITE_SORTS = 5, SITE_ROWS_MAX = 160 };

/* One library. Owner 1 has a tenth of all assets. */
typedef struct services_site {
    const char *name; /* "1 M" */
    char home[256];
    bool keep; /* the home, for the next run */
    int64_t asset_count;
    int64_t vector_count;
    lum_library *library;
    pgc_pool *owner_pool; /* as the superuser, whom no policy binds */
    lum_session *sessions[SITE_OWNERS];
    pgc_uuid ids[SITE_IDS]; /* live assets, of the owners in turn */
    pgc_error err;
} services_site;

/* False after a line on stderr. Close in any case. */
bool site_open(services_site *site, const char *name, int64_t asset_count, int64_t vector_count);
void site_close(services_site *site);
/* By turn: every tenth is the large owner's, the others go round. */
lum_actor site_actor(const services_site *site, uint32_t turn);
/* BENCH_NONE, with the site's error on stderr. */
double site_failed(const services_site *site, const char *doing);

typedef struct bench_rows {
    bench_case cases[SITE_ROWS_MAX];
    size_t count;
} bench_rows;
void rows_add(bench_rows *rows, bench_case one);

/* One call of a service; turn counts up. */
typedef pgc_status (*probe_call)(services_site *site, lum_actor actor, uint32_t turn,
                                 pgc_error *err);

typedef struct probe {
    const char *name;
    probe_call call;
    double limit_ms; /* of the 95th percentile in the large library */
    int calls;       /* of one round; 0: 200 */
} probe;

/* Two rows for each: against the limit, and how much slower the large library is. */
void probes_add(bench_rows *rows, services_site *big, services_site *small, const probe *probes,
                size_t count);
/* The given percentile of the calls' times in milliseconds. */
double probe_time(services_site *site, const probe *one, unsigned percent);

void list_rows(bench_rows *rows, services_site *big, services_site *small);
void collection_rows(bench_rows *rows, services_site *big, services_site *small);
void statistics_rows(bench_rows *rows, services_site *big, services_site *small);
void label_rows(bench_rows *rows, services_site *big, services_site *small);
void other_list_rows(bench_rows *rows, services_site *big, services_site *small);
void search_rows(bench_rows *rows, services_site *big, services_site *small);
void plan_rows(bench_rows *rows, services_site *big, services_site *small);
void policy_rows(bench_rows *rows, services_site *big, services_site *small);

#endif
