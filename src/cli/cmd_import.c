/* lumilio import: files and folders into the library. Events come from worker threads, one at a
 * time; output is written only there and after the run. */
#include "cli/prelude.h"

#include "cli/action.h"

#include "cli/commands.h"
#include "cli/progress.h"
#include "work/import.h"

#define PATH_TEXT_MAX (4 * PATH_MAX) /* bytes: every byte may need four */

typedef struct import_view {
    progress_bar bar;
    bool json;
} import_view;

static volatile int import_stop; /* set by SIGINT and SIGTERM */

static const char *const OUTCOME_TEXT[IMPORT_OUTCOME_COUNT] = {
    [IMPORT_CREATED] = "imported",
    [IMPORT_DUPLICATE] = "duplicate",
    [IMPORT_SKIPPED] = "skipped",
    [IMPORT_FAILED] = "failed",
};

/* Only a flag: between two files the workers look at it. */
static void on_signal(int number)
{
    (void) number;
    __atomic_store_n(&import_stop, 1, __ATOMIC_RELAXED);
}

/* A path as JSON text: bytes that are not UTF-8 become \xNN as on the terminal. */
static json_t *path_json(const char *path)
{
    AUTO(buf_auto) buf text;
    buf_init(&text, NULL, PATH_TEXT_MAX);
    cli_add_safe(&text, pgc_text_from(path));
    return json_stringn(buf_view(&text).ptr, buf_view(&text).len);
}

/* One object per line, written at once: the output can be read while the import runs. */
static void event_print_json(const import_event *event)
{
    char id[PGC_UUID_TEXT_SIZE] = "";
    if (event->outcome == IMPORT_CREATED || event->outcome == IMPORT_DUPLICATE) {
        pgc_uuid_format(&event->asset_id, id);
    }
    json_t *line = json_pack("{s:o, s:s}", "path", path_json(event->path), "outcome",
                             OUTCOME_TEXT[event->outcome]);
    if (line != NULL && id[0] != '\0') {
        (void) json_object_set_new(line, "asset_id", json_string(id));
    }
    if (line != NULL && event->outcome >= IMPORT_SKIPPED) {
        (void) json_object_set_new(line, "reason", path_json(event->reason));
    }
    if (line != NULL && json_dumpf(line, stdout, JSON_COMPACT) == 0) {
        (void) fputc('\n', stdout);
    }
    json_decref(line);
}

/* On a terminal what went well is only counted: people want to see the rest. */
static void on_event(void *arg, const import_event *event, const import_progress *progress)
{
    import_view *view = arg;
    if (view->json) {
        event_print_json(event);
    } else if (event->outcome >= IMPORT_SKIPPED) {
        progress_clear(&view->bar);
        (void) printf("%-8s ", OUTCOME_TEXT[event->outcome]);
        cli_print_safe(stdout, pgc_text_from(event->path));
        (void) printf(": ");
        cli_print_safe(stdout, pgc_text_from(event->reason));
        (void) printf("\n");
    }
    progress_update(&view->bar, progress->done, progress->found, progress->walk_done);
}

/* In JSON the last line, told from the others by its type. */
static void summary_print(const import_progress *progress, const import_view *view)
{
    const uint64_t *outcomes = progress->outcomes;
    double seconds = progress_seconds(&view->bar);
    if (view->json) {
        json_t *line = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:f}", "type", "summary",
                                 "imported", (json_int_t) outcomes[IMPORT_CREATED], "duplicate",
                                 (json_int_t) outcomes[IMPORT_DUPLICATE], "skipped",
                                 (json_int_t) outcomes[IMPORT_SKIPPED], "failed",
                                 (json_int_t) outcomes[IMPORT_FAILED], "resumed",
                                 (json_int_t) progress->resumed, "to_embed",
                                 (json_int_t) progress->to_embed, "seconds", seconds);
        if (line != NULL && json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(4)) == 0) {
            (void) fputc('\n', stdout);
        }
        json_decref(line);
        return;
    }
    if (progress->resumed > 0) {
        (void) printf("finished %" PRIu64 " that an interrupted run had begun\n",
                      progress->resumed);
    }
    char bytes[16];
    cli_format_bytes((int64_t) progress->bytes_done, bytes, sizeof bytes);
    (void) printf("imported %" PRIu64 ", duplicate %" PRIu64 ", skipped %" PRIu64
                  ", failed %" PRIu64 " (%s in %.1f s, %.1f files/s)\n",
                  outcomes[IMPORT_CREATED], outcomes[IMPORT_DUPLICATE], outcomes[IMPORT_SKIPPED],
                  outcomes[IMPORT_FAILED], bytes, seconds,
                  (double) progress->done / (seconds > 0 ? seconds : 1));
    if (progress->to_embed > 0) {
        (void) printf("%" PRIu64 " wait to be embedded for searches by meaning: `lumilio work` "
                      "does it\n",
                      progress->to_embed);
    }
    if (progress->done > 0 && outcomes[IMPORT_DUPLICATE] > 0 && outcomes[IMPORT_CREATED] == 0) {
        (void) printf("nothing new: everything that is a photo, video or recording is in the "
                      "library already\n");
    }
}

/* The first signal asks for an early end; the second one of its kind kills, which is safe at any
 * moment and only leaves work for the next run. */
static void signals_install(void)
{
    struct sigaction action = { .sa_handler = on_signal,
                                .sa_flags = (int) (SA_RESTART | SA_RESETHAND) };
    (void) sigemptyset(&action.sa_mask);
    (void) sigaction(SIGINT, &action, NULL);
    (void) sigaction(SIGTERM, &action, NULL);
}

typedef struct import_call {
    import_options options;
    import_progress progress; /* what was done, also when it ends early */
} import_call;

static pgc_status run(lum_library *library, lum_session *session, void *arg, pgc_error *err)
{
    import_call *call = arg;
    signals_install();
    return import_run(library, session, &call->options, &call->progress, err);
}

int cmd_import(int argc, char **argv)
{
    const char *strategy = "date";
    char helper[PATH_MAX];
    import_view view = { .json = false };
    import_call call = { .options = { .helper_path = cli_helper_path(helper),
                                      .on_event = on_event,
                                      .arg = &view,
                                      .stop = &import_stop } };
    import_options *import = &call.options;
    const cli_option options[] = {
        { "strategy", "NAME", "how originals are laid out: date, flat or cas (default: date)",
          &strategy, CLI_TEXT },
        { "jobs", "N", "files worked on at once (default: one per core)", &import->jobs,
          CLI_COUNT },
        { "later", NULL, "only store the files; `lumilio work` reads them and makes thumbnails",
          &import->later, CLI_FLAG },
    };
    bool done = false;
    int code = cli_parse("import", options, ARRAY_LEN(options), &argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (argc == 0) {
        return cli_usage("import", "name at least one file or folder");
    }
    pgc_error err;
    pgc_error_clear(&err);
    if (lum_strategy_parse(strategy, &import->strategy, &err) != PGC_OK) {
        return cli_usage("import", "%s", err.message);
    }
    view.json = cli_common_options.json;
    argv[argc] = NULL; /* cli_parse() moved the operands to the front: there is room */
    import->paths = (const char *const *) argv;
    const import_progress *progress = &call.progress;
    (void) setvbuf(stdout, NULL, _IOLBF, 0); /* whoever reads a stream wants each line at once */
    progress_start(&view.bar, "importing");
    pgc_status status = cli_with_library(run, &call, &err);
    progress_clear(&view.bar);
    if (status == PGC_OK || progress->done > 0) {
        summary_print(progress, &view);
    }
    if (status != PGC_OK) {
        return cli_fail(&err);
    }
    if (import_stop != 0) {
        (void) fprintf(stderr, "lumilio: stopped; what was begun is finished, run the same "
                               "command again for the rest\n");
        return CLI_FAILED;
    }
    uint64_t failed = progress->outcomes[IMPORT_FAILED];
    if (failed > 0) {
        (void) fprintf(stderr, "lumilio: %" PRIu64 " of %" PRIu64 " could not be imported\n",
                       failed, progress->done);
    }
    return failed > 0 ? CLI_FAILED : CLI_OK;
}
