/* The rows of ./dev bench pgc and what they share: one private server with the product's schema, a
 * connection of ours, one of libpq by hand, and the pgx program when Go is there.
 *
 * A part is a file bench/pgc/NAME.c with one function NAME_rows() that adds its cases:
 *
 *     void copy_rows(bench_site *site, bench_rows *rows)
 *     {
 *         rows_add(rows, (bench_case) { .name = "copy in", .unit = "rows/s", ... });
 *     }
 *
 * and a line in PARTS of bench/bench-pgc.c and in bench/meson.build. */
#ifndef BENCH_PGC_PARTS_H
#define BENCH_PGC_PARTS_H

#include "base/prelude.h"

#include <libpq-fe.h>

#include <pgc/cluster.h>
#include <pgc/conn.h>
#include <pgc/pool.h>

#include "bench.h"

enum { BENCH_ROWS_MAX = 32, BENCH_IDS = 4096, BENCH_ASSETS = 20000 };

/* A peer program that measures on request, see peer.c. */
typedef struct bench_peer bench_peer;

typedef struct bench_site {
    char dir[256];
    pgc_cluster *cluster;
    const char *url;    /* superuser, database with the product's schema and BENCH_ASSETS assets */
    pgc_conn *conn;     /* ours */
    PGconn *raw;        /* libpq by hand */
    bench_peer *pgx;    /* NULL: see no_pgx */
    const char *no_pgx; /* why there is no pgx, for bench_case.skip; else NULL */
    pgc_uuid *ids;      /* BENCH_IDS assets in random order */
    pgc_error err;      /* for whoever needs one */
} bench_site;

typedef struct bench_rows {
    bench_case cases[BENCH_ROWS_MAX];
    size_t count;
} bench_rows;

/* False after a line on stderr. Close in any case. */
bool site_open(bench_site *site);
void site_close(bench_site *site);

void rows_add(bench_rows *rows, bench_case one);

/* BENCH_NONE, with the error of site on stderr. */
double site_failed(const bench_site *site, const char *doing);

/* Both connections' backends run on one core from the start; this thread joins them there, or may
 * run anywhere again. Otherwise the scheduler's placing of two processes decides, not the work. */
void site_join_core(bool join);

/* CPU that this process has used, in seconds. */
double cpu_seconds(void);

/* Run work(arg) in `count` threads, each with its own of the args of arg_size bytes; all begin when
 * the last one is there. meanwhile, if not NULL, runs with the args in the calling thread. Seconds
 * from the start to the end of the last; BENCH_NONE when there was no thread to be had. */
enum { THREADS_MAX = 64 };
double threads_run(size_t count, void (*work)(void *), void *args, size_t arg_size,
                   void (*meanwhile)(void *));

/* Start the program beside this one; NULL when it is not there or does not start. */
bench_peer *peer_open(const char *program, const char *url);
void peer_close(bench_peer *peer);
/* Send one line, wait for the number that answers it; BENCH_NONE when the peer failed. */
double peer_ask(bench_peer *peer, const char *line);

/* The text that the generated function repo_get_asset() sends, for libpq by hand. */
extern const char ASSET_BY_HAND[];

/* One row of assets, read as a careful person reads it from libpq; see asset.c. */
struct repo_asset;
typedef struct asset_digits {
    uint16_t room[8][16]; /* of its numeric columns */
} asset_digits;
bool asset_read_by_hand(const PGresult *res, int row, struct repo_asset *out, asset_digits *digits);

/* The parts. */
void point_rows(bench_site *site, bench_rows *rows);
void batch_rows(bench_site *site, bench_rows *rows);
void decode_rows(bench_site *site, bench_rows *rows);
void copy_rows(bench_site *site, bench_rows *rows);
void pool_rows(bench_site *site, bench_rows *rows);
void load_rows(bench_site *site, bench_rows *rows);

#endif
