/* River UI's own server on a database that only we serve: what its pages ask for and what its
 * buttons do. Its program is tests/interop/riverui. */
#include "base/prelude.h"

#include "river_peer.h"

/* What the server answered: status, a space, the body. */
static bool answers(mixed *m, const char *request, const char *status, const char *holds)
{
    const char *text = go_say(&m->go[0], request);
    bool good = strncmp(text, status, strlen(status)) == 0 &&
                (holds == NULL || strstr(text, holds) != NULL);
    if (!good) {
        printf("# %s: %.1500s\n# wanted %s %s\n", request, text, status, holds);
    }
    return good;
}

static bool works(mixed *m)
{
    return mixed_start(m, &(mixed_options) { .id = "ours" }, &m->s.client);
}

static int64_t insert(mixed *m, const char *args)
{
    const river_insert job = { .struct_size = sizeof job,
                               .kind = "shared",
                               .args = pgc_text_from(args),
                               .tags = (const char *const[]) { "seen-by-ui" },
                               .tag_count = 1 };
    return mixed_insert(m, &job);
}

static void our_rows_are_shown(void)
{
    MIXED_WITH(m, "riverui", 1);
    REQUIRE(works(&m));
    CHECK_INT(insert(&m, "{\"do\":\"output\"}"), 1);
    CHECK_INT(insert(&m, "{\"do\":\"fail\"}"), 2);
    CHECK_INT(insert(&m, "{\"do\":\"snooze\"}"), 3);
    CHECK(mixed_until(&m, "SELECT count(*) = 3 FROM river_job WHERE id = 1 AND state = 'completed' "
                          "OR id = 2 AND errors IS NOT NULL OR id = 3 AND state = 'scheduled'"));
    CHECK(answers(&m, "GET /api/health-checks/complete", "200", "ok"));
    CHECK(answers(&m, "GET /api/features", "200", "extensions"));
    CHECK(answers(&m, "GET /api/states", "200", "\"completed\":1"));
    CHECK(answers(&m, "GET /api/jobs?state=completed", "200", "\"attempted_by\":[\"ours\"]"));
    CHECK(answers(&m, "GET /api/jobs?state=scheduled&kinds=shared&tags=seen-by-ui", "200",
                  "\"state\":\"scheduled\""));
    CHECK(answers(&m, "GET /api/jobs/1", "200", "\"output\":{\"from\":\"C\"}"));
    CHECK(answers(&m, "GET /api/jobs/2", "200", "C says \\\"no\\\""));
    CHECK(answers(&m, "GET /api/jobs/99", "404", NULL));
    CHECK(answers(&m, "GET /api/autocomplete?facet=job_kind&match=sha", "200", "shared"));
    CHECK(answers(&m, "GET /api/autocomplete?facet=queue_name&match=def", "200", "default"));
}

static void its_buttons_work_on_our_jobs(void)
{
    MIXED_WITH(m, "riverui", 1);
    REQUIRE(works(&m));
    CHECK_INT(insert(&m, "{\"do\":\"wait\"}"), 1);
    CHECK(mixed_until(&m, "SELECT state = 'running' FROM river_job"));
    CHECK(answers(&m, "POST /api/jobs/delete {\"ids\":[\"1\"]}", "400", NULL)); /* it runs */
    CHECK(answers(&m, "POST /api/jobs/cancel {\"ids\":[\"1\"]}", "200", NULL));
    CHECK(mixed_until(&m, "SELECT state = 'cancelled' FROM river_job"));
    int calls = atomic_load(&m.s.calls);
    CHECK(answers(&m, "POST /api/jobs/retry {\"ids\":[\"1\"]}", "200", NULL));
    while (atomic_load(&m.s.calls) == calls) {
        clock_os()->sleep_us(NULL, 5000);
    }
    CHECK(answers(&m, "POST /api/jobs/cancel {\"ids\":[\"1\"]}", "200", NULL));
    CHECK(mixed_until(&m, "SELECT state = 'cancelled' FROM river_job"));
    CHECK(answers(&m, "POST /api/jobs/delete {\"ids\":[\"1\"]}", "200", NULL));
    CHECK_STR(mixed_text(&m, "SELECT count(*)::text FROM river_job"), "0");
}

static void its_switches_work_on_our_queues(void)
{
    MIXED_WITH(m, "riverui", 1);
    river_subscription *events = NULL;
    river_event *event = NULL;
    REQUIRE(mixed_open(&m, &(mixed_options) { .id = "ours" }, &m.s.client));
    REQUIRE_OK(
        river_subscribe(m.s.client, RIVER_EVENT_PAUSED | RIVER_EVENT_RESUMED, 0, &events, &m.s.err),
        &m.s.err);
    REQUIRE_OK(river_client_start(m.s.client, &m.s.err), &m.s.err);
    CHECK(answers(&m, "GET /api/queues", "200", "\"name\":\"default\""));
    CHECK(answers(&m, "PUT /api/queues/default/pause {}", "200", NULL));
    REQUIRE(river_subscription_next(events, 20 * SECOND_US, &event) == PGC_OK);
    river_event_free(event);
    CHECK_INT(insert(&m, "{}"), 1);
    CHECK(answers(&m, "GET /api/queues/default", "200", "\"count_available\":1"));
    CHECK_INT(atomic_load(&m.s.calls), 0);
    CHECK(answers(&m, "PUT /api/queues/default/resume {}", "200", NULL));
    REQUIRE(river_subscription_next(events, 20 * SECOND_US, &event) == PGC_OK);
    CHECK_INT(event->kind, RIVER_EVENT_RESUMED);
    river_event_free(event);
    CHECK(mixed_until(&m, "SELECT state = 'completed' FROM river_job"));
    CHECK(answers(&m,
                  "PATCH /api/queues/default {\"concurrency\":{\"global_limit\":3,"
                  "\"local_limit\":1,\"partition\":{\"by_args\":null,\"by_kind\":null}}}",
                  "200", NULL));
    river_unsubscribe(events);
}

TAP_MAIN(TAP("river 50: River UI shows our rows", our_rows_are_shown),
         TAP("river 50: River UI cancels, retries and deletes our jobs",
             its_buttons_work_on_our_jobs),
         TAP("river 50: River UI pauses and resumes our queues", its_switches_work_on_our_queues))
