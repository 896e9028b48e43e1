/* What opens a transaction or a nested scope: BEGIN with its settings, or a savepoint, queued in
 * front of the first query. Invariant: nothing is open on the server before that query's round
 * trip, and what its answer does not confirm counts as not open. One thread per transaction. */
#include "base/prelude.h"

#include "base/alloc.h"
#include "base/options.h"
#include "pgc/tx_parts.h"

/* Texts of BEGIN by level, access and deferrability: nothing is put together at run time. */
#define BEGIN_QUERY(text)                                                \
    {                                                                    \
        .name = "begin", .sql = "BEGIN" text, .flags = PGC_QUERY_UNNAMED \
    }
#define BEGIN_QUERIES(level)                                                            \
    {                                                                                   \
        { BEGIN_QUERY(level), BEGIN_QUERY(level " DEFERRABLE") },                       \
        {                                                                               \
            BEGIN_QUERY(level " READ ONLY"), BEGIN_QUERY(level " READ ONLY DEFERRABLE") \
        }                                                                               \
    }
static const pgc_query BEGINS[3][2][2] = {
    [PGC_READ_COMMITTED] = BEGIN_QUERIES(" ISOLATION LEVEL READ COMMITTED"),
    [PGC_REPEATABLE_READ] = BEGIN_QUERIES(" ISOLATION LEVEL REPEATABLE READ"),
    [PGC_SERIALIZABLE] = BEGIN_QUERIES(" ISOLATION LEVEL SERIALIZABLE"),
};
/* Without options the server's own defaults hold, which an administrator may have set. */
static const pgc_query BEGIN_PLAIN = BEGIN_QUERY("");

/* The server's limits by name; milliseconds each. */
static const char *const LIMIT_NAMES[] = { "statement_timeout", "lock_timeout",
                                           "idle_in_transaction_session_timeout" };

pgc_status tx_options_resolve(const pgc_tx_options *in, pgc_tx_options *out, pgc_error *err)
{
    TRY(options_take_any("transaction options", in, out, sizeof *out, err));
    if ((unsigned) out->isolation > PGC_SERIALIZABLE) {
        return pgc_error_set(err, PGC_INVALID, "transaction options: isolation level %u",
                             (unsigned) out->isolation);
    }
    if (out->timeout_us < 0 || out->statement_timeout_us < 0 || out->lock_timeout_us < 0 ||
        out->idle_timeout_us < 0) {
        return pgc_error_set(err, PGC_INVALID, "transaction options: a time-out below zero");
    }
    if (out->resolve_timeout_us == 0) {
        out->resolve_timeout_us = TX_RESOLVE_DEFAULT_US;
    }
    return session_check(out->settings, out->setting_count, err);
}

/* Bytes of all texts with their ends. */
static size_t texts_size(const pgc_tx_options *options)
{
    size_t size = 0;
    for (size_t i = 0; i < options->setting_count; i++) {
        size += strlen(options->settings[i].name) + strlen(options->settings[i].value) + 2;
    }
    return size;
}

static const char *put_text(char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    char *put = memcpy(*at, text, size);
    *at += size;
    return put;
}

/* Rounded up, so that a limit that was asked for is never "none"; the server counts in int32. */
static void limit_text(int64_t us, char *text, size_t size)
{
    int64_t ms = us / 1000 + (us % 1000 != 0);
    (void) snprintf(text, size, "%" PRId64, ms > INT32_MAX ? INT32_MAX : ms);
}

static void encode_limits(tx_start *start, const pgc_tx_options *options, const pgc_alloc *alloc)
{
    const int64_t limits[] = { options->statement_timeout_us, options->lock_timeout_us,
                               options->idle_timeout_us };
    pgc_setting set[ARRAY_LEN(limits)];
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        if (limits[i] > 0) {
            char *text = start->limit_texts[start->limit_count];
            limit_text(limits[i], text, sizeof start->limit_texts[0]);
            set[start->limit_count++] = (pgc_setting) { LIMIT_NAMES[i], text };
        }
    }
    session_args_init(&start->limits, set, start->limit_count, alloc);
}

/* One block for all: the caller's texts may be gone when they are sent. */
bool tx_start_make(const pgc_tx_options *options, const pgc_alloc *alloc, tx_start **out)
{
    if (options->setting_count == 0 && options->statement_timeout_us == 0 &&
        options->lock_timeout_us == 0 && options->idle_timeout_us == 0) {
        return true;
    }
    size_t text_size = texts_size(options);
    tx_start *start = mem_new(alloc, sizeof *start + text_size);
    if (start == NULL) {
        return false;
    }
    start->text_size = text_size;
    start->setting_count = options->setting_count;
    char *at = (char *) (start + 1);
    pgc_setting ours[PGC_SCOPE_SETTINGS_MAX];
    for (size_t i = 0; i < options->setting_count; i++) {
        ours[i].name = put_text(&at, options->settings[i].name);
        ours[i].value = put_text(&at, options->settings[i].value);
    }
    session_args_init(&start->settings, ours, options->setting_count, alloc);
    encode_limits(start, options, alloc);
    *out = start;
    return true;
}

void tx_start_free(tx_start *start, const pgc_alloc *alloc)
{
    if (start != NULL) {
        session_args_done(&start->settings);
        session_args_done(&start->limits);
        mem_free(alloc, start, sizeof *start + start->text_size);
    }
}

/* BEGIN first, then what must hold for the first query. */
static void queue_begin(const tx_outer *outer, group *g)
{
    const pgc_tx_options *options = &outer->options;
    (void) group_add(
        g,
        outer->has_options
            ? &BEGINS[options->isolation][options->read_only ? 1 : 0][options->deferrable ? 1 : 0]
            : &BEGIN_PLAIN,
        NULL);
    const tx_start *start = outer->start;
    if (start != NULL && start->limit_count > 0) {
        (void) group_add(g, start->limits.query, &start->limits.args);
    }
    if (start != NULL && start->setting_count > 0) {
        (void) group_add(g, start->settings.query, &start->settings.args);
    }
}

/* Savepoints are named by depth: a name is free again when its scope has ended. */
void tx_start_queue(pgc_tx *tx, group *g, pgc_query *savepoint, char *sql)
{
    assert(g->count == 0);
    if (!tx->pending) {
        return;
    }
    if (tx->parent == NULL) {
        queue_begin(tx->outer, g);
        return;
    }
    assert(!tx->parent->pending);
    (void) snprintf(sql, TX_SAVEPOINT_SQL_SIZE, "SAVEPOINT pgc_%" PRIu32, tx->depth);
    *savepoint = (pgc_query) { .name = "savepoint", .sql = sql, .flags = PGC_QUERY_UNNAMED };
    (void) group_add(g, savepoint, NULL);
}

/* Only what the server has confirmed is open. */
void tx_start_settle(pgc_tx *tx, const group *g)
{
    if (!tx->pending || !g->sent) {
        return;
    }
    tx->pending = false;
    tx->open = g->items[0].ok;
    if (tx->open && tx->parent != NULL) {
        tx->outer->nested++;
    }
}
