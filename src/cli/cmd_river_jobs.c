/* lumilio river jobs …, river queues … and river insert: looking at the queue and changing it, as
 * River UI does, from the command line. Times are UTC. */
#include "cli/prelude.h"

#include "cli/cli.h"
#include "cli/commands.h"

#include "cli/river_view.h"

#define LIST_MAX 32 /* kinds, queues, … of one option */

static struct queue_flags {
    const char *schema, *state, *kind, *queue, *tag, *metadata, *order, *after;
    const char *args, *priority, *scheduled;
    uint32_t limit, max_attempts;
    bool descending;
} flags;

#define FLAG_SCHEMA                                                       \
    {                                                                     \
        "schema", "NAME", "schema of the tables", &flags.schema, CLI_TEXT \
    }

static const cli_option PLAIN_OPTIONS[] = { FLAG_SCHEMA };

static const cli_option LIST_OPTIONS[] = {
    FLAG_SCHEMA,
    { "state", "STATE,…", "only these states", &flags.state, CLI_TEXT },
    { "kind", "KIND,…", "only these kinds", &flags.kind, CLI_TEXT },
    { "queue", "QUEUE,…", "only these queues", &flags.queue, CLI_TEXT },
    { "tag", "TAG,…", "only jobs with all these tags", &flags.tag, CLI_TEXT },
    { "metadata", "JSON", "only jobs whose metadata contains this", &flags.metadata, CLI_TEXT },
    { "order", "id|time|scheduled|finalized", "default id", &flags.order, CLI_TEXT },
    { "descending", NULL, "last ones first", &flags.descending, CLI_FLAG },
    { "after", "CURSOR", "go on behind an earlier page", &flags.after, CLI_TEXT },
    { "limit", "N", "jobs at most, default 100", &flags.limit, CLI_COUNT },
};

static const cli_option QUEUES_LIST_OPTIONS[] = {
    FLAG_SCHEMA,
    { "limit", "N", "queues at most, default 100", &flags.limit, CLI_COUNT },
};

static const cli_option UPDATE_OPTIONS[] = {
    FLAG_SCHEMA,
    { "metadata", "JSON", "the queue's metadata from now on", &flags.metadata, CLI_TEXT },
};

static const cli_option INSERT_OPTIONS[] = {
    FLAG_SCHEMA,
    { "queue", "QUEUE", "default \"default\"", &flags.queue, CLI_TEXT },
    { "priority", "1-4", "1 is first, the default", &flags.priority, CLI_TEXT },
    { "tag", "TAG,…", "tags of the job", &flags.tag, CLI_TEXT },
    { "metadata", "JSON", "metadata of the job", &flags.metadata, CLI_TEXT },
    { "max-attempts", "N", "default 25", &flags.max_attempts, CLI_COUNT },
};

/* A client that only asks, on a database that is open as long as it is. */
typedef struct place {
    lum_database *database;
    pgc_pool *pool;
    river_client *client;
    river_jobs *jobs;
    river_queues *queues;
} place;

static void place_close(place *p)
{
    river_jobs_free(p->jobs);
    river_queues_free(p->queues);
    river_client_close(p->client);
    pgc_pool_close(p->pool);
    lum_database_close(p->database);
}

static pgc_status place_open(place *p, pgc_error *err)
{
    TRY(cli_database_open(NULL, &p->database, err));
    const pgc_pool_options pool = { .struct_size = sizeof pool,
                                    .max_conns = 1,
                                    .conn = { .struct_size = sizeof pool.conn,
                                              .conninfo = lum_database_url(p->database),
                                              .app_name = "lumilio river" } };
    TRY(pgc_pool_open(&pool, &p->pool, err));
    const river_client_options options = { .struct_size = sizeof options,
                                           .pool = p->pool,
                                           .schema = flags.schema };
    return river_client_open(&options, &p->client, err);
}

/* Words between commas, in place. */
typedef struct words {
    char text[1024];
    const char *at[LIST_MAX];
    size_t count;
} words;

static bool split(const char *list, words *out)
{
    out->count = 0;
    if (list == NULL) {
        return true;
    }
    if (strlen(list) >= sizeof out->text) {
        return false;
    }
    memcpy(out->text, list, strlen(list) + 1);
    for (char *save = NULL, *word = strtok_r(out->text, ",", &save); word != NULL;
         word = strtok_r(NULL, ",", &save)) {
        if (out->count == LIST_MAX) {
            return false;
        }
        out->at[out->count++] = word;
    }
    return true;
}

/* The page, and the cursor to go on with when it is full. */
static pgc_status print_page(const river_jobs *jobs, const river_filter *filter, pgc_error *err)
{
    size_t count = river_jobs_count(jobs);
    char cursor[RIVER_CURSOR_SIZE] = "";
    if (count > 0 && count == (size_t) filter->limit) {
        TRY(river_job_cursor(river_jobs_at(jobs, count - 1), filter, cursor, sizeof cursor, err));
    }
    if (!cli_common_options.json) {
        for (size_t i = 0; i < count; i++) {
            river_view_row(river_jobs_at(jobs, i));
        }
        if (cursor[0] != '\0') {
            (void) printf("more: --after %s\n", cursor);
        }
        return PGC_OK;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        (void) json_array_append_new(list, river_view_job_json(river_jobs_at(jobs, i)));
    }
    river_view_json(
        json_pack("{s:o, s:s?}", "jobs", list, "after", cursor[0] != '\0' ? cursor : NULL));
    return PGC_OK;
}

static bool read_states(const words *names, river_states *out)
{
    *out = 0;
    for (size_t i = 0; i < names->count; i++) {
        river_state state;
        if (!river_state_parse(names->at[i], &state)) {
            return false;
        }
        *out |= RIVER_STATE_BIT(state);
    }
    return true;
}

static bool read_order(const char *name, river_order *out)
{
    static const char *const NAMES[] = { "id", "time", "scheduled", "finalized" };
    *out = RIVER_ORDER_ID;
    for (size_t i = 0; name != NULL && i < ARRAY_LEN(NAMES); i++) {
        if (strcmp(name, NAMES[i]) == 0) {
            *out = (river_order) i;
            return true;
        }
    }
    return name == NULL;
}

/* Options and operands; CLI_OK with *done false means: go on. */
static int parse(const char *command, const cli_option *options, size_t count, int *argc,
                 char **argv, bool *done)
{
    memset(&flags, 0, sizeof flags);
    return cli_parse(command, options, count, argc, argv, done);
}

int cmd_river_jobs_list(int argc, char **argv)
{
    static const char COMMAND[] = "river jobs list";
    AUTO(place_close) place p = { .client = NULL };
    static words states, kinds, queues, tags;
    river_filter filter = { .struct_size = sizeof filter };
    pgc_error err;
    bool done = false;
    int code = parse(COMMAND, LIST_OPTIONS, ARRAY_LEN(LIST_OPTIONS), &argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (argc > 0) {
        return cli_usage(COMMAND, "takes no operands");
    }
    if (!split(flags.state, &states) || !split(flags.kind, &kinds) ||
        !split(flags.queue, &queues) || !split(flags.tag, &tags)) {
        return cli_usage(COMMAND, "a list is too long");
    }
    if (!read_states(&states, &filter.states)) {
        return cli_usage(COMMAND, "--state: one of available, cancelled, completed, discarded, "
                                  "pending, retryable, running, scheduled");
    }
    if (!read_order(flags.order, &filter.order)) {
        return cli_usage(COMMAND, "--order: one of id, time, scheduled, finalized");
    }
    filter.kinds = kinds.at;
    filter.kind_count = kinds.count;
    filter.queues = queues.at;
    filter.queue_count = queues.count;
    filter.tags_all = tags.at;
    filter.tags_all_count = tags.count;
    if (flags.metadata != NULL) {
        filter.metadata = pgc_text_from(flags.metadata);
    }
    filter.descending = flags.descending;
    filter.after = flags.after;
    filter.limit = flags.limit == 0          ? 100
                   : flags.limit > INT32_MAX ? INT32_MAX
                                             : (int32_t) flags.limit;
    pgc_error_clear(&err);
    pgc_status status = place_open(&p, &err);
    if (status == PGC_OK) {
        status = river_job_list(p.client, NULL, &filter, &p.jobs, &err);
    }
    if (status == PGC_OK) {
        status = print_page(p.jobs, &filter, &err);
    }
    return status == PGC_OK ? CLI_OK : cli_fail(&err);
}

typedef pgc_status (*job_fn)(river_client *client, pgc_db *db, int64_t id, river_jobs **out,
                             pgc_error *err);

/* One job by its number, then the job as it is. */
static int on_job(const char *command, job_fn fn, int argc, char **argv)
{
    AUTO(place_close) place p = { .client = NULL };
    pgc_error err;
    int64_t id = 0;
    bool done = false;
    int code = parse(command, PLAIN_OPTIONS, ARRAY_LEN(PLAIN_OPTIONS), &argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (argc != 1 || !slice_to_i64(pgc_text_from(argv[0]), &id)) {
        return cli_usage(command, "takes the number of one job");
    }
    pgc_error_clear(&err);
    pgc_status status = place_open(&p, &err);
    if (status == PGC_OK) {
        status = fn(p.client, NULL, id, &p.jobs, &err);
    }
    if (status != PGC_OK) {
        return cli_fail(&err);
    }
    river_view_job(river_jobs_at(p.jobs, 0));
    return CLI_OK;
}

int cmd_river_jobs_get(int argc, char **argv)
{
    return on_job("river jobs get", river_job_get, argc, argv);
}

int cmd_river_jobs_cancel(int argc, char **argv)
{
    return on_job("river jobs cancel", river_job_cancel, argc, argv);
}

int cmd_river_jobs_retry(int argc, char **argv)
{
    return on_job("river jobs retry", river_job_retry, argc, argv);
}

int cmd_river_jobs_delete(int argc, char **argv)
{
    return on_job("river jobs delete", river_job_delete, argc, argv);
}

int cmd_river_insert(int argc, char **argv)
{
    static const char COMMAND[] = "river insert";
    AUTO(place_close) place p = { .client = NULL };
    static words tags;
    pgc_error err;
    int64_t priority = 0;
    bool done = false;
    int code = parse(COMMAND, INSERT_OPTIONS, ARRAY_LEN(INSERT_OPTIONS), &argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (argc < 1 || argc > 2) {
        return cli_usage(COMMAND, "takes a kind and, as JSON, its arguments");
    }
    if (!split(flags.tag, &tags)) {
        return cli_usage(COMMAND, "a list is too long");
    }
    if (flags.priority != NULL &&
        (!slice_to_i64(pgc_text_from(flags.priority), &priority) || priority < 1 || priority > 4)) {
        return cli_usage(COMMAND, "--priority: 1 to 4");
    }
    if (flags.max_attempts > INT16_MAX) {
        return cli_usage(COMMAND, "--max-attempts: 1 to %d", INT16_MAX);
    }
    const river_insert job = {
        .struct_size = sizeof job,
        .kind = argv[0],
        .args = argc > 1 ? pgc_text_from(argv[1]) : (pgc_text) { NULL, 0 },
        .queue = flags.queue,
        .priority = (int16_t) priority,
        .max_attempts = (int16_t) flags.max_attempts,
        .metadata = flags.metadata != NULL ? pgc_text_from(flags.metadata) : (pgc_text) { NULL, 0 },
        .tags = tags.at,
        .tag_count = tags.count,
    };
    pgc_error_clear(&err);
    pgc_status status = place_open(&p, &err);
    if (status == PGC_OK) {
        status = river_insert_one(p.client, NULL, &job, &p.jobs, &err);
    }
    if (status != PGC_OK) {
        return cli_fail(&err);
    }
    river_view_job(river_jobs_at(p.jobs, 0));
    return CLI_OK;
}

int cmd_river_queues_list(int argc, char **argv)
{
    static const char COMMAND[] = "river queues list";
    AUTO(place_close) place p = { .client = NULL };
    pgc_error err;
    bool done = false;
    int code =
        parse(COMMAND, QUEUES_LIST_OPTIONS, ARRAY_LEN(QUEUES_LIST_OPTIONS), &argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (argc > 0) {
        return cli_usage(COMMAND, "takes no operands");
    }
    pgc_error_clear(&err);
    int32_t limit = flags.limit > INT32_MAX ? INT32_MAX : (int32_t) flags.limit;
    pgc_status status = place_open(&p, &err);
    if (status == PGC_OK) {
        status = river_queue_list(p.client, NULL, limit, &p.queues, &err);
    }
    if (status != PGC_OK) {
        return cli_fail(&err);
    }
    river_view_queues(p.queues);
    return CLI_OK;
}

/* The queues that a name stands for, after a change. */
static pgc_status look_again(place *p, const char *name, pgc_error *err)
{
    return strcmp(name, "*") == 0 ? river_queue_list(p->client, NULL, 0, &p->queues, err)
                                  : river_queue_get(p->client, NULL, name, &p->queues, err);
}

static int on_queue(const char *command, bool pause, int argc, char **argv)
{
    AUTO(place_close) place p = { .client = NULL };
    pgc_error err;
    bool done = false;
    int code = parse(command, PLAIN_OPTIONS, ARRAY_LEN(PLAIN_OPTIONS), &argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (argc != 1) {
        return cli_usage(command, "takes the name of one queue, or \"*\"");
    }
    pgc_error_clear(&err);
    pgc_status status = place_open(&p, &err);
    if (status == PGC_OK) {
        status = pause ? river_queue_pause(p.client, NULL, argv[0], &err)
                       : river_queue_resume(p.client, NULL, argv[0], &err);
    }
    if (status == PGC_OK) {
        status = look_again(&p, argv[0], &err);
    }
    if (status != PGC_OK) {
        return cli_fail(&err);
    }
    river_view_queues(p.queues);
    return CLI_OK;
}

int cmd_river_queues_pause(int argc, char **argv)
{
    return on_queue("river queues pause", true, argc, argv);
}

int cmd_river_queues_resume(int argc, char **argv)
{
    return on_queue("river queues resume", false, argc, argv);
}

int cmd_river_queues_update(int argc, char **argv)
{
    static const char COMMAND[] = "river queues update";
    AUTO(place_close) place p = { .client = NULL };
    pgc_error err;
    bool done = false;
    int code = parse(COMMAND, UPDATE_OPTIONS, ARRAY_LEN(UPDATE_OPTIONS), &argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (argc != 1 || flags.metadata == NULL) {
        return cli_usage(COMMAND, "takes the name of one queue and --metadata");
    }
    pgc_error_clear(&err);
    pgc_status status = place_open(&p, &err);
    if (status == PGC_OK) {
        status = river_queue_update(p.client, NULL, argv[0], pgc_text_from(flags.metadata),
                                    &p.queues, &err);
    }
    if (status != PGC_OK) {
        return cli_fail(&err);
    }
    river_view_queues(p.queues);
    return CLI_OK;
}
