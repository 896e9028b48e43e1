/*
 * Periodic jobs (river.md section 6.6): each is inserted with the time that was meant, and the next
 * time follows from that, so nothing drifts. Runs missed without a leader are not caught up, but
 * for durable ones: their next time is in a table, moved on in the transaction of the insert.
 * Threads: the list is under its lock; only the keeper inserts.
 */
#include "base/prelude.h"

#include "river/periodic.h"

#include "base/options.h"

#include "river/check.h"
#include "river/insertion.h"
#include "river/json.h"
#include "river/lead.h"
#include "river/runtime.h"
#include "river/store_ext.h"

#define NEVER    INT64_MAX
#define NEAR_US  100000 /* due a little early is due */
#define ID_MAX   127
#define AGAIN_US RUNTIME_SECOND_US        /* after a failure */
#define LOOK_US  (60 * RUNTIME_SECOND_US) /* at least so often, in case the wall clock moved */

typedef struct entry {
    list_node link;
    arena *memory;
    int32_t handle;
    river_periodic spec;
    river_insert job;
    cron cron;
    pgc_timestamptz next; /* when it is to be inserted */
    bool started;         /* run_on_start was looked at, in this term */
    bool planned;         /* next is set */
    bool never;
    pgc_timestamptz kept; /* durable: what the table says */
} entry;

void periodic_make(periodic_set *set, const pgc_alloc *alloc)
{
    pthread_mutex_init(&set->lock, NULL);
    list_init(&set->entries);
    set->alloc = alloc;
}

static void entry_free(entry *e)
{
    list_remove(&e->link);
    arena_free(e->memory); /* e is in it */
}

void periodic_free(periodic_set *set)
{
    while (!list_empty(&set->entries)) {
        entry_free(CONTAINER_OF(set->entries.next, entry, link));
    }
    pthread_mutex_destroy(&set->lock);
}

static pgc_status check_spec(const river_periodic *spec, pgc_error *err)
{
    int ways = (spec->interval_us != 0) + (spec->cron != NULL) + (spec->schedule != NULL);
    if (ways != 1 || spec->interval_us < 0) {
        return pgc_error_set(err, PGC_INVALID,
                             "periodic job: give one of interval_us, cron and schedule");
    }
    if ((spec->job == NULL) == (spec->construct == NULL)) {
        return pgc_error_set(err, PGC_INVALID, "periodic job: give one of job and construct");
    }
    if (spec->id != NULL && (spec->id[0] == '\0' || strlen(spec->id) > ID_MAX)) {
        return pgc_error_set(err, PGC_INVALID, "periodic job: an id has 1 to %d bytes", ID_MAX);
    }
    if (spec->durable && spec->id == NULL) {
        return pgc_error_set(err, PGC_INVALID, "periodic job: durable needs an id");
    }
    if (spec->time_zone != NULL && spec->cron == NULL) {
        return pgc_error_set(err, PGC_INVALID, "periodic job: time_zone belongs to cron");
    }
    if (spec->job != NULL) {
        TRY(check_insert(spec->job, err));
    }
    return PGC_OK;
}

static const char *copy(arena *memory, const char *text, bool *failed)
{
    const char *to = text == NULL ? NULL : arena_strdup(memory, text);
    *failed = *failed || (text != NULL && to == NULL);
    return to;
}

static const char *const *copy_list(arena *memory, const char *const *from, size_t count,
                                    bool *failed)
{
    const char **to = ARENA_ARRAY(memory, count + 1, const char *);
    *failed = *failed || to == NULL;
    for (size_t i = 0; !*failed && i < count; i++) {
        to[i] = copy(memory, from[i], failed);
    }
    return to;
}

static slice copy_slice(arena *memory, slice from, bool *failed)
{
    if (from.ptr == NULL) {
        return from;
    }
    const char *to = arena_copy(memory, from);
    *failed = *failed || to == NULL;
    return (slice) { to, from.len };
}

static void copy_job(arena *memory, const river_insert *from, river_insert *to, bool *failed)
{
    *to = *from;
    to->kind = copy(memory, from->kind, failed);
    to->queue = copy(memory, from->queue, failed);
    to->args = copy_slice(memory, from->args, failed);
    to->metadata = copy_slice(memory, from->metadata, failed);
    to->tags = copy_list(memory, from->tags, from->tag_count, failed);
    to->unique.paths = copy_list(memory, from->unique.paths, from->unique.path_count, failed);
}

static entry *entry_make(const periodic_set *set, const river_periodic *spec)
{
    AUTO(arena_auto) arena *memory = arena_new(set->alloc, 0, 0);
    entry *e = memory == NULL ? NULL : ARENA_NEW(memory, entry);
    if (e == NULL) {
        return NULL;
    }
    bool failed = false;
    e->spec = *spec;
    e->spec.id = copy(memory, spec->id, &failed);
    e->spec.cron = copy(memory, spec->cron, &failed);
    e->spec.time_zone = copy(memory, spec->time_zone, &failed);
    if (spec->job != NULL) {
        copy_job(memory, spec->job, &e->job, &failed);
    }
    if (failed) {
        return NULL;
    }
    e->memory = TAKE(memory);
    return e;
}

pgc_status periodic_add(periodic_set *set, const river_periodic *spec, int32_t *handle_out,
                        pgc_error *err)
{
    cron parsed = { 0 };
    river_insert job;
    river_periodic ours;
    TRY(options_take("periodic job", spec, &ours, sizeof ours, err));
    spec = &ours;
    if (ours.job != NULL) {
        TRY(options_take("job of a periodic job", ours.job, &job, sizeof job, err));
        ours.job = &job;
    }
    TRY(check_spec(spec, err));
    if (spec->cron != NULL) {
        TRY(cron_parse(pgc_text_from(spec->cron), &parsed, err));
    }
    entry *e = entry_make(set, spec);
    if (e == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "periodic job: out of memory");
    }
    e->cron = parsed;
    pthread_mutex_lock(&set->lock);
    bool taken = false;
    for (list_node *node = set->entries.next; node != &set->entries; node = node->next) {
        const entry *other = CONTAINER_OF(node, entry, link);
        taken = taken || (spec->id != NULL && other->spec.id != NULL &&
                          strcmp(spec->id, other->spec.id) == 0);
    }
    if (!taken) {
        e->handle = ++set->last_handle;
        list_append(&set->entries, &e->link);
        if (handle_out != NULL) {
            *handle_out = e->handle;
        }
    }
    pthread_mutex_unlock(&set->lock);
    if (taken) {
        list_init(&e->link);
        entry_free(e);
        return pgc_error_set(err, PGC_CONFLICT, "periodic job '%s' exists already", spec->id);
    }
    return PGC_OK;
}

pgc_status periodic_remove(periodic_set *set, int32_t handle, pgc_error *err)
{
    entry *found = NULL;
    pthread_mutex_lock(&set->lock);
    for (list_node *node = set->entries.next; node != &set->entries; node = node->next) {
        entry *e = CONTAINER_OF(node, entry, link);
        found = e->handle == handle ? e : found;
    }
    if (found != NULL) {
        entry_free(found);
    }
    pthread_mutex_unlock(&set->lock);
    return found != NULL ? PGC_OK : pgc_error_set(err, PGC_NOT_FOUND, "no periodic job %d", handle);
}

void periodic_begin(periodic_set *set)
{
    pthread_mutex_lock(&set->lock);
    for (list_node *node = set->entries.next; node != &set->entries; node = node->next) {
        entry *e = CONTAINER_OF(node, entry, link);
        e->planned = e->started = false;
    }
    pthread_mutex_unlock(&set->lock);
}

/* Both ways between an instant and the wall clock of a zone; $2 is the zone's name. */
static const pgc_type_ref TO_PARAMS[] = { { "at", "timestamp with time zone", 1184 },
                                          { "zone", "text", 25 } };
static const pgc_type_ref FROM_PARAMS[] = { { "at", "timestamp without time zone", 1114 },
                                            { "zone", "text", 25 } };
static const pgc_query TO_LOCAL = { .name = "RiverToLocal",
                                    .sql = "SELECT $1 AT TIME ZONE $2",
                                    .hash = UINT64_C(0x7a6f6e6500000001),
                                    .param_count = 2,
                                    .params = TO_PARAMS,
                                    .column_count = 1,
                                    .columns = FROM_PARAMS };
static const pgc_query FROM_LOCAL = { .name = "RiverFromLocal",
                                      .sql = "SELECT $1 AT TIME ZONE $2",
                                      .hash = UINT64_C(0x7a6f6e6500000002),
                                      .param_count = 2,
                                      .params = FROM_PARAMS,
                                      .column_count = 1,
                                      .columns = TO_PARAMS };

/* Both types are microseconds since 2000 on the wire. */
static pgc_status convert(pgc_db *db, const pgc_query *query, const char *zone, int64_t us,
                          int64_t *out, pgc_error *err)
{
    pgc_args args;
    pgc_result *result = NULL;
    pgc_args_init(&args, NULL);
    pgc_add_timestamptz(&args, (pgc_timestamptz) { us });
    pgc_add_text(&args, pgc_text_from(zone));
    pgc_status status = pgc_db_run(db, query, &args, &result, err);
    pgc_args_done(&args);
    TRY(pgc_error_wrap(err, status, "time zone %s", zone));
    pgc_reader reader;
    pgc_reader_init(&reader, result, query);
    *out = pgc_read_timestamptz(&reader, 0, 0).us;
    status = pgc_reader_finish(&reader, err);
    pgc_result_free(result);
    return status;
}

/* First time after `after` by the entry's schedule. Zones are the server's: it has the rules. */
static pgc_status next_time(const entry *e, pgc_db *db, pgc_timestamptz after, pgc_timestamptz *out,
                            pgc_error *err)
{
    if (e->spec.schedule != NULL) {
        return e->spec.schedule(after, e->spec.schedule_arg, out);
    }
    if (e->spec.cron == NULL) {
        out->us = after.us + e->spec.interval_us;
        return PGC_OK;
    }
    const char *zone = e->spec.time_zone;
    pgc_timestamp local = { after.us };
    if (zone != NULL) {
        TRY(convert(db, &TO_LOCAL, zone, after.us, &local.us, err));
    }
    if (!cron_next(&e->cron, local, &local)) {
        return PGC_NOT_FOUND;
    }
    out->us = local.us;
    if (zone != NULL) {
        TRY(convert(db, &FROM_LOCAL, zone, local.us, &out->us, err));
    }
    return PGC_OK;
}

/* The job's metadata with the two keys that say where it came from. */
static pgc_status mark(const entry *e, const river_insert *job, buf *out, pgc_error *err)
{
    json_walk walk;
    json_member member;
    buf_add_str(out, "{\"periodic\":true");
    if (e->spec.id != NULL) {
        buf_add_str(out, ",\"river:periodic_job_id\":");
        json_add_text(out, pgc_text_from(e->spec.id));
    }
    if (job->metadata.ptr != NULL) {
        TRY(json_check_object(job->metadata, err));
        json_walk_begin(&walk, job->metadata);
        while (json_walk_next(&walk, &member)) {
            buf_add_char(out, ',');
            buf_add(out, member.key);
            buf_add_char(out, ':');
            buf_add(out, member.value);
        }
    }
    buf_add_char(out, '}');
    return buf_finish(out, err);
}

/* One insert: available, with the time that was meant. */
static pgc_status insert(const entry *e, river_client *client, pgc_db *db, pgc_timestamptz at,
                         pgc_error *err)
{
    river_insert job = { .struct_size = sizeof(job) };
    AUTO(buf_auto) buf metadata;
    buf_init(&metadata, client->options.alloc, INT32_MAX);
    if (e->spec.construct == NULL) {
        job = e->job;
    } else if (!e->spec.construct(&job, e->spec.construct_arg)) {
        return PGC_OK; /* not this time */
    }
    TRY(mark(e, &job, &metadata, err));
    job.metadata = buf_view(&metadata);
    job.scheduled_at = (pgc_opt_timestamptz) { true, at };
    return insert_available(client, db, &job, err);
}

/* As next_time(), with a time that never comes for PGC_NOT_FOUND. */
static pgc_status next_or_never(const entry *e, pgc_db *db, pgc_timestamptz after,
                                pgc_timestamptz *out, pgc_error *err)
{
    pgc_status status = next_time(e, db, after, out, err);
    if (status == PGC_NOT_FOUND) {
        *out = (pgc_timestamptz) { NEVER };
    }
    return status == PGC_NOT_FOUND ? PGC_OK : status;
}

/* The first time, from now or from the table. A changed schedule may come sooner than what is
 * kept. */
static pgc_status plan(entry *e, river_client *client, pgc_db *db, pgc_timestamptz now,
                       pgc_error *err)
{
    pgc_timestamptz next;
    TRY(next_or_never(e, db, now, &next, err));
    e->kept = next;
    if (e->spec.durable) {
        TRY(store_ext_plan(client->store, db, e->spec.id, next, &e->kept, err));
    }
    e->next = e->kept.us < next.us ? e->kept : next;
    e->never = e->next.us == NEVER;
    e->planned = true;
    return PGC_OK;
}

/* One step of a durable one; two leaders of one moment insert once. */
typedef struct step {
    entry *e;
    river_client *client;
    pgc_timestamptz to;
} step;

static pgc_status step_in(pgc_tx *tx, void *arg, pgc_error *err)
{
    const step *s = (const step *) arg;
    const entry *e = s->e;
    pgc_db *db = pgc_tx_db(tx);
    TRY(store_ext_advance(s->client->store, db, e->spec.id, e->kept, s->to, err));
    return insert(e, s->client, db, e->next, err);
}

/* Insert what is due and go on. Behind a pause a durable job comes once, others as often as they
 * were due. */
static pgc_status advance(entry *e, river_client *client, pgc_db *db, pgc_timestamptz now,
                          pgc_error *err)
{
    bool late = e->spec.durable && now.us > e->next.us;
    step s = { .e = e, .client = client };
    TRY(next_or_never(e, db, late ? now : e->next, &s.to, err));
    if (!e->spec.durable) {
        TRY(insert(e, client, NULL, e->next, err));
    } else {
        pgc_status status = pgc_tx_run(client->pool, NULL, 0, step_in, &s, err);
        if (status == PGC_CONFLICT && err->sqlstate[0] == '\0') {
            e->planned = false; /* another leader did it: look at the table again */
            return PGC_OK;
        }
        TRY(status);
    }
    e->next = e->kept = s.to;
    e->never = s.to.us == NEVER;
    return PGC_OK;
}

/* Plan an entry, and insert it when it is due; more than once after a long pause. */
static pgc_status visit(entry *e, river_client *client, pgc_db *db, pgc_error *err)
{
    pgc_timestamptz now = client_now(client);
    do {
        if (!e->planned && e->spec.run_on_start && !e->started) {
            TRY(insert(e, client, NULL, now, err));
        }
        e->started = true;
        if (!e->planned) {
            TRY(plan(e, client, db, now, err));
        }
        while (e->planned && !e->never && e->next.us < now.us + NEAR_US) {
            TRY(advance(e, client, db, now, err));
        }
    } while (!e->planned);
    return PGC_OK;
}

int64_t periodic_run(periodic_set *set, river_client *client, lead_link *link)
{
    const runtime *run = client->runtime;
    int64_t soonest = LOOK_US;
    pgc_error err;
    pgc_db *db = NULL;
    pthread_mutex_lock(&set->lock);
    pgc_error_clear(&err);
    pgc_status status = list_empty(&set->entries) ? PGC_OK : link_db(link, &db, &err);
    for (list_node *node = set->entries.next; node != &set->entries && status == PGC_OK;
         node = node->next) {
        entry *e = CONTAINER_OF(node, entry, link);
        status = visit(e, client, db, &err);
        int64_t left = e->next.us - NEAR_US - client_now(client).us;
        if (!e->never && left < soonest) {
            soonest = left;
        }
    }
    link_check(link, status, &err);
    pthread_mutex_unlock(&set->lock);
    if (status != PGC_OK) {
        (void) pgc_error_wrap(&err, status, "job queue: insert periodic jobs");
        runtime_trouble(run, &err);
        soonest = AGAIN_US;
    }
    return runtime_now(run) + (soonest > 0 ? soonest : 0);
}
