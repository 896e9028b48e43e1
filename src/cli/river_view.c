/* Jobs and queues as text for people and as JSON. Times are UTC. */
#include "cli/prelude.h"

#include "cli/river_view.h"

#include <time.h>

#include "cli/cli.h"

#define ERROR_MAX 100 /* bytes of an error in a list */

/* Microseconds from 1970 to 2000, where the server's times begin. */
#define EPOCH_2000_US INT64_C(946684800000000)

/* "2026-08-07T14:32:57Z"; "" for none. */
static const char *time_text(pgc_opt_timestamptz at, char out[32])
{
    struct tm parts;
    time_t seconds = (time_t) ((at.v.us + EPOCH_2000_US) / 1000000);
    if (!at.has || gmtime_r(&seconds, &parts) == NULL ||
        strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0) {
        out[0] = '\0';
    }
    return out;
}

static json_t *json_time(pgc_opt_timestamptz at)
{
    char text[32];
    return at.has ? json_string(time_text(at, text)) : json_null();
}

static json_t *json_text(pgc_text text)
{
    return json_stringn(text.ptr, text.len);
}

/* What the server stores as JSON is JSON. */
static json_t *json_raw(pgc_text text)
{
    json_t *value = json_loadb(text.ptr, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    return value != NULL ? value : json_text(text);
}

json_t *river_view_job_json(const river_job *job)
{
    json_t *tags = json_array(), *errors = json_array(), *by = json_array();
    for (size_t i = 0; i < job->tag_count; i++) {
        (void) json_array_append_new(tags, json_text(job->tags[i]));
    }
    for (size_t i = 0; i < job->attempted_by_count; i++) {
        (void) json_array_append_new(by, json_text(job->attempted_by[i]));
    }
    for (size_t i = 0; i < job->error_count; i++) {
        const river_attempt_error *e = &job->errors[i];
        (void) json_array_append_new(errors,
                                     json_pack("{s:o, s:i, s:o, s:o}", "at",
                                               json_time((pgc_opt_timestamptz) { true, e->at }),
                                               "attempt", (int) e->attempt, "error",
                                               json_text(e->error), "trace", json_text(e->trace)));
    }
    json_t *out = json_pack(
        "{s:I, s:s, s:o, s:o, s:i, s:i, s:i, s:o, s:o}", "id", (json_int_t) job->id, "state",
        river_state_name(job->state), "kind", json_text(job->kind), "queue", json_text(job->queue),
        "priority", job->priority, "attempt", job->attempt, "max_attempts", job->max_attempts,
        "args", json_raw(job->args), "metadata", json_raw(job->metadata));
    (void) json_object_set_new(out, "tags", tags);
    (void) json_object_set_new(out, "attempted_by", by);
    (void) json_object_set_new(out, "errors", errors);
    (void) json_object_set_new(out, "created_at",
                               json_time((pgc_opt_timestamptz) { true, job->created_at }));
    (void) json_object_set_new(out, "scheduled_at",
                               json_time((pgc_opt_timestamptz) { true, job->scheduled_at }));
    (void) json_object_set_new(out, "attempted_at", json_time(job->attempted_at));
    (void) json_object_set_new(out, "finalized_at", json_time(job->finalized_at));
    return out;
}

void river_view_json(json_t *document)
{
    (void) json_dumpf(document, stdout, JSON_COMPACT);
    (void) printf("\n");
    json_decref(document);
}

static void print_line(const char *name, pgc_text text)
{
    (void) printf("%-13s ", name);
    cli_print_safe(stdout, text);
    (void) printf("\n");
}

void river_view_job(const river_job *job)
{
    char at[32];
    if (cli_common_options.json) {
        river_view_json(river_view_job_json(job));
        return;
    }
    (void) printf("%-13s %" PRId64 "\n", "id", job->id);
    (void) printf("%-13s %s\n", "state", river_state_name(job->state));
    print_line("kind", job->kind);
    print_line("queue", job->queue);
    (void) printf("%-13s %d\n", "priority", job->priority);
    (void) printf("%-13s %d of %d\n", "attempt", job->attempt, job->max_attempts);
    (void) printf("%-13s %s\n", "created",
                  time_text((pgc_opt_timestamptz) { true, job->created_at }, at));
    (void) printf("%-13s %s\n", "scheduled",
                  time_text((pgc_opt_timestamptz) { true, job->scheduled_at }, at));
    (void) printf("%-13s %s\n", "attempted", time_text(job->attempted_at, at));
    (void) printf("%-13s %s\n", "finalized", time_text(job->finalized_at, at));
    print_line("args", job->args);
    print_line("metadata", job->metadata);
    for (size_t i = 0; i < job->tag_count; i++) {
        print_line("tag", job->tags[i]);
    }
    for (size_t i = 0; i < job->error_count; i++) {
        print_line("error", job->errors[i].error);
    }
}

void river_view_row(const river_job *job)
{
    (void) printf("%10" PRId64 "  %-9s  %3d/%-3d  ", job->id, river_state_name(job->state),
                  job->attempt, job->max_attempts);
    cli_print_safe(stdout, job->queue);
    (void) printf("  ");
    cli_print_safe(stdout, job->kind);
    if (job->error_count > 0) {
        pgc_text error = job->errors[job->error_count - 1].error;
        (void) printf("  ");
        cli_print_safe(stdout, slice_sub(error, 0, error.len < ERROR_MAX ? error.len : ERROR_MAX));
    }
    (void) printf("\n");
}

static json_t *json_queue(const river_queue *queue)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "name", json_text(queue->name), "metadata",
                     json_raw(queue->metadata), "created_at",
                     json_time((pgc_opt_timestamptz) { true, queue->created_at }), "updated_at",
                     json_time((pgc_opt_timestamptz) { true, queue->updated_at }), "paused_at",
                     json_time(queue->paused_at));
}

static void print_queue(const river_queue *queue)
{
    char at[32];
    (void) printf("%-7s  %s  ", queue->paused_at.has ? "paused" : "works",
                  time_text((pgc_opt_timestamptz) { true, queue->updated_at }, at));
    cli_print_safe(stdout, queue->name);
    (void) printf("  ");
    cli_print_safe(stdout, queue->metadata);
    (void) printf("\n");
}

void river_view_queues(const river_queues *queues)
{
    json_t *list = cli_common_options.json ? json_array() : NULL;
    for (size_t i = 0; i < river_queues_count(queues); i++) {
        const river_queue *queue = river_queues_at(queues, i);
        if (list != NULL) {
            (void) json_array_append_new(list, json_queue(queue));
        } else {
            print_queue(queue);
        }
    }
    if (list != NULL) {
        river_view_json(json_pack("{s:o}", "queues", list));
    }
}
