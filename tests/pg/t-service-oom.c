/* Memory that runs out in the services: every call that works is made again and again, its first,
 * second, … allocation failing, until none is left to fail; once on new connections and once on
 * used ones. A failure says what it is, gives nothing, changes nothing, keeps no memory, and leaves
 * neither a transaction nor a lent connection behind; the last call of each row works. The calls
 * are read from the headers, so that none is forgotten. */
#include "base/prelude.h"

#include "headers.h"
#include "oom_calls.h"
#include "tap.h"

#define ALLOCATIONS_MAX 300
#define WARM_TRIES      6

static struct {
    int rows, attempts, failed, borne;
} tally;

/* One row of whichever table. */
typedef struct subject {
    const char *function, *says, *first;
    bad_call call;
    bad_value value;
    bool dirty;        /* the tables are not as `first` made them */
    char before[4096]; /* all tables as `first` made them */
} subject;

static void ask_state(const char *sql)
{
    char got[8];
    char state[6];
    schema_ask(bad.owner, sql, got, sizeof got, state);
    if (!CHECK_STR(state, "")) {
        (void) printf("#   %s\n", sql);
    }
}

static void everything(char out[static 4096])
{
    char state[6];
    schema_ask(bad.owner, "SELECT checks.everything()", out, 4096, state);
    CHECK_STR(state, "");
}

static void make_state(subject *s)
{
    if (!s->dirty) {
        return;
    }
    good_put_back();
    if (s->first != NULL) {
        ask_state(s->first);
    }
    everything(s->before);
    s->dirty = false;
}

/* What a call may have written to, as it is before each attempt. */
static void empty_outputs(void)
{
    bad.rows = 0;
    bad_int = -77;
    bad_long = -77;
    bad_tokens = (lum_tokens) { .user_id = 0 };
    bad_identity = (lum_identity) { .user_id = 0 };
}

static bool outputs_are_empty(void)
{
    return CHECK_INT(bad.rows, 0) && CHECK_INT(bad_int, -77) && CHECK_INT(bad_long, -77) &&
           CHECK_INT(bad_tokens.user_id, 0) && CHECK_INT(bad_tokens.refresh[0], 0) &&
           CHECK_INT(bad_tokens.access[0], 0) && CHECK_INT(bad_identity.user_id, 0);
}

/* A failure that is what it should be. */
static bool failed_well(subject *s, pgc_status status, const pgc_error *err)
{
    char now[4096];
    tally.failed++;
    bool good = CHECK_STATUS(status, PGC_NOMEM, err) && CHECK_INT(err->status, PGC_NOMEM) &&
                CHECK(err->message[0] != '\0') && outputs_are_empty();
    if (s->dirty) {
        everything(now);
        s->dirty = !CHECK_STR(now, s->before);
        good = !s->dirty && good;
    }
    return good;
}

/* One attempt; returns what it allocated. `leaks`: whether more memory than before may be held. */
static heap_plan attempt(subject *s, int fail_at, bool leaks, pgc_status *status_out)
{
    pgc_error err;
    char written[GOOD_PLACE_SIZE];
    char now[GOOD_PLACE_SIZE];
    make_state(s);
    oom_look(written);
    empty_outputs();
    pgc_error_clear(&err);
    heap_start(fail_at);
    pgc_status status = s->call(&s->value, &err);
    heap_plan seen = heap_stop();
    oom_look(now);
    tally.attempts++;
    s->dirty = strcmp(written, now) != 0;
    bool hit = fail_at > 0 && seen.calls >= fail_at;
    bool good = CHECK_INT(oom_lent(bad.pool), 0) && CHECK_INT(oom_lent(bad_auth.pool), 0);
    if (status != PGC_OK || !hit) {
        good = (hit ? failed_well(s, status, &err) : CHECK_STATUS(status, PGC_OK, &err)) && good;
    } else {
        tally.borne++;
    }
    if (!leaks) {
        good = CHECK_INT(seen.live, 0) && good;
    }
    if (!good) {
        (void) printf("#   %s (%s), allocation %d of %d: %s\n", s->function, s->says, fail_at,
                      seen.calls, err.message);
    }
    *status_out = status;
    return seen;
}

/* Until an attempt has less allocations than the number of the one to fail. */
static void fail_each(subject *s, bool fresh)
{
    pgc_status status = PGC_OK;
    for (int fail_at = 1; fail_at < ALLOCATIONS_MAX; fail_at++) {
        if (fresh) {
            pgc_pool_reset(strncmp(s->function, "lum_auth_", 9) == 0 ? bad_auth.pool : bad.pool);
        }
        heap_plan seen = attempt(s, fail_at, fresh, &status);
        if (seen.calls < fail_at) {
            CHECK_INT(status, PGC_OK);
            return;
        }
    }
    CHECK(!"the call has too many allocations");
}

/* New connections take long to make: they are for the first row of each call. */
static void run_subject(subject *s, bool is_first)
{
    pgc_status status = PGC_OK;
    tally.rows++;
    if (is_first) {
        fail_each(s, true);
    }
    /* All connections have prepared what it takes. */
    heap_plan seen = { .live = 1 };
    for (int i = 0; i < WARM_TRIES && seen.live != 0; i++) {
        seen = attempt(s, 0, true, &status);
    }
    fail_each(s, false);
    make_state(s);
    if (s->first != NULL) {
        good_put_back();
    }
}

static const char *tried[512];
static size_t tried_count;

static bool is_tried(const char *name)
{
    for (size_t i = 0; i < tried_count; i++) {
        if (strcmp(tried[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Not for rows of good_input.h whose good value suits another row of the same call only; nor for
 * the second row of a call that writes: it allocates as the first one does, and costs a restoring
 * of all tables. */
static bool is_worth(const bad_row *row, const bad_value *value)
{
    pgc_error err;
    char before[GOOD_PLACE_SIZE];
    char now[GOOD_PLACE_SIZE];
    good_written(before);
    pgc_status status = row->call(value, &err);
    good_written(now);
    bool wrote = strcmp(before, now) != 0;
    if (wrote) {
        good_put_back();
    }
    return status == PGC_OK && !(wrote && is_tried(row->function));
}

static void try_one(subject *s)
{
    bool is_first = !is_tried(s->function);
    REQUIRE(tried_count < ARRAY_LEN(tried));
    tried[tried_count++] = s->function;
    s->dirty = true;
    run_subject(s, is_first);
}

static void try_calls(const oom_call *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        subject s = { .function = calls[i].function,
                      .says = "",
                      .first = calls[i].first,
                      .call = calls[i].call };
        try_one(&s);
    }
}

static void try_rows(const bad_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        subject s = { .function = rows[i].function,
                      .says = rows[i].says,
                      .call = rows[i].call,
                      .value = good_value(&rows[i]) };
        if (is_worth(&rows[i], &s.value)) {
            try_one(&s);
        }
    }
}

/* A medium thumbnail with its file, which the embedding's calls read. */
static bool make_picture(void)
{
    char sql[PATH_MAX + 256];
    bool made = mkdirat(bad_auth.folder.fd, "own", 0700) == 0;
    int fd = openat(bad_auth.folder.fd, "own/t.webp", O_CREAT | O_WRONLY, 0600);
    (void) snprintf(
        sql, sizeof sql,
        "UPDATE repositories SET path = '%s/own' WHERE owner_id = 1; INSERT INTO thumbnails "
        "(asset_id, owner_id, size, file_path) SELECT asset_id, 1, 'medium', 't.webp' "
        "FROM assets WHERE owner_id = 1",
        bad_auth.folder.path);
    ask_state(sql);
    bool good = made && fd >= 0 && write(fd, "picture", 7) == 7;
    return fd >= 0 && close(fd) == 0 && good;
}

static void each_failure_is_an_error_and_nothing_else(void)
{
    REQUIRE(CHECK(bad_open()));
    REQUIRE(CHECK(bad_auth_open()));
    REQUIRE(CHECK(make_picture()));
    ask_state(GOOD_KEEP_SQL);
    try_calls(OOM_CALLS, ARRAY_LEN(OOM_CALLS));
    for (size_t i = 0; i < ARRAY_LEN(GOOD_TABLES); i++) {
        try_rows(GOOD_TABLES[i].rows, GOOD_TABLES[i].count);
    }
    (void) printf("# %d rows, %d attempts: %d failed, %d did without\n", tally.rows, tally.attempts,
                  tally.failed, tally.borne);
    CHECK(tally.rows > 150 && tally.failed > 2 * tally.rows);
    bad_auth_close();
    bad_close();
}

/* Those of t-library-oom.c, and what another row's call begins with. */
static const char *const EXEMPT[] = {
    "lum_library_open",  "lum_library_auth_open", "lum_library_set_psql_env", "lum_database_open",
    "lum_model_add",     "lum_model_use",         "lum_session_open",         "lum_filter_doc_new",
    "lum_graph_connect", "lum_graph_make",
};

static bool is_covered(const char *name)
{
    bool exempt = false;
    for (size_t i = 0; i < ARRAY_LEN(EXEMPT); i++) {
        exempt = exempt || strcmp(EXEMPT[i], name) == 0;
    }
    return exempt || is_tried(name);
}

static void no_call_is_forgotten(void)
{
    headers_check_calls("src/service", is_covered, "its allocations never fail");
}

TAP_MAIN(TAP("service oom: each failure is an error and nothing else",
             each_failure_is_an_error_and_nothing_else),
         TAP("service oom: no call is forgotten", no_call_is_forgotten))
