/*
 * Leader election (river.md section 6.1): a row with a term that its holder extends. We believe in
 * a term for a second less than it lasts, counted from the start of the last success. Threads: the
 * elector changes the state, all under lead->lock.
 */
#include "base/prelude.h"

#include "river/lead.h"

#include "base/crash.h"
#include "base/options.h"
#include "river/json.h"
#include "river/runtime.h"
#include "river/side.h"

#define RETRY_MAX_US (64 * RUNTIME_SECOND_US)

pgc_status link_db(lead_link *link, pgc_db **out, pgc_error *err)
{
    const river_client *client = link->client;
    if (client->options.conn == NULL) {
        *out = pgc_pool_db(client->pool);
        return PGC_OK;
    }
    if (link->conn != NULL && !pgc_conn_alive(link->conn)) {
        link_close(link);
    }
    if (link->conn == NULL) {
        TRY(pgc_conn_open(client->options.conn, &link->conn, err));
    }
    *out = pgc_conn_db(link->conn);
    return PGC_OK;
}

void link_check(lead_link *link, pgc_status status, const pgc_error *err)
{
    if (link->conn == NULL || status == PGC_OK) {
        return;
    }
    /* 25006: the server became a standby; the next connect may find the new primary. */
    bool standby = err != NULL && strcmp(err->sqlstate, "25006") == 0;
    if (standby || !pgc_conn_alive(link->conn)) {
        link_close(link);
    }
}

void link_close(lead_link *link)
{
    pgc_conn_close(TAKE(link->conn));
}

bool lead_wait(leadership *lead, int64_t us)
{
    if (!lead->stop && us != 0) {
        (void) cond_wait(&lead->changed, &lead->lock, us);
    }
    return !lead->stop;
}

static void set_leading(leadership *lead, bool leading)
{
    lead->leading = leading;
    lead->resign = false;
    lead->term_number += leading ? 1 : 0;
    atomic_store(&lead->leads, leading);
    pthread_cond_broadcast(&lead->changed);
}

/* One call on the link without the lock. */
typedef enum lead_call { CALL_ELECT, CALL_EXTEND, CALL_RESIGN } lead_call;

static pgc_status call(leadership *lead, lead_link *link, lead_call what, pgc_error *err)
{
    const river_client *client = lead->run->client;
    store_term term = lead->term;
    pgc_db *db = NULL;
    pthread_mutex_unlock(&lead->lock);
    pgc_error_clear(err);
    pgc_status status = link_db(link, &db, err);
    if (status == PGC_OK && what == CALL_ELECT) {
        status = store_lead_elect(client->store, db, client->id, LEAD_TTL_US, &term, err);
    } else if (status == PGC_OK && what == CALL_EXTEND) {
        status = store_lead_extend(client->store, db, client->id, &term, LEAD_TTL_US, err);
    } else if (status == PGC_OK) {
        status = store_lead_resign(client->store, db, client->id, &term, err);
    }
    link_check(link, status, err);
    if (status != PGC_OK && status != PGC_NOT_FOUND) {
        runtime_trouble(lead->run, err);
    }
    pthread_mutex_lock(&lead->lock);
    lead->term = term;
    return status;
}

/* 1, 2, 4 … 64 s, ten percent up or down. */
static int64_t backoff_us(const runtime *run, unsigned failures)
{
    int64_t base = RUNTIME_SECOND_US << (failures < 6 ? failures : 6);
    base = base < RETRY_MAX_US ? base : RETRY_MAX_US;
    return base - base / 10 + clock_spread(run->clock, base / 5);
}

/* Until elected or told to stop. */
static bool follow(leadership *lead, lead_link *link, int64_t *trusted_until)
{
    unsigned failures = 0;
    while (!lead->stop) {
        pgc_error err;
        int64_t began = runtime_now(lead->run);
        lead->vacant = false;
        pgc_status status = call(lead, link, CALL_ELECT, &err);
        if (status == PGC_OK) {
            CRASH_POINT("river.elected");
            *trusted_until = began + LEAD_TRUST_US;
            set_leading(lead, true);
            return true;
        }
        failures = status == PGC_NOT_FOUND ? 0 : failures + 1;
        int64_t wait = failures == 0
                           ? LEAD_INTERVAL_US + clock_spread(lead->run->clock, RUNTIME_SECOND_US)
                           : backoff_us(lead->run, failures - 1);
        int64_t until = runtime_now(lead->run) + wait;
        while (!lead->stop && !lead->vacant && runtime_now(lead->run) < until) {
            (void) lead_wait(lead, until - runtime_now(lead->run));
        }
        if (lead->vacant && !lead->stop) { /* not all at once */
            (void) lead_wait(lead, clock_spread(lead->run->clock, RUNTIME_SECOND_US / 20));
        }
    }
    return false;
}

/* Extend until the term is lost, given up or the client stops. True: to be resigned. */
static bool hold(leadership *lead, lead_link *link, int64_t trusted_until)
{
    unsigned failures = 0;
    int64_t next = trusted_until - LEAD_TRUST_US + LEAD_INTERVAL_US;
    while (!lead->stop && !lead->resign) {
        int64_t now = runtime_now(lead->run);
        if (now >= trusted_until) {
            return true;
        }
        if (now < next) {
            (void) lead_wait(lead, (next < trusted_until ? next : trusted_until) - now);
            continue;
        }
        pgc_error err;
        pgc_status status = call(lead, link, CALL_EXTEND, &err);
        if (status == PGC_NOT_FOUND) {
            return false; /* somebody else's by now */
        }
        if (status == PGC_OK) {
            trusted_until = now + LEAD_TRUST_US;
            next = now + LEAD_INTERVAL_US;
            failures = 0;
        } else {
            next = runtime_now(lead->run) + (RUNTIME_SECOND_US << (failures++ % 3));
        }
    }
    return true;
}

static void *elect_work(void *arg)
{
    leadership *lead = (leadership *) arg;
    lead_link link = { .client = lead->run->client };
    int64_t trusted_until = 0;
    pthread_mutex_lock(&lead->lock);
    while (follow(lead, &link, &trusted_until)) {
        bool resign = hold(lead, &link, trusted_until);
        set_leading(lead, false);
        pgc_error err;
        for (int i = 0; resign && i < 3; i++) {
            resign = call(lead, &link, CALL_RESIGN, &err) != PGC_OK;
        }
    }
    pthread_mutex_unlock(&lead->lock);
    link_close(&link);
    return NULL;
}

void lead_notified(struct river_runtime *run, slice payload)
{
    leadership *lead = run->lead;
    if (lead == NULL || json_check_object(payload, NULL) != PGC_OK) {
        return;
    }
    slice action = json_get(payload, SLICE("action"));
    slice who = json_get(payload, SLICE("leader_id"));
    char own[CLIENT_ID_SIZE + 2];
    int len = snprintf(own, sizeof(own), "\"%s\"", run->client->id);
    bool from_us = slice_eq(who, (slice) { own, (size_t) len });
    pthread_mutex_lock(&lead->lock);
    if (slice_eq_str(action, "\"resigned\"") && !from_us) {
        lead->vacant = true;
    }
    if (slice_eq_str(action, "\"request_resign\"") && lead->leading) {
        lead->resign = true;
    }
    pthread_cond_broadcast(&lead->changed);
    pthread_mutex_unlock(&lead->lock);
}

pgc_status lead_make(struct river_runtime *run, const river_client_options *options, pgc_error *err)
{
    leadership *lead = ARENA_NEW(run->client->memory, leadership);
    if (lead == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "job queue client: out of memory");
    }
    lead->run = run;
    pthread_mutex_init(&lead->lock, NULL);
    cond_init(&lead->changed);
    periodic_make(&lead->periodics, run->alloc);
    run->lead = lead;
    for (size_t i = 0; i < options->periodic_count; i++) {
        TRY(periodic_add(&lead->periodics, &options->periodics[i], NULL, err));
    }
    return PGC_OK;
}

void lead_free(struct river_runtime *run)
{
    leadership *lead = run->lead;
    if (lead == NULL) {
        return;
    }
    periodic_free(&lead->periodics);
    pthread_cond_destroy(&lead->changed);
    pthread_mutex_destroy(&lead->lock);
    run->lead = NULL;
}

static pgc_status start_threads(leadership *lead, pgc_error *err)
{
    const struct {
        pthread_t *thread;
        void *(*work)(void *);
    } threads[] = { { &lead->elector, elect_work },
                    { &lead->keeper, keep_work },
                    { &lead->reindexer, reindex_work } };
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        int failed = pthread_create(threads[i].thread, NULL, threads[i].work, lead);
        if (failed == 0) {
            continue;
        }
        pthread_mutex_lock(&lead->lock);
        lead->stop = true;
        pthread_cond_broadcast(&lead->changed);
        pthread_mutex_unlock(&lead->lock);
        while (i-- > 0) {
            (void) pthread_join(*threads[i].thread, NULL);
        }
        return pgc_error_errno(err, failed, "start the threads of the job queue's leader");
    }
    lead->started = true;
    return PGC_OK;
}

pgc_status lead_start(struct river_runtime *run, pgc_error *err)
{
    leadership *lead = run->lead;
    if (lead == NULL) {
        return PGC_OK;
    }
    lead->stop = lead->vacant = lead->resign = false;
    return start_threads(lead, err);
}

void lead_stop(struct river_runtime *run)
{
    leadership *lead = run->lead;
    if (lead == NULL || !lead->started) {
        return;
    }
    pthread_mutex_lock(&lead->lock);
    lead->stop = true;
    pthread_cond_broadcast(&lead->changed);
    if (lead->rebuilding != NULL) { /* it may take long, and can be done again tomorrow */
        pgc_status asked = pgc_conn_cancel(lead->rebuilding, NULL);
        (void) asked; /* not asked: it ends by its time limit */
    }
    pthread_mutex_unlock(&lead->lock);
    (void) pthread_join(lead->elector, NULL);
    (void) pthread_join(lead->keeper, NULL);
    (void) pthread_join(lead->reindexer, NULL);
    lead->started = false;
}

bool river_client_leads(const river_client *client)
{
    const leadership *lead = client->runtime->lead;
    return lead != NULL && atomic_load(&lead->leads);
}

static pgc_status no_leadership(pgc_error *err)
{
    return pgc_error_set(err, PGC_INVALID, "periodic jobs: this client stays out of elections");
}

/* The keeper looks at the list again. */
static void periodics_changed(leadership *lead)
{
    pthread_mutex_lock(&lead->lock);
    lead->periodics_changed = true;
    pthread_cond_broadcast(&lead->changed);
    pthread_mutex_unlock(&lead->lock);
}

pgc_status river_client_periodic_add(river_client *client, const river_periodic *periodic,
                                     int32_t *handle_out, pgc_error *err)
{
    leadership *lead = client->runtime->lead;
    if (lead == NULL) {
        return no_leadership(err);
    }
    river_periodic taken;
    TRY(options_take("periodic job", periodic, &taken, sizeof taken, err));
    periodic = &taken;
    if (periodic->durable) {
        TRY(side_require(client, err));
    }
    TRY(periodic_add(&lead->periodics, periodic, handle_out, err));
    periodics_changed(lead);
    return PGC_OK;
}

pgc_status river_client_periodic_remove(river_client *client, int32_t handle, pgc_error *err)
{
    leadership *lead = client->runtime->lead;
    return lead == NULL ? no_leadership(err) : periodic_remove(&lead->periodics, handle, err);
}
