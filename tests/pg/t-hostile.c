/* Hostile strings in every text parameter of every generated query: the statements that the server
 * says it ran are the generated ones, letter by letter, one for each call. The server itself
 * reports them (log_statement, sent to us as messages). LUMILIO_HOSTILE sets the strings for a
 * parameter. */
#include "base/prelude.h"

#include "queries.h"
#include "security.h"
#include "tap.h"

#define SEED        UINT64_C(0x686f7374696c65)
#define STRINGS     12  /* for a parameter, beside LUMILIO_HOSTILE */
#define ROUND       100 /* calls: they travel together if they can, then all is undone */
#define PLAIN_EVERY 10  /* rounds: one of them is as the program does it */
#define TEXT_MAX_   16384
#define OTHERS_MAX  16
#define SHOWN       10

static const char *db_url;
static pgc_conn *owner;
static pgc_conn *app;
static query_list queries;
static value_pool pool = { .nulls = 50 };

/* What the server reported since it was last looked at. */
static struct {
    const char *expected; /* text of the call under way */
    unsigned seen;        /* times that it ran */
    unsigned long others; /* texts that nobody generated */
    bool learning;        /* harmless values: what else runs now is our library's own */
    char *known[OTHERS_MAX];
    size_t known_count;
} heard;

#define ROUND_BEGIN "BEGIN; SELECT set_config('app.user_id', '1', true); SAVEPOINT probe"
#define FAST_BEGIN  ROUND_BEGIN "; SET LOCAL plan_cache_mode = force_generic_plan"
#define ROUND_BACK  "ROLLBACK TO SAVEPOINT probe"
#define ROUND_END   "ROLLBACK"

static const pgc_query BACK = { .name = "Back", .sql = ROUND_BACK, .flags = PGC_QUERY_UNNAMED };

/* Texts that this test sends between the calls. */
static bool is_ours(const char *text)
{
    static const char *const OURS[] = { ROUND_BEGIN, FAST_BEGIN, ROUND_BACK, ROUND_END };
    for (size_t i = 0; i < ARRAY_LEN(OURS); i++) {
        if (strcmp(text, OURS[i]) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < heard.known_count; i++) {
        if (strcmp(text, heard.known[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* "execute NAME: text" or "statement: text". */
static void on_notice(void *ctx, const pgc_notice_event *event)
{
    (void) ctx;
    bool execute = strncmp(event->message, "execute ", 8) == 0;
    bool statement = strncmp(event->message, "statement: ", 11) == 0;
    const char *text = execute ? strstr(event->message, ": ") : event->message + 9;
    if (strcmp(event->severity, "LOG") != 0 || (!execute && !statement) || text == NULL) {
        return;
    }
    text += 2;
    if (heard.expected != NULL && strcmp(text, heard.expected) == 0) {
        heard.seen++;
    } else if (!is_ours(text)) {
        if (heard.learning && heard.known_count < OTHERS_MAX) {
            heard.known[heard.known_count++] = strdup(text);
            return;
        }
        if (heard.others++ < SHOWN) {
            (void) printf("# the server ran: %.300s\n", text);
        }
    }
}

static bool script(pgc_conn *conn, const char *sql)
{
    pgc_error err;
    pgc_error_clear(&err);
    return CHECK_STATUS(pgc_conn_script(conn, sql, 0, NULL, &err), PGC_OK, &err);
}

/* Every session of the database tells its client what it runs; the server's log stays empty. */
static const char SETTINGS_SQL[] =
    "DO $$ DECLARE s text; BEGIN FOREACH s IN ARRAY ARRAY['log_statement = ''all''', "
    "'client_min_messages = ''log''', 'log_min_messages = ''panic''', "
    "'log_min_error_statement = ''panic''', 'log_parameter_max_length = 0'] LOOP "
    "EXECUTE format('ALTER DATABASE %I SET ', current_database()) || s; END LOOP; END $$;"
    "CREATE TABLE everything_is_here AS SELECT count(*) AS n FROM pg_class";

static bool set_up(void)
{
    pgc_error err;
    const pgc_hooks hooks = { .struct_size = sizeof hooks, .on_notice = on_notice };
    owner = security_open(&db_url);
    if (owner == NULL || !script(owner, SETTINGS_SQL) || !query_list_load(&queries)) {
        return false;
    }
    (void) security_each(
        owner,
        "SELECT 'asset_id', asset_id::text, owner_id = 2 FROM assets UNION ALL SELECT "
        "'owner_id', '1', false UNION ALL SELECT 'album_id', album_id::text, "
        "owner_id = 2 FROM albums UNION ALL SELECT 'tag_id', tag_id::text, "
        "owner_id = 2 FROM tags WHERE owner_id > 0 UNION ALL SELECT "
        "'repository_id', repo_id::text, owner_id = 2 FROM repositories",
        3, pool_add, &pool);
    const pgc_conn_options options = {
        .struct_size = sizeof options, .conninfo = db_url, .role = "lumilio_app", .hooks = &hooks
    };
    heard.learning = true; /* settings and role of the session */
    return pool.count > 5 && CHECK_STATUS(pgc_conn_open(&options, &app, &err), PGC_OK, &err);
}

static const char *const FRAGMENTS[] = {
    "'",
    "\"",
    "\\",
    "--",
    "/*",
    "*/",
    ";",
    "''",
    "\\'",
    "\\\"",
    "$$",
    "$1",
    "$tag$",
    "%s%n",
    "%",
    "_",
    "(",
    ")",
    "{",
    "}",
    "{\"a\":1}",
    "[1,2]",
    ",",
    "NULL",
    "E'\\x27'",
    "U&'\\0027'",
    "\n",
    "\t",
    " OR 1=1 ",
    "\xca\xbc",
    "\xef\xbc\x87",
    "\xe2\x80\x99",
    "\xc3\xa9",
    "\xf0\x9f\x98\x80",
    "0x27",
    "1e999",
    "-1",
    "99999999999999999999",
    "; DROP TABLE assets; --",
    "'; DROP TABLE assets; --",
    "') ; DELETE FROM albums; --",
    "' UNION SELECT password_hash FROM "
    "users --",
    "COPY users TO PROGRAM 'id'",
    "&",
    "|",
    "!",
    ":*",
    "<->",
    "a & ",
    "\x01",
    "\x7f",
    "\xc0\xaf",
    "\xff",
    "\xed\xa0\x80",
    "${jndi:x}",
    "../../etc/passwd",
    "<script>",
    "\r\n",
    "pg_sleep(9)",
    "@x",
    "/*@if x*/",
    ":name",
    "?",
    "{\"$ne\":null}",
    "\\x00",
    "\\u0000",
    "a:b:c",
};

/* One to six pieces, now and then many, now and then with a NUL inside. */
static pgc_text hostile(char out[static TEXT_MAX_], uint64_t *state)
{
    size_t used = 0;
    size_t pieces = 1 + random_below(state, 6);
    if (random_below(state, 50) == 0) {
        pieces = 1000;
    }
    for (size_t i = 0; i < pieces; i++) {
        const char *piece = FRAGMENTS[random_below(state, ARRAY_LEN(FRAGMENTS))];
        size_t length = strlen(piece);
        if (used + length + 1 >= TEXT_MAX_) {
            break;
        }
        memcpy(out + used, piece, length);
        used += length;
        if (random_below(state, 60) == 0) {
            out[used++] = '\0';
        }
    }
    return (pgc_text) { out, used };
}

static bool is_text(const query_param *param)
{
    static const char *const TYPES[] = { "text",   "character varying",  "json", "jsonb",
                                         "text[]", "character varying[]" };
    for (size_t i = 0; i < ARRAY_LEN(TYPES); i++) {
        if (strcmp(param->type, TYPES[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Members that hold text, for composites; else whether the parameter itself does. */
static size_t text_members(const query_param *param, size_t members[static QUERY_PARAMS])
{
    const query_record *record = query_record_of(param->type);
    size_t count = 0;
    if (record == NULL) {
        members[0] = 0;
        return is_text(param) ? 1 : 0;
    }
    for (size_t i = 0; i < record->type.field_count; i++) {
        if (is_text(&record->fields[i])) {
            members[count++] = i;
        }
    }
    return count;
}

static void add_hostile(pgc_args *args, const query_param *param, pgc_text text, pgc_text list[2])
{
    list[0] = text;
    list[1] = text;
    if (value_is(param, "jsonb")) {
        pgc_add_jsonb(args, text);
    } else if (value_is(param, "json")) {
        pgc_add_json(args, text);
    } else if (value_is(param, "text[]")) {
        pgc_add_arr_text(args, (pgc_arr_text) { .has = true, .count = 2, .v = list });
    } else if (value_is(param, "character varying[]")) {
        pgc_add_arr_text_of(args, (pgc_arr_text) { .has = true, .count = 2, .v = list }, 1043);
    } else {
        pgc_add_text(args, text);
    }
}

typedef struct tally {
    uint64_t state; /* of the random numbers */
    uint64_t calls, sent, answered, refused_here, statements, wrong;
} tally;

/* The values of one call; what is borrowed of them lives beside. */
typedef struct hostile_call {
    pgc_args args;
    value_scratch scratch;
    pgc_text list[2];
    char bytes[TEXT_MAX_];
} hostile_call;

/* Calls of one text that travel in one round trip. The first that fails undoes those before it and
 * keeps those behind it from running: they are sent again. */
typedef struct batch {
    const query_text *text;
    pgc_query query; /* of the text; prepared even if the program never does */
    hostile_call calls[ROUND];
    size_t count;
    size_t room;    /* calls in a round trip: fewer while they fail */
    bool in_failed; /* the savepoint has to be gone back to first */
} batch;

/* A call whose values the library refuses. */
static void check_refused(const query_text *text, const pgc_args *args)
{
    pgc_error err;
    pgc_pipeline *alone = NULL;
    CHECK_STATUS(pgc_pipeline_open(app, PGC_PIPELINE_ATOMIC, &alone, &err), PGC_OK, &err);
    CHECK(pgc_pipeline_add(alone, &text->query, args, NULL, &err) != PGC_OK);
    pgc_pipeline_close(alone);
}

/* The calls from `first` on: `*done_out` of them are over, and all but the last of those were
 * answered when the result is not PGC_OK. */
static pgc_status batch_send(batch *b, size_t first, size_t *done_out)
{
    pgc_pipeline *all = NULL;
    pgc_error err;
    size_t at = 0;
    size_t count = b->count - first < b->room ? b->count - first : b->room;
    size_t lead = b->in_failed ? 1 : 0;
    pgc_status status = pgc_pipeline_open(app, PGC_PIPELINE_ATOMIC, &all, &err);
    if (status == PGC_OK && b->in_failed) {
        status = pgc_pipeline_add(all, &BACK, NULL, NULL, &err);
    }
    for (size_t i = 0; i < count && status == PGC_OK; i++) {
        status = pgc_pipeline_add(all, &b->query, &b->calls[first + i].args, NULL, &err);
    }
    CHECK_INT(status, PGC_OK);
    pgc_status whole = pgc_pipeline_run(all, &err);
    while (at < lead + count && status == PGC_OK) {
        status = pgc_pipeline_take(all, at++, NULL, &err);
    }
    CHECK_INT(status, whole);
    pgc_pipeline_close(all);
    *done_out = at - lead;
    CHECK(at > lead);
    return status;
}

/* Sends all calls. What the server says that it ran is counted by on_notice(): each call that was
 * answered once, the one that failed at most once, those behind it not at all. */
static void batch_run(batch *b, tally *t)
{
    size_t first = 0;
    while (first < b->count) {
        size_t done = 0;
        heard.expected = b->query.sql;
        heard.seen = 0;
        pgc_status status = batch_send(b, first, &done);
        heard.expected = NULL;
        size_t answered = status == PGC_OK ? done : done - 1;
        b->in_failed = status != PGC_OK;
        b->room = status == PGC_OK ? b->room * 2 : b->room / 2;
        b->room = b->room < 1 ? 1 : b->room > ROUND ? ROUND : b->room;
        t->sent += done;
        t->answered += answered;
        t->statements += heard.seen;
        if ((heard.seen < answered || heard.seen > done) && t->wrong++ < SHOWN) {
            (void) printf("# %s: status %d, %zu calls, ran %u times\n", b->query.name, (int) status,
                          done, heard.seen);
        }
        if (done == 0) {
            break;
        }
        first += done;
    }
    for (size_t i = 0; i < b->count; i++) {
        pgc_args_done(&b->calls[i].args);
    }
    b->count = 0;
}

/* Where the hostile text goes: into a parameter, or into a member of a composite one. */
typedef struct target {
    size_t param; /* SIZE_MAX: nowhere */
    size_t member;
} target;

static void add_target(hostile_call *call, const query_param *param, size_t member, tally *t)
{
    const query_record *record = query_record_of(param->type);
    pgc_text text = hostile(call->bytes, &t->state);
    if (record == NULL) {
        add_hostile(&call->args, param, text, call->list);
        return;
    }
    pgc_add_record_begin(&call->args, &record->type);
    for (size_t i = 0; i < record->type.field_count; i++) {
        if (i == member) {
            add_hostile(&call->args, &record->fields[i], text, call->list);
        } else {
            pgc_add_null(&call->args);
        }
    }
    pgc_add_end(&call->args);
}

/* One more call. */
static void batch_add(batch *b, target bad, tally *t)
{
    hostile_call *call = &b->calls[b->count];
    pgc_args_init(&call->args, NULL);
    for (size_t i = 0; i < b->query.param_count; i++) {
        if (i == bad.param) {
            add_target(call, &b->text->params[i], bad.member, t);
        } else {
            value_add(&call->args, &b->text->params[i], &pool, &call->scratch, &t->state);
        }
    }
    t->calls++;
    if (call->args.status == PGC_OK) {
        b->count++;
        return;
    }
    t->refused_here++;
    check_refused(b->text, &call->args);
    pgc_args_done(&call->args);
}

/* `count` calls from the `first` on; what they changed is undone. In most rounds each text is
 * parsed and planned once; in some as often as the program does it. */
static void attack(const query_text *text, target bad, size_t first, size_t count, tally *t)
{
    static batch b;
    if (b.text != text) {
        b.text = text;
        b.room = ROUND;
    }
    bool fast = first / ROUND % PLAIN_EVERY != 0;
    b.query = text->query;
    b.query.flags &= fast ? ~PGC_QUERY_UNNAMED : UINT32_MAX;
    CHECK(script(app, fast ? FAST_BEGIN : ROUND_BEGIN));
    b.in_failed = false;
    for (size_t i = 0; i < count; i++) {
        batch_add(&b, bad, t);
    }
    batch_run(&b, t);
    CHECK(script(app, ROUND_END));
}

static void learn(void)
{
    tally t = { .state = SEED };
    for (size_t i = 0; i < queries.count; i++) {
        attack(&queries.texts[i], (target) { .param = SIZE_MAX }, 0, 1, &t);
    }
    heard.learning = false;
    CHECK_INT(t.wrong, 0);
    CHECK(t.answered > queries.count / 4);
    (void) printf("# beside the queries the library itself sends %zu texts\n", heard.known_count);
    for (size_t i = 0; i < heard.known_count; i++) {
        CHECK(strstr(heard.known[i], "pg_catalog.") != NULL); /* settings, types */
    }
}

/* All strings for one parameter or member. */
static void attack_all(const query_text *text, target bad, unsigned long strings, tally *t)
{
    for (unsigned long k = 0; k < strings; k += ROUND) {
        unsigned long left = strings - k;
        attack(text, bad, k, left < ROUND ? left : ROUND, t);
    }
}

static void the_server_runs_what_was_generated(void)
{
    tally t = { .state = SEED };
    size_t params = 0;
    const char *wanted = getenv("LUMILIO_HOSTILE");
    unsigned long strings = wanted != NULL ? strtoul(wanted, NULL, 10) : STRINGS;
    REQUIRE(CHECK(set_up()));
    learn();
    for (size_t i = 0; i < queries.count; i++) {
        for (size_t j = 0; j < queries.texts[i].query.param_count; j++) {
            size_t members[QUERY_PARAMS];
            size_t count = text_members(&queries.texts[i].params[j], members);
            params += count;
            for (size_t k = 0; k < count; k++) {
                attack_all(&queries.texts[i], (target) { j, members[k] }, strings, &t);
            }
        }
    }
    (void) printf("# %lu strings in each of %zu text parameters: %" PRIu64 " calls, %" PRIu64
                  " answered, %" PRIu64 " refused before they were sent, seed %" PRIu64 "\n",
                  strings, params, t.calls, t.answered, t.refused_here, SEED);
    (void) printf("# %" PRIu64 " statements seen of %" PRIu64 " calls sent, %" PRIu64
                  " calls with another number than they should, %lu other texts\n",
                  t.statements, t.sent, t.wrong, heard.others);
    CHECK_INT(t.calls, t.sent + t.refused_here);
    CHECK_INT(t.wrong, 0);
    CHECK_INT(heard.others, 0);
    CHECK(params > 30 && t.answered > t.calls / 10 && t.refused_here > 0);
    CHECK_SQL(owner, "SELECT n = (SELECT count(*) FROM pg_class) - 1 FROM everything_is_here", "t");
}

/* The test sees what it looks for. */
static void an_injected_statement_is_seen(void)
{
    REQUIRE(app != NULL);
    CHECK(script(app, "SELECT 1; -- injected"));
    CHECK_INT(heard.others, 1);
    pgc_conn_close(app);
    pgc_conn_close(owner);
    test_db_drop(db_url);
    for (size_t i = 0; i < heard.known_count; i++) {
        free(heard.known[i]);
    }
    query_list_free(&queries);
}

TAP_MAIN(TAP("hostile: the server runs what was generated, once for each call",
             the_server_runs_what_was_generated),
         TAP("hostile: an injected statement is seen", an_injected_statement_is_seen))
