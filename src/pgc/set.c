/* A set of servers: life, handles and numbers. Nothing is asked of a server here; its monitor's
 * first look brings it into play. Any thread. */
#include "base/prelude.h"

#include <sys/eventfd.h>

#include "base/alloc.h"
#include "base/cond.h"
#include "base/options.h"
#include "pgc/helper.h"
#include "pgc/pool_state.h"
#include "pgc/set_state.h"

#define CHECK_DEFAULT_US        1000000
#define LAG_DEFAULT_US          10000000
#define LAG_DEFAULT_BYTES       (INT64_C(64) << 20)
#define TOKEN_WAIT_DEFAULT_US   30000
#define PRIMARY_WAIT_DEFAULT_US 30000000
#define CHECK_CONNECT_US        3000000

static void default_i64(int64_t *value, int64_t otherwise)
{
    *value = *value != 0 ? *value : otherwise;
}

static pgc_status options_resolve(const pgc_set_options *in, pgc_set_options *out, pgc_error *err)
{
    TRY(options_take("set options", in, out, sizeof *out, err));
    if (out->node_count == 0 || out->node_count > PGC_SET_NODES_MAX || out->nodes == NULL) {
        return pgc_error_set(err, PGC_INVALID, "set options: %zu nodes (1 to %u are possible)",
                             out->node_count, PGC_SET_NODES_MAX);
    }
    for (size_t i = 0; i < out->node_count; i++) {
        if (out->nodes[i] == NULL) {
            return pgc_error_set(err, PGC_INVALID, "set options: node %zu has no connection string",
                                 i + 1);
        }
    }
    if ((unsigned) out->balance > PGC_BALANCE_LEAST_BUSY || out->check_us < 0) {
        return pgc_error_set(err, PGC_INVALID, "set options: balance %u or a period below zero",
                             (unsigned) out->balance);
    }
    default_i64(&out->check_us, CHECK_DEFAULT_US);
    default_i64(&out->lag_max_us, LAG_DEFAULT_US);
    default_i64(&out->lag_max_bytes, LAG_DEFAULT_BYTES);
    default_i64(&out->token_wait_us, TOKEN_WAIT_DEFAULT_US);
    default_i64(&out->primary_wait_us, PRIMARY_WAIT_DEFAULT_US);
    out->pool.struct_size = out->pool.struct_size == 0 ? sizeof out->pool : out->pool.struct_size;
    return PGC_OK;
}

static pgc_status writer_run(pgc_db *db, const pgc_query *query, const pgc_args *args,
                             pgc_result **out, pgc_error *err)
{
    const set_call call = { .set = CONTAINER_OF(db, pgc_set, writer),
                            .query = query,
                            .args = args };
    return set_write(&call, out, err);
}

static pgc_status reader_run(pgc_db *db, const pgc_query *query, const pgc_args *args,
                             pgc_result **out, pgc_error *err)
{
    const set_call call = { .set = CONTAINER_OF(db, pgc_set, reader),
                            .query = query,
                            .args = args };
    return (query->flags & PGC_QUERY_READ_ONLY) != 0 ? set_read(&call, out, err)
                                                     : set_write(&call, out, err);
}

static pgc_status writer_rows(pgc_db *db, const pgc_query *query, const pgc_args *args,
                              const pgc_run_options *options, pgc_rows **out, pgc_error *err)
{
    const set_call call = { .set = CONTAINER_OF(db, pgc_set, writer),
                            .query = query,
                            .args = args };
    return set_open_rows(&call, false, options, out, err);
}

static pgc_status reader_rows(pgc_db *db, const pgc_query *query, const pgc_args *args,
                              const pgc_run_options *options, pgc_rows **out, pgc_error *err)
{
    const set_call call = { .set = CONTAINER_OF(db, pgc_set, reader),
                            .query = query,
                            .args = args };
    return set_open_rows(&call, true, options, out, err);
}

static pgc_status writer_lend(pgc_db *db, pgc_loan *out, pgc_error *err)
{
    return set_lend(CONTAINER_OF(db, pgc_set, writer), NULL, out, err);
}

static pgc_status reader_lend(pgc_db *db, pgc_loan *out, pgc_error *err)
{
    return set_lend(CONTAINER_OF(db, pgc_set, reader), NULL, out, err);
}

static const pgc_db_ops WRITER_OPS = { sizeof(pgc_db_ops), writer_run, writer_rows, writer_lend,
                                       set_give_back };
static const pgc_db_ops READER_OPS = { sizeof(pgc_db_ops), reader_run, reader_rows, reader_lend,
                                       set_give_back };

/* Its pool has no other server to go to; the set has. */
static pgc_status node_open(set_node *node, const char *conninfo, const pgc_set_options *options,
                            pgc_error *err)
{
    pgc_set *set = node->set;
    pgc_pool_options pool = options->pool;
    pool.conn.conninfo = conninfo;
    node->conninfo = mem_strdup(set->alloc, conninfo);
    if (node->conninfo == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "set");
    }
    conn_seams seams = set->seams;
    seams.wake_fd = -1;
    return pool_open_on(&pool, &seams, &node->pool, err);
}

static pgc_status start_monitors(pgc_set *set, pgc_error *err)
{
    for (size_t i = 0; i < set->node_count; i++) {
        set_node *node = &set->nodes[i];
        node->watched = helper_start(&node->monitor, set_watch, node) == 0;
        if (!node->watched) {
            return pgc_error_set(err, PGC_NOMEM, "set: start a thread");
        }
    }
    return PGC_OK;
}

/* The monitors' connections are made like those of the pools, but nobody hears of them. */
static pgc_status check_options(pgc_set *set, const pgc_set_options *options, pgc_error *err)
{
    set->check = options->pool.conn;
    set->check.conninfo = "";
    TRY(conn_options_resolve_inner(&set->check, err));
    set->check.role = NULL;
    set->check.hooks = NULL;
    if (set->check.connect_timeout_us > CHECK_CONNECT_US) {
        set->check.connect_timeout_us = CHECK_CONNECT_US;
    }
    return PGC_OK;
}

static pgc_status open_all(pgc_set *set, const pgc_set_options *options, pgc_error *err)
{
    set->seams.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (set->seams.wake_fd < 0) {
        return pgc_error_errno(err, errno, "set: make an event descriptor");
    }
    TRY(check_options(set, options, err));
    for (size_t i = 0; i < options->node_count; i++) {
        set_node *node = &set->nodes[set->node_count++];
        node->set = set;
        pgc_status status = node_open(node, options->nodes[i], options, err);
        if (status != PGC_OK) {
            return pgc_error_wrap(err, status, "node %zu", i + 1);
        }
    }
    return start_monitors(set, err);
}

pgc_status set_open_on(const pgc_set_options *options, const conn_seams *seams, pgc_set **out,
                       pgc_error *err)
{
    pgc_set_options full;
    TRY(options_resolve(options, &full, err));
    const pgc_alloc *alloc = alloc_or_libc(full.pool.conn.alloc);
    pgc_set *set = MEM_NEW(alloc, pgc_set);
    if (set == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "set");
    }
    set->writer.ops = &WRITER_OPS;
    set->reader.ops = &READER_OPS;
    set->alloc = alloc;
    set->seams = *seams;
    set->options = full;
    set->options.nodes = NULL;
    set->stats.primary = -1;
    (void) pthread_mutex_init(&set->lock, NULL);
    cond_init(&set->changed);
    cond_init(&set->wanted);
    pgc_status status = open_all(set, &full, err);
    if (status != PGC_OK) {
        pgc_set_close(set);
        return status;
    }
    *out = set;
    return PGC_OK;
}

pgc_status pgc_set_open(const pgc_set_options *options, pgc_set **out, pgc_error *err)
{
    if (out == NULL) {
        return pgc_error_set(err, PGC_INVALID, "set: no place for the result");
    }
    const conn_seams seams = { pq_libpq(), clock_os(), -1, NULL };
    return set_open_on(options, &seams, out, err);
}

/* Copes with every half-made state. */
void pgc_set_close(pgc_set *set)
{
    if (set == NULL) {
        return;
    }
    (void) pthread_mutex_lock(&set->lock);
    set->closing = true;
    (void) pthread_cond_broadcast(&set->wanted);
    (void) pthread_cond_broadcast(&set->changed);
    (void) pthread_mutex_unlock(&set->lock);
    if (set->seams.wake_fd >= 0) {
        const uint64_t one = 1;
        (void) !write(set->seams.wake_fd, &one, sizeof one); /* calls off what is connecting */
    }
    for (size_t i = 0; i < set->node_count; i++) {
        set_node *node = &set->nodes[i];
        if (node->watched) {
            (void) pthread_join(node->monitor, NULL);
        }
        pgc_pool_close(node->pool);
        mem_free_str(set->alloc, node->conninfo);
    }
    if (set->seams.wake_fd >= 0) {
        (void) close(set->seams.wake_fd);
    }
    (void) pthread_cond_destroy(&set->wanted);
    (void) pthread_cond_destroy(&set->changed);
    (void) pthread_mutex_destroy(&set->lock);
    mem_free(set->alloc, set, sizeof *set);
}

pgc_db *pgc_set_writer(pgc_set *set)
{
    return &set->writer;
}

pgc_db *pgc_set_reader(pgc_set *set)
{
    return &set->reader;
}

pgc_pool *pgc_set_pool(pgc_set *set, size_t node)
{
    return node < set->node_count ? set->nodes[node].pool : NULL;
}

void pgc_set_get_stats(pgc_set *set, pgc_set_stats *out, pgc_node_stats *nodes, size_t node_count)
{
    static const pgc_token nothing = { 0, 0, 0 };
    (void) pthread_mutex_lock(&set->lock);
    *out = set->stats;
    for (size_t i = 0; nodes != NULL && i < node_count && i < set->node_count; i++) {
        set_node *node = &set->nodes[i];
        nodes[i] = node->stats;
        nodes[i].serves_reads = set_serves(node, &nothing);
        nodes[i].under_way = atomic_load(&node->under_way);
    }
    (void) pthread_mutex_unlock(&set->lock);
}
