/* lumilio work: carries out the library's jobs; lumilio reprocess: asks for them. Output is written
 * by the one thread that takes the worker's events. */
#include "cli/prelude.h"

#include "cli/cli.h"

#include <jansson.h>
#include <river/insert.h>

#include "cli/commands.h"
#include "service/asset.h"
#include "work/jobs.h"

#define QUEUES_MAX     8
#define DAY_US         (INT64_C(86400) * 1000000)
#define TRASH_DAYS     "30" /* what is deleted can be brought back so long */
#define TRASH_DAYS_MAX 36500

static volatile int work_stop; /* SIGINT and SIGTERM so far: 1 soft, 2 hard */

/* The third one of its kind kills, which only costs the attempts that run. */
static void on_signal(int number)
{
    if (__atomic_add_fetch(&work_stop, 1, __ATOMIC_RELAXED) >= 2) {
        (void) signal(number, SIG_DFL);
    }
}

static void signals_install(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int) SA_RESTART };
    (void) sigemptyset(&action.sa_mask);
    (void) sigaction(SIGINT, &action, NULL);
    (void) sigaction(SIGTERM, &action, NULL);
}

/* The word for how the job stands after the event. */
static const char *outcome_text(const river_event *event, const river_job *job)
{
    switch (event->kind) {
    case RIVER_EVENT_COMPLETED:
        return "done";
    case RIVER_EVENT_CANCELLED:
        return "cancelled";
    case RIVER_EVENT_FAILED:
        return job->state == RIVER_DISCARDED ? "discarded" : "retry";
    case RIVER_EVENT_SNOOZED:
        return "later";
    case RIVER_EVENT_INTERRUPTED:
        return "interrupted";
    case RIVER_EVENT_PAUSED:
    case RIVER_EVENT_RESUMED:
        break;
    }
    return "";
}

/* The member asset_id of a job's arguments; the caller frees with json_decref(). */
static json_t *asset_of(const river_job *job)
{
    json_t *args = json_loadb(job->args.ptr, job->args.len, 0, NULL);
    json_t *id = json_incref(json_object_get(args, "asset_id"));
    json_decref(args);
    return json_is_string(id) ? id : NULL;
}

/* Why a job is where it is: its last error, or what it waits for. The caller frees the text with
 * json_decref(). */
static json_t *reason_of(const river_event *event, const river_job *job)
{
    slice reason = job->error_count > 0 ? job->errors[job->error_count - 1].error : SLICE("");
    json_t *text = NULL;
    if (event->kind == RIVER_EVENT_SNOOZED) {
        json_t *metadata = json_loadb(job->metadata.ptr, job->metadata.len, 0, NULL);
        text = json_incref(json_object_get(metadata, "waits_for"));
        json_decref(metadata);
    }
    return json_is_string(text) ? text : json_stringn(reason.ptr, reason.len);
}

static void job_print(const river_event *event, const river_job *job)
{
    json_t *reason = reason_of(event, job);
    const char *outcome = outcome_text(event, job);
    bool good = event->kind == RIVER_EVENT_COMPLETED;
    json_t *asset = asset_of(job);
    if (cli_common_options.json) {
        json_t *line = json_pack("{s:I, s:s%, s:s, s:i, s:I}", "job", (json_int_t) job->id, "kind",
                                 job->kind.ptr, job->kind.len, "outcome", outcome, "attempt",
                                 (int) job->attempt, "run_us", (json_int_t) event->run_us);
        if (line != NULL && asset != NULL) {
            (void) json_object_set(line, "asset_id", asset);
        }
        if (line != NULL && !good) {
            (void) json_object_set(line, "reason", reason);
        }
        if (line != NULL && json_dumpf(line, stdout, JSON_COMPACT) == 0) {
            (void) fputc('\n', stdout);
        }
        json_decref(line);
    } else {
        (void) printf("%-11s %" SLICE_FMT " %s", outcome, SLICE_ARG(job->kind),
                      asset != NULL ? json_string_value(asset) : "");
        if (good) {
            (void) printf(" (%.2f s)\n", (double) event->run_us / 1e6);
        } else {
            (void) printf(": ");
            cli_print_safe(stdout, pgc_text_from(json_string_value(reason)));
            (void) printf("\n");
        }
    }
    json_decref(reason);
    json_decref(asset);
}

static void on_event(void *arg, const river_event *event)
{
    (void) arg;
    const river_job *job = event->jobs != NULL ? river_jobs_at(event->jobs, 0) : NULL;
    if (job != NULL) {
        job_print(event, job);
    } else if (!cli_common_options.json) {
        (void) printf("queue %s is %s\n", event->queue,
                      event->kind == RIVER_EVENT_PAUSED ? "paused" : "worked again");
    }
}

static void summary_print(const jobs_counts *counts)
{
    if (cli_common_options.json) {
        (void) printf("{\"type\":\"summary\",\"done\":%" PRIu64 ",\"retry\":%" PRIu64
                      ",\"given_up\":%" PRIu64 ",\"put_off\":%" PRIu64 "}\n",
                      counts->completed, counts->retrying, counts->given_up, counts->waiting);
    } else {
        (void) printf("done %" PRIu64 ", to be tried again %" PRIu64 ", put off %" PRIu64
                      ", given up %" PRIu64 "\n",
                      counts->completed, counts->retrying, counts->waiting, counts->given_up);
    }
}

/* "a,b" into names; the text is cut up. False: too many or an empty one. */
static bool queues_split(char *text, const char **names, size_t *count)
{
    *count = 0;
    for (char *rest = text; rest != NULL;) {
        char *name = strsep(&rest, ",");
        if (*name == '\0' || *count == QUEUES_MAX) {
            return false;
        }
        names[(*count)++] = name;
    }
    return true;
}

/* As the worker's role, which sees an asset only as its owner. */
static pgc_status open_and_work(const jobs_options *work, jobs_counts *counts, pgc_error *err)
{
    const lum_library_options options = { .home = cli_common_options.home,
                                          .database_url = cli_common_options.database_url,
                                          .max_conns = 2 * JOBS_AT_ONCE_MAX,
                                          .role = JOBS_WORKER_ROLE };
    lum_library *library = NULL;
    TRY(lum_library_open(NULL, &options, &library, err));
    signals_install();
    pgc_status status = jobs_work(library, work, counts, err);
    lum_library_close(library);
    return status;
}

int cmd_work(int argc, char **argv)
{
    const char *queues = NULL;
    const char *purge_after = TRASH_DAYS;
    int64_t trash_days = 0;
    const char *names[QUEUES_MAX];
    char text[256] = "";
    char helper[PATH_MAX];
    char dir[PATH_MAX - 32];
    (void) snprintf(helper, sizeof helper, "%s/lumilio-media", cli_program_dir(dir, sizeof dir));
    jobs_options work = {
        .helper_path = helper, .queues = names, .on_event = on_event, .stop = &work_stop
    };
    const cli_option options[] = {
        { "queues", "A,B", "only these queues (default: all)", &queues, CLI_TEXT },
        { "max", "N", "jobs of one queue at once, up to 64 (default: one per core)", &work.at_once,
          CLI_COUNT },
        { "once", NULL, "end when no job is due any more", &work.once, CLI_FLAG },
        { "purge-after", "DAYS",
          "once a day, purge what was deleted so long ago, files too (default: 30; 0: never)",
          &purge_after, CLI_TEXT },
    };
    bool done = false;
    int code = cli_parse("work", options, ARRAY_LEN(options), &argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (argc > 0) {
        return cli_usage("work", "takes no operands");
    }
    if (work.at_once > JOBS_AT_ONCE_MAX) {
        return cli_usage("work", "--max goes up to %d", JOBS_AT_ONCE_MAX);
    }
    if (!slice_to_i64(pgc_text_from(purge_after), &trash_days) || trash_days < 0 ||
        trash_days > TRASH_DAYS_MAX) {
        return cli_usage("work", "--purge-after takes 0 to %d days", TRASH_DAYS_MAX);
    }
    work.trash_keep_us = trash_days * DAY_US;
    if (queues != NULL && ((size_t) snprintf(text, sizeof text, "%s", queues) >= sizeof text ||
                           !queues_split(text, names, &work.queue_count))) {
        return cli_usage("work", "--queues takes names with commas between");
    }
    pgc_error err;
    pgc_error_clear(&err);
    jobs_counts counts = { .completed = 0 };
    (void) setvbuf(stdout, NULL, _IOLBF, 0); /* whoever reads a stream wants each line at once */
    pgc_status status = open_and_work(&work, &counts, &err);
    if (status == PGC_INVALID && work.queue_count > 0) {
        return cli_usage("work", "%s", err.message);
    }
    if (status != PGC_OK) {
        return cli_fail(&err);
    }
    summary_print(&counts);
    return counts.given_up > 0 ? CLI_FAILED : CLI_OK;
}

/* Only of an asset that the user has. */
static pgc_status reprocess(lum_library *library, lum_session *session, pgc_uuid asset_id,
                            bool reset, pgc_error *err)
{
    repo_asset_set set = PGC_ZERO;
    river_client *queue = NULL;
    char model[LUM_MODEL_NAME_MAX + 1];
    TRY(jobs_embed_model(library, model, err));
    TRY(lum_asset_get(lum_session_actor(session), asset_id, &set, err));
    bool seen = !slice_eq_str(set.rows[0].asset_type, "audio");
    repo_asset_set_free(&set);
    TRY(jobs_queue_open(lum_library_pool(library), lum_library_env(library), &queue, err));
    const jobs_wanted wanted = { .files = true,
                                 .reset = reset,
                                 .embed_model = seen ? model : NULL };
    pgc_status status = jobs_insert(queue, lum_session_actor(session), asset_id, wanted, err);
    river_client_close(queue);
    return status;
}

int cmd_reprocess(int argc, char **argv)
{
    bool done = false;
    bool reset = false;
    pgc_uuid asset_id;
    const cli_option options[] = {
        { "reset-edits", NULL, "forget what was edited: everything as the file says", &reset,
          CLI_FLAG },
    };
    int code = cli_parse("reprocess", options, ARRAY_LEN(options), &argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (argc != 1 || !pgc_uuid_parse(pgc_text_from(argv[0]), &asset_id)) {
        return cli_usage("reprocess", "give the id of one asset, as `lumilio list` prints it");
    }
    pgc_error err;
    pgc_error_clear(&err);
    lum_library *library = NULL;
    lum_session *session = NULL;
    pgc_status status = cli_open(&library, &session, &err);
    if (status == PGC_OK) {
        status = reprocess(library, session, asset_id, reset, &err);
        lum_session_close(session);
        lum_library_close(library);
    }
    if (status != PGC_OK) {
        return cli_fail(&err);
    }
    (void) printf(cli_common_options.json ? "{\"asset_id\": \"%s\", \"queued\": true}\n"
                                          : "%s waits for `lumilio work`\n",
                  argv[0]);
    return CLI_OK;
}
