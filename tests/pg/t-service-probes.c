/* Does a service tell Ann anything of Bob? Every call of every service is made in two worlds, of
 * which the second has no trace of Bob: with good values, bad ones, and with Bob's ids, names,
 * paths, hashes and cursors. Status, words, number of rows and each cell must be the same.
 * LUMILIO_SERVICE_PROBES sets how many of Bob's values each parameter gets. */
#include "base/prelude.h"

#include "good_input.h"
#include "random.h"
#include "tap.h"
#include "two_worlds.h"

#define SEED        UINT64_C(0x736572766963)
#define OF_BOB      6 /* values for a parameter, beside LUMILIO_SERVICE_PROBES */
#define CURSORS_MAX 8
#define SHOWN       20

typedef __typeof__(bad) probe_world;

static struct {
    probe_world world;
    __typeof__(bad_auth) auth;
} worlds[2];

static value_pool pool;
static struct {
    char text[LUM_CURSOR_SIZE];
} cursors[CURSORS_MAX]; /* of Bob's lists */
static size_t cursor_count;

static struct {
    uint64_t state, calls, good, of_bob, leaks;
} tally = { .state = SEED };

/* The calls of the tables use the one that is entered. */
static void enter(size_t i)
{
    bad = worlds[i].world;
    bad_auth = worlds[i].auth;
}

static void leave(size_t i)
{
    worlds[i].world = bad;
    worlds[i].auth = bad_auth;
}

static void keep_cursor(pgc_status status, const char *next)
{
    if (CHECK_INT(status, PGC_OK) && CHECK(next[0] != '\0') && cursor_count < CURSORS_MAX) {
        (void) snprintf(cursors[cursor_count++].text, LUM_CURSOR_SIZE, "%s", next);
    }
}

/* Where Bob's lists go on, as he is told. */
static void ask_bob_for_cursors(void)
{
    pgc_error err;
    lum_session *session = NULL;
    lum_asset_page page = { .total = -1 };
    lum_search_page found = PGC_ZERO;
    const lum_list list = { .limit = 1 };
    const lum_search_request request = { .query = "beach", .limit = 1 };
    REQUIRE_OK(lum_session_open(bad.pool, 2, &session, &err), &err);
    lum_actor bob = lum_session_actor(session);
    keep_cursor(lum_asset_filter(bob, &list, &page, &err), page.next);
    lum_asset_page_free(&page);
    keep_cursor(lum_timeline_page(bob, &GOOD_TIME, 1, (slice) { NULL, 0 }, &page, &err), page.next);
    lum_asset_page_free(&page);
    keep_cursor(lum_search(bob, &request, &found, &err), found.next);
    lum_search_page_free(&found);
    lum_session_close(session);
}

static bool set_up(void)
{
    char got[8];
    char state[6];
    if (!bad_make()) {
        return false;
    }
    schema_ask(bad.owner, MORE_SQL, got, sizeof got, state);
    CHECK_STR(state, "");
    schema_ask(bad.owner, POOL_FUNCTION_SQL, got, sizeof got, state);
    CHECK_STR(state, "");
    (void) security_each(bad.owner, POOL_SQL, 3, pool_add, &pool);
    worlds[0].world = bad;
    worlds[1].world = bad;
    worlds[1].world.url = world_without_bob(bad.owner);
    for (size_t i = 0; i < 2; i++) {
        worlds[i].world.owner = NULL;
        enter(i);
        if (bad.url == NULL || !bad_connect() || !bad_auth_open()) {
            return false;
        }
        /* Messages name the folder: it is the same for both. */
        memcpy(bad_auth.new_folder, i > 0 ? worlds[0].auth.new_folder : bad_auth.new_folder,
               sizeof bad_auth.new_folder);
        schema_ask(bad.owner, GOOD_KEEP_SQL, got, sizeof got, state);
        CHECK_STR(state, "");
        leave(i);
    }
    enter(0);
    ask_bob_for_cursors();
    return pool.count > 100;
}

/* Calls that make something new tell its time and its new id, which two worlds cannot share. */
static bool makes_news(const char *function)
{
    static const char *const WORDS[] = { "create", "update",  "delete",   "restore", "add",
                                         "save",   "ensure",  "rename",   "set_",    "merge",
                                         "move",   "purge",   "register", "login",   "refresh",
                                         "trash",  "reorder", "lum_auth_" };
    for (size_t i = 0; i < ARRAY_LEN(WORDS); i++) {
        if (strstr(function, WORDS[i]) != NULL) {
            return true;
        }
    }
    return false;
}

typedef struct told {
    pgc_status status;
    size_t rows;
    uint64_t seen;
    char words[2048];
} told;

static void ask(const bad_row *row, const bad_value *value, told *out)
{
    pgc_error err;
    pgc_error_clear(&err);
    bad.rows = 0;
    bad.seen = 0;
    out->status = row->call(value, &err);
    out->rows = bad.rows;
    out->seen = makes_news(row->function) ? 0 : bad.seen;
    (void) snprintf(out->words, sizeof out->words, "%s|%s|%s|%s|%s", err.sqlstate, err.constraint,
                    err.message, err.detail, err.hint);
}

static void probe(const bad_row *row, const bad_value values[2])
{
    told answers[2];
    for (size_t i = 0; i < 2; i++) {
        enter(i);
        ask(row, &values[i], &answers[i]);
        leave(i);
    }
    bool same = answers[0].status == answers[1].status && answers[0].rows == answers[1].rows &&
                answers[0].seen == answers[1].seen &&
                strcmp(answers[0].words, answers[1].words) == 0;
    tally.calls++;
    tally.good += answers[0].status == PGC_OK ? 1 : 0;
    if (!same && tally.leaks++ < SHOWN) {
        (void) printf("# %s (%s) tells Ann of Bob: %s %.60s\n", row->function, row->says,
                      values[0].what, values[0].text.ptr != NULL ? values[0].text.ptr : "");
        for (size_t i = 0; i < 2; i++) {
            (void) printf("#   %d, %zu rows, %" PRIx64 ": %.300s\n", (int) answers[i].status,
                          answers[i].rows, answers[i].seen, answers[i].words);
        }
    }
}

/* A number or an id of the kind's type; false for texts of the pool that are none. */
static bool as_id(const bad_row *row, const char *text, bad_value *out)
{
    char *end = NULL;
    *out = (bad_value) { .what = text };
    if (row->kind <= BAD_SESSION) {
        return pgc_uuid_parse(pgc_text_from(text), &out->uuid);
    }
    long number = strtol(text, &end, 10);
    out->number = (int32_t) number;
    return end != text && *end == '\0' && number > 2 && number < INT32_MAX;
}

/* Something that only Bob has, of a type that the parameter takes; false when there is no more. */
static bool of_bob(const bad_row *row, bad_value *out)
{
    bool cursor = row->kind == BAD_CURSOR || strcmp(row->says, "cursor") == 0;
    bool text = row->kind <= BAD_WORD || cursor;
    if (!text && (!bad_is_id(row->kind) || row->kind == BAD_USER)) {
        return false;
    }
    for (int tries = 0; tries < 2000; tries++) {
        if (cursor && cursor_count > 0) {
            slice one = pgc_text_from(cursors[random_below(&tally.state, cursor_count)].text);
            *out = (bad_value) { .what = "cursor", .text = one };
            return true;
        }
        const pool_value *value = &pool.values[random_below(&tally.state, pool.count)];
        if (value->foreign && text) {
            *out = (bad_value) { .what = value->column, .text = pgc_text_from(value->text) };
            return true;
        }
        if (value->foreign && as_id(row, value->text, out)) {
            return true;
        }
    }
    return false;
}

/* Operators' calls see all accounts; names of accounts are no secret, for registering tells that
 * one is taken. */
static bool is_operators(const char *function)
{
    return strcmp(function, "lum_auth_list_users") == 0;
}

static void probe_row(const bad_row *row, unsigned long wanted)
{
    bad_value values[BAD_VALUES];
    bad_value two[2];
    size_t n = bad_values(row->kind, values);
    for (size_t i = 0; i < n; i++) {
        if ((row->flags & BAD_STRING) == 0 || strcmp(values[i].what, "a NUL") != 0) {
            probe(row, (const bad_value[2]) { values[i], values[i] });
        }
    }
    for (unsigned long i = 0; i < wanted && of_bob(row, &two[0]); i++) {
        tally.of_bob++;
        two[1] = two[0];
        probe(row, two);
    }
    for (size_t i = 0; i < 2; i++) {
        enter(i);
        two[i] = good_value(row);
    }
    probe(row, two);
}

static void nothing_of_bob_comes_through_a_service(void)
{
    const char *wanted = getenv("LUMILIO_SERVICE_PROBES");
    unsigned long count = wanted != NULL ? strtoul(wanted, NULL, 10) : OF_BOB;
    size_t rows = 0;
    REQUIRE(CHECK(set_up()));
    for (size_t i = 0; i < ARRAY_LEN(GOOD_TABLES); i++) {
        for (size_t j = 0; j < GOOD_TABLES[i].count; j++) {
            const bad_row *row = &GOOD_TABLES[i].rows[j];
            char before[GOOD_PLACE_SIZE];
            char now[GOOD_PLACE_SIZE];
            if (is_operators(row->function)) {
                continue;
            }
            rows++;
            enter(0);
            good_written(before);
            probe_row(row, count);
            enter(0);
            good_written(now);
            for (size_t k = 0; k < 2 && strcmp(before, now) != 0; k++) {
                enter(k);
                good_put_back();
            }
        }
    }
    (void) printf("# %zu parameters: %" PRIu64 " calls in both worlds, %" PRIu64
                  " went well, %" PRIu64 " with something of Bob's, %" PRIu64
                  " leaks, seed %" PRIu64 "\n",
                  rows, tally.calls, tally.good, tally.of_bob, tally.leaks, SEED);
    CHECK_INT(tally.leaks, 0);
    CHECK(rows > 200 && tally.good > rows / 2 && tally.of_bob > rows / 2);
}

/* The test sees what it looks for: with one policy open, Bob's assets are there. */
static void a_leak_is_seen(void)
{
    char got[8];
    char state[6];
    uint64_t before = tally.leaks;
    REQUIRE(worlds[1].world.owner != NULL);
    enter(0);
    schema_ask(bad.owner, "ALTER POLICY assets_select ON assets USING (true)", got, sizeof got,
               state);
    CHECK_STR(state, "");
    tally.leaks = SHOWN; /* quiet */
    for (size_t i = 0; i < ARRAY_LEN(BAD_ASSETS); i++) {
        probe_row(&BAD_ASSETS[i], 0);
    }
    CHECK(tally.leaks > SHOWN + 2);
    (void) printf("# %" PRIu64 " leaks\n", tally.leaks - SHOWN);
    tally.leaks = before;
    for (size_t i = 0; i < 2; i++) {
        enter(i);
        bad_auth_close();
        bad.long_text = i == 0 ? NULL : bad.long_text;
        bad_close();
    }
}

TAP_MAIN(TAP("service probes: nothing of Bob comes through a service",
             nothing_of_bob_comes_through_a_service),
         TAP("service probes: a leak is seen", a_leak_is_seen))
