/* Does anything of one user reach another? Two worlds: in the first there are Ann and Bob, the
 * second is a copy without a trace of Bob. Ann runs every generated query with the same random
 * values, Bob's ids and texts among them, in both: rows, counts, errors and their words must be the
 * same, and of Bob's rows nothing may change. LUMILIO_PROBES sets how many (a million takes
 * minutes); LUMILIO_PROBE_FIRST begins with the round of that number, which a leak is printed with;
 * LUMILIO_PROBE_ONLY=query asks that one alone, after each that writes. */
#include "base/prelude.h"

#include <pgc/conn.h>

#include "tap.h"
#include "two_worlds.h"

#define SEED        UINT64_C(0x70726f6265) /* other runs: LUMILIO_PROBE_SEED */
#define PROBES      6000
#define ROUND       200 /* probes between two looks at Bob's rows; then all is undone */
#define LEAKS_SHOWN 20
#define COVERED_BY  1000 /* probes of each text, in which it must have had an effect */
#define SHOW_EVERY  50000
#define ANSWER_MAX  1048576
#define ROWS_MAX    4096

/* Of a hundred values that may be NULL: filters with few conditions find something, those with
 * many are combinations that nobody thinks of. */
static const unsigned NULLS[] = { 50, 90, 97 };
static const char *const WORLD_NAMES[] = { "with Bob", "without Bob" };

typedef struct world {
    const char *url;
    pgc_conn *conn; /* superuser, who becomes lumilio_app inside each round */
    buf answer;     /* of the last probe, without what depends on the time */
    pgc_error err;
    bool wrote;
} world;

static world worlds[2];
static query_list queries;
static value_pool pool;

static bool script(pgc_conn *conn, const char *sql)
{
    pgc_error err;
    pgc_error_clear(&err);
    return CHECK_STATUS(pgc_conn_script(conn, sql, 0, NULL, &err), PGC_OK, &err);
}

/* One query after each text that writes, and no other: much of it, in a short time. */
static bool keep_only(const char *name)
{
    const query_text *named = NULL;
    query_text *kept = calloc(2 * queries.count, sizeof *kept);
    size_t count = 0;
    for (size_t i = 0; i < queries.count; i++) {
        named = strcmp(queries.texts[i].query.name, name) == 0 ? &queries.texts[i] : named;
    }
    for (size_t i = 0; kept != NULL && named != NULL && i < queries.count; i++) {
        if (queries.texts[i].writes) {
            kept[count++] = queries.texts[i];
            kept[count++] = *named;
        }
    }
    for (size_t i = 0; i < count; i++) {
        kept[i].query.params = kept[i].types;
    }
    if (count == 0) {
        free(kept);
        return false;
    }
    free(queries.texts);
    queries.texts = kept;
    queries.count = count;
    return true;
}

static bool set_up(void)
{
    worlds[0].conn = security_open(&worlds[0].url);
    if (worlds[0].conn == NULL || !script(worlds[0].conn, MORE_SQL) ||
        !script(worlds[0].conn, DIGEST_SQL) || !script(worlds[0].conn, POOL_FUNCTION_SQL) ||
        !query_list_load(&queries)) {
        return false;
    }
    const char *only = getenv("LUMILIO_PROBE_ONLY");
    if (only != NULL && !CHECK(keep_only(only))) {
        return false;
    }
    (void) security_each(worlds[0].conn, POOL_SQL, 3, pool_add, &pool);
    worlds[1].url = world_without_bob(worlds[0].conn);
    for (size_t i = 0; i < 2; i++) {
        worlds[i].conn = worlds[i].url != NULL ? schema_connect(worlds[i].url) : NULL;
        buf_init(&worlds[i].answer, NULL, ANSWER_MAX);
    }
    return worlds[0].conn != NULL && worlds[1].conn != NULL && pool.count > 100;
}

static void tear_down(void)
{
    for (size_t i = 0; i < 2; i++) {
        buf_done(&worlds[i].answer);
        pgc_conn_close(worlds[i].conn);
        test_db_drop(worlds[i].url);
    }
    query_list_free(&queries);
}

/* A number that a sequence gave in this round: several rows of one statement may get theirs in any
 * order. */
static size_t serial_length(pgc_text cell, size_t at)
{
    size_t length = 0;
    while (at + length < cell.len && isdigit((unsigned char) cell.ptr[at + length])) {
        length++;
    }
    bool begins = at == 0 || !isalnum((unsigned char) cell.ptr[at - 1]);
    return begins && length == 7 && memcmp(cell.ptr + at, "100", 3) == 0 ? length : 0;
}

/* Times of this run differ between the worlds: everything from 2023 on. */
static void add_masked(buf *out, pgc_text cell)
{
    static const char TIME_CHARS[] = "0123456789-:.+ TZ";
    size_t i = 0;
    while (i < cell.len) {
        bool time_here = cell.len - i >= 10 && cell.ptr[i] == '2' && cell.ptr[i + 1] == '0' &&
                         cell.ptr[i + 2] >= '2' && cell.ptr[i + 2] <= '4' &&
                         isdigit((unsigned char) cell.ptr[i + 3]) && cell.ptr[i + 4] == '-' &&
                         (cell.ptr[i + 2] > '2' || cell.ptr[i + 3] >= '3');
        size_t serial = serial_length(cell, i);
        if (serial > 0) {
            buf_add_str(out, "<serial>");
            i += serial;
            continue;
        }
        if (!time_here) {
            buf_add_char(out, cell.ptr[i++]);
            continue;
        }
        buf_add_str(out, "<now>");
        while (i < cell.len && strchr(TIME_CHARS, cell.ptr[i]) != NULL) {
            i++;
        }
    }
}

static int compare_rows(const void *a, const void *b)
{
    return slice_cmp(*(const slice *) a, *(const slice *) b);
}

/* The elements of an array in the order of their text: array_agg() without ORDER BY has none. */
static void add_array(buf *out, pgc_text cell)
{
    static slice parts[ROWS_MAX];
    size_t count = 0;
    slice rest = slice_sub(cell, 1, cell.len - 1);
    while (rest.ptr != NULL && count < ROWS_MAX) {
        parts[count++] = slice_next(&rest, ',');
    }
    qsort(parts, count, sizeof parts[0], compare_rows);
    for (size_t i = 0; i < count; i++) {
        add_masked(out, parts[i]);
        buf_add_char(out, ',');
    }
}

/* Rows as text, in the order of their text: what has no ORDER BY may come in any. */
static void describe_rows(world *w, pgc_result *result)
{
    static slice rows[ROWS_MAX];
    static size_t ends[ROWS_MAX];
    pgc_reader reader;
    AUTO(buf_auto) buf text;
    buf_init(&text, NULL, ANSWER_MAX);
    pgc_reader_init(&reader, result, NULL);
    size_t count = pgc_result_rows(result);
    count = count < ROWS_MAX ? count : ROWS_MAX;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < pgc_result_columns(result); j++) {
            pgc_text cell = pgc_read_opt_text(&reader, i, j);
            if (cell.len > 2 && cell.ptr[0] == '{' && cell.ptr[1] != '"') {
                add_array(&text, cell);
            } else {
                add_masked(&text, cell.ptr != NULL ? cell : SLICE("<null>"));
            }
            buf_add_char(&text, '|');
        }
        ends[i] = buf_view(&text).len;
    }
    for (size_t i = 0; i < count; i++) {
        rows[i] = slice_sub(buf_view(&text), i > 0 ? ends[i - 1] : 0, ends[i]);
    }
    qsort(rows, count, sizeof rows[0], compare_rows);
    buf_printf(&w->answer, "%zu rows, %s\n", count, pgc_result_tag(result));
    for (size_t i = 0; i < count; i++) {
        buf_add(&w->answer, rows[i]);
        buf_add_char(&w->answer, '\n');
    }
}

static const pgc_query RELEASE = { .name = "Release",
                                   .sql = "RELEASE SAVEPOINT probe",
                                   .flags = PGC_QUERY_UNNAMED };
static const pgc_query SAVE = { .name = "Save",
                                .sql = "SAVEPOINT probe",
                                .flags = PGC_QUERY_UNNAMED };

/* One query in one world, in one round trip with its savepoint. */
static pgc_status probe_world(world *w, const query_text *text, const pgc_args *args)
{
    pgc_pipeline *batch = NULL;
    pgc_result *result = NULL;
    size_t index = 0;
    pgc_error_clear(&w->err);
    buf_reset(&w->answer);
    TRY(pgc_pipeline_open(w->conn, PGC_PIPELINE_ATOMIC, &batch, &w->err));
    pgc_status status = pgc_pipeline_add(batch, &RELEASE, NULL, NULL, &w->err);
    if (status == PGC_OK) {
        status = pgc_pipeline_add(batch, &SAVE, NULL, NULL, &w->err);
    }
    if (status == PGC_OK) {
        status = pgc_pipeline_add(batch, &text->query, args, &index, &w->err);
    }
    if (status == PGC_OK) {
        status = pgc_pipeline_run(batch, &w->err);
    }
    if (status == PGC_OK) {
        status = pgc_pipeline_take(batch, index, &result, &w->err);
    }
    pgc_pipeline_close(batch);
    if (status == PGC_OK) {
        describe_rows(w, result);
    } else {
        buf_printf(&w->answer, "status %d, %s, %s: ", (int) status, w->err.sqlstate,
                   w->err.constraint);
        add_masked(&w->answer, pgc_text_from(w->err.message));
        buf_add_str(&w->answer, " / ");
        add_masked(&w->answer, pgc_text_from(w->err.detail));
        buf_add_str(&w->answer, w->err.hint);
    }
    pgc_result_free(result);
    return status;
}

static void round_begin(const char *role)
{
    char sql[256];
    (void) snprintf(sql, sizeof sql,
                    "BEGIN; SET LOCAL ROLE %s; SELECT set_config('app.user_id', '1', true); "
                    "SAVEPOINT probe",
                    role);
    /* Numbers of the server's sequences tell how much all users together have made; that is known
     * and bearable, and here they start alike. */
    for (size_t i = 0; i < 2; i++) {
        CHECK(script(worlds[i].conn, SEQUENCES_SQL) && script(worlds[i].conn, sql));
    }
}

/* Bob's rows are what they were; everything else is forgotten. */
static void round_end(const char *digest)
{
    char now[4096];
    char state[6];
    schema_ask(worlds[0].conn, "RESET ROLE; SELECT checks.digest()", now, sizeof now, state);
    CHECK_STR(state, "");
    CHECK_STR(now, digest);
    for (size_t i = 0; i < 2; i++) {
        CHECK(script(worlds[i].conn, "ROLLBACK"));
    }
}

typedef struct tally {
    uint64_t answered, with_rows, refused, leaks;
    uint64_t number;               /* of the probe that runs */
    const query_text *last;        /* that leaked */
    uint32_t answers[QUERIES_MAX]; /* of each text */
    uint32_t effects[QUERIES_MAX];
} tally;

/* Keys of new rows are random ids that our code makes; nobody else can choose one. With the key of
 * a foreign row a unique index would say that it is taken, to somebody who knew it before. */
static bool is_new_id(const query_text *text, const query_param *param)
{
    static const char *const NEW_IDS[][2] = { { "CreateAsset", "asset_id" },
                                              { "CreateImportIntent", "intent_id" },
                                              { "CreateRepository", "repo_id" },
                                              { "AddRepository", "repo_id" } };
    for (size_t i = 0; i < ARRAY_LEN(NEW_IDS); i++) {
        if (strcmp(text->query.name, NEW_IDS[i][0]) == 0 &&
            strcmp(param->name, NEW_IDS[i][1]) == 0) {
            return true;
        }
    }
    return false;
}

/* Limits of queries whose rows come in no order, or in that of their making: which rows a limit
 * cuts off would show how rows lie, and in which order all users together made them. FindDuplicates
 * above its exact_most walks a graph of all owners: what it passes by, of more than 64 own photos
 * that are near, depends on how the graph was made. */
static bool is_blind_limit(const query_text *text, const query_param *param)
{
    static const char *const BLIND[] = { "ListAuditLog",      "AlbumCandidates",   "TagCandidates",
                                         "AllTagsCandidates", "PlaceCandidates",   "NameCandidates",
                                         "WordCandidates",    "MeasuredCandidates" };
    for (size_t i = 0; i < ARRAY_LEN(BLIND); i++) {
        if (strcmp(text->query.name, BLIND[i]) == 0) {
            return strcmp(param->name, "row_limit") == 0 || strcmp(param->name, "below_id") == 0;
        }
    }
    return strcmp(text->query.name, "FindDuplicates") == 0 &&
           strcmp(param->name, "exact_most") == 0;
}

static void add_everything(pgc_args *args, const query_param *param)
{
    if (strcmp(param->type, "integer") == 0) {
        pgc_add_i32(args, INT32_MAX);
    } else {
        pgc_add_i64(args, INT32_MAX);
    }
}

static pgc_uuid random_uuid(uint64_t *state)
{
    pgc_uuid id;
    for (size_t i = 0; i < sizeof id.bytes; i++) {
        id.bytes[i] = (uint8_t) random_below(state, 256);
    }
    return id;
}

/* Something was found or changed: not "0 rows, SELECT 0". */
static bool has_effect(slice answer)
{
    slice first = slice_next(&answer, '\n');
    return !slice_starts(first, SLICE("0 rows")) || !slice_ends(first, SLICE(" 0"));
}

/* Where two answers part: the row by its place among the sorted ones, the cell by its column. */
static void show_difference(slice a, slice b)
{
    size_t row = 0; /* the line in front of the rows says how many there are */
    slice line[2] = { slice_next(&a, '\n'), slice_next(&b, '\n') };
    while (slice_eq(line[0], line[1]) && a.ptr != NULL && b.ptr != NULL) {
        line[0] = slice_next(&a, '\n');
        line[1] = slice_next(&b, '\n');
        row++;
    }
    size_t column = 1;
    slice rest[2] = { line[0], line[1] };
    slice cell[2] = { slice_next(&rest[0], '|'), slice_next(&rest[1], '|') };
    while (slice_eq(cell[0], cell[1]) && rest[0].ptr != NULL && rest[1].ptr != NULL) {
        cell[0] = slice_next(&rest[0], '|');
        cell[1] = slice_next(&rest[1], '|');
        column++;
    }
    (void) printf("#   row %zu, column %zu: '%" SLICE_FMT "' and '%" SLICE_FMT "'\n", row, column,
                  SLICE_ARG(cell[0]), SLICE_ARG(cell[1]));
    for (size_t i = 0; i < 2; i++) {
        (void) printf("#   %s: %" SLICE_FMT "\n", WORLD_NAMES[i], SLICE_ARG(line[i]));
    }
}

/* The values of one call; drawn also for a probe that is passed by, so that the next ones stay. */
static void draw(pgc_args *args, value_scratch *scratch, const query_text *text, uint64_t *state)
{
    pgc_args_init(args, NULL);
    pool.nulls = NULLS[random_below(state, ARRAY_LEN(NULLS))];
    for (uint16_t i = 0; i < text->query.param_count; i++) {
        if (is_new_id(text, &text->params[i])) {
            pgc_add_uuid(args, random_uuid(state));
        } else if (is_blind_limit(text, &text->params[i])) {
            add_everything(args, &text->params[i]);
        } else {
            value_add(args, &text->params[i], &pool, scratch, state);
        }
    }
}

/* Both worlds; what differs is printed with all that is needed to see it again. */
static bool probe(const query_text *text, uint64_t *state, tally *t)
{
    pgc_args args;
    value_scratch scratch;
    draw(&args, &scratch, text, state);
    pgc_status status[2];
    for (size_t i = 0; i < 2; i++) {
        status[i] = probe_world(&worlds[i], text, &args);
    }
    pgc_args_done(&args);
    bool same = slice_eq(buf_view(&worlds[0].answer), buf_view(&worlds[1].answer));
    for (size_t i = 0; i < 2; i++) {
        if (status[i] != PGC_OK) {
            CHECK(script(worlds[i].conn, "ROLLBACK TO SAVEPOINT probe"));
        }
    }
    size_t at = (size_t) (text - queries.texts);
    bool rows = status[0] == PGC_OK && has_effect(buf_view(&worlds[0].answer));
    t->answered += status[0] == PGC_OK ? 1 : 0;
    t->answers[at] += status[0] == PGC_OK ? 1 : 0;
    t->with_rows += rows ? 1 : 0;
    t->effects[at] += rows ? 1 : 0;
    t->refused += status[0] != PGC_OK ? 1 : 0;
    if (!same && t->leaks++ < LEAKS_SHOWN && t->last != text) {
        t->last = text;
        (void) printf("# %s, probe %" PRIu64 ", tells Ann of Bob:\n", text->query.name, t->number);
        show_difference(buf_view(&worlds[0].answer), buf_view(&worlds[1].answer));
    }
    return same;
}

static uint64_t number_of(const char *name, uint64_t standard)
{
    const char *text = getenv(name);
    return text != NULL && text[0] != '\0' ? strtoull(text, NULL, 10) : standard;
}

/* Auth's queries and what is about models as a whole are refused to both roles; every other text
 * must have been answered, and found or changed something, or probing it would mean nothing. */
static void check_coverage(const char *role, const tally *t)
{
    bool app = strcmp(role, "lumilio_app") == 0;
    for (size_t i = 0; i < queries.count; i++) {
        const query_text *text = &queries.texts[i];
        bool own = strcmp(text->query.name, "AuthGetUser") == 0; /* anybody's own row */
        bool refused = (strcmp(text->file, "db/queries/auth.sql") == 0 && !own) ||
                       strcmp(text->query.name, "AddEmbeddingModel") == 0 ||
                       strcmp(text->query.name, "UseEmbeddingModel") == 0 ||
                       strcmp(text->query.name, "MakeEmbeddingGraph") == 0;
        bool right = refused ? t->answers[i] == 0 : !app || t->effects[i] > 0;
        if (!CHECK(right)) {
            (void) printf("# %s, text %zu: answered %u times, %u times with an effect\n",
                          text->query.name, i, t->answers[i], t->effects[i]);
        }
    }
}

static void run_probes(const char *role, uint64_t count, uint64_t seed)
{
    char digest[4096];
    char sqlstate[6];
    uint64_t state = seed;
    tally t = { .answered = 0 };
    bool same = true;
    (void) printf("# %s: %" PRIu64 " probes of %zu queries, seed %" PRIu64 "\n", role, count,
                  queries.count, seed);
    schema_ask(worlds[0].conn, "SELECT checks.digest()", digest, sizeof digest, sqlstate);
    uint64_t first = number_of("LUMILIO_PROBE_FIRST", 0) / ROUND * ROUND;
    for (uint64_t i = 0; i < count; i++) {
        if (i < first) {
            pgc_args args;
            value_scratch scratch;
            draw(&args, &scratch, &queries.texts[i % queries.count], &state);
            pgc_args_done(&args);
            continue;
        }
        if (i % ROUND == 0 || !same) {
            if (i > first) {
                round_end(digest);
            }
            round_begin(role);
        }
        t.number = i;
        same = probe(&queries.texts[i % queries.count], &state, &t);
        if ((i + 1) % SHOW_EVERY == 0) {
            (void) printf("# %" PRIu64 " probes, %" PRIu64 " leaks\n", i + 1, t.leaks);
            (void) fflush(stdout);
        }
    }
    round_end(digest);
    (void) printf("# %" PRIu64 " answered, %" PRIu64 " of them with rows, %" PRIu64
                  " refused, %" PRIu64 " leaks\n",
                  t.answered, t.with_rows, t.refused, t.leaks);
    if (first == 0 && count >= COVERED_BY * queries.count) {
        check_coverage(role, &t);
    }
    CHECK_INT(t.leaks, 0);
    CHECK(t.answered > (count - first) / 4);
    CHECK(t.with_rows > (count - first) / 20);
}

static void nothing_of_bob_reaches_ann(void)
{
    REQUIRE(CHECK(set_up()));
    run_probes("lumilio_app", number_of("LUMILIO_PROBES", PROBES),
               number_of("LUMILIO_PROBE_SEED", SEED));
}

static void nor_a_worker_for_ann(void)
{
    REQUIRE(worlds[1].conn != NULL);
    run_probes("lumilio_worker", number_of("LUMILIO_PROBES", PROBES) / 4,
               number_of("LUMILIO_PROBE_SEED", SEED) + 1);
}

/* The test sees what it looks for: with one policy open it finds leaks. */
static void a_leak_is_seen(void)
{
    tally t = { .answered = 0 };
    uint64_t state = SEED;
    REQUIRE(worlds[1].conn != NULL);
    if (getenv("LUMILIO_PROBE_ONLY") != NULL) {
        tear_down();
        TAP_SKIP("one query alone need not see albums");
    }
    REQUIRE(script(worlds[0].conn, "ALTER POLICY albums_select ON albums USING (true)"));
    round_begin("lumilio_app");
    t.leaks = LEAKS_SHOWN; /* quiet */
    for (size_t i = 0; i < 10 * queries.count; i++) {
        (void) probe(&queries.texts[i % queries.count], &state, &t);
    }
    for (size_t i = 0; i < 2; i++) {
        CHECK(script(worlds[i].conn, "ROLLBACK"));
    }
    CHECK(t.leaks > LEAKS_SHOWN);
    tear_down();
}

TAP_MAIN(TAP("probes: nothing of Bob reaches Ann", nothing_of_bob_reaches_ann),
         TAP("probes: nor a worker that works for Ann", nor_a_worker_for_ann),
         TAP("probes: a leak is seen", a_leak_is_seen))
