/* The gate to the embedding server: who travels with whom, whose fault a refusal is, and for how
 * long a server that is away is left alone. The embedder is one of the test's. */
#include "base/prelude.h"

#include <pgc/error.h>

#include "tap.h"
#include "work/embed_gate.h"

#define ASKERS 12

/* Answers vectors whose first number is that of the input; holds requests while it is told to. */
typedef struct fake_embedder {
    ml_embedder base; /* first */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool hold;
    pgc_status status;
    char bad; /* an input that begins so is refused, with all of its request */
    unsigned requests, sizes[64];
    char models[64];
} fake_embedder;

static pgc_status fake_embed(ml_embedder *e, const char *model, const ml_input *inputs,
                             size_t count, float (*out)[ML_DIM], pgc_error *err)
{
    fake_embedder *f = (fake_embedder *) e;
    (void) pthread_mutex_lock(&f->lock);
    f->models[f->requests] = model[0];
    f->sizes[f->requests++] = (unsigned) count;
    (void) pthread_cond_broadcast(&f->changed);
    while (f->hold) {
        (void) pthread_cond_wait(&f->changed, &f->lock);
    }
    (void) pthread_mutex_unlock(&f->lock);
    for (size_t i = 0; i < count; i++) {
        if (inputs[i].bytes.ptr[0] == f->bad) {
            return pgc_error_set(err, PGC_INVALID, "input %zu is bad", i);
        }
        memset(out[i], 0, sizeof out[i]);
        out[i][0] = (float) inputs[i].bytes.ptr[0];
    }
    return f->status == PGC_OK ? PGC_OK : pgc_error_set(err, f->status, "no answer");
}

static void fake_close(ml_embedder *e)
{
    (void) e;
}

static const ml_ops FAKE_OPS = { fake_embed, fake_close };

typedef struct world {
    fake_embedder embedder;
    clock_fake clock;
    env env;
    embed_gate gate;
} world;

static void world_begin(world *w, uint32_t batch)
{
    memset(w, 0, sizeof *w);
    w->env = *env_default();
    clock_fake_init(&w->clock, 0, 5);
    clock_fake_advance(&w->clock, 1000);
    w->env.clock = &w->clock.ops;
    w->embedder.base = (ml_embedder) { &FAKE_OPS, batch };
    (void) pthread_mutex_init(&w->embedder.lock, NULL);
    (void) pthread_cond_init(&w->embedder.changed, NULL);
    embed_gate_init(&w->gate, &w->env, &w->embedder.base);
}

static void world_end(world *w)
{
    embed_gate_done(&w->gate);
    (void) pthread_cond_destroy(&w->embedder.changed);
    (void) pthread_mutex_destroy(&w->embedder.lock);
}

/* One that asks, in a thread of its own. */
typedef struct asker {
    world *world;
    pthread_t thread;
    char name[2]; /* its picture */
    const char *model;
    float vector[ML_DIM];
    pgc_status status;
    pgc_error err;
} asker;

static void *ask(void *arg)
{
    asker *a = arg;
    const ml_input input = { ML_IMAGE, { a->name, 1 }, "image/webp" };
    a->status = embed_gate_ask(&a->world->gate, a->model, &input, a->vector, &a->err);
    return NULL;
}

static bool asker_start(asker *a, world *w, char name, const char *model)
{
    *a = (asker) { .world = w, .name = { name, '\0' }, .model = model };
    pgc_error_clear(&a->err);
    return CHECK(pthread_create(&a->thread, NULL, ask, a) == 0);
}

static bool asker_is_answered(asker *a)
{
    (void) pthread_join(a->thread, NULL);
    return CHECK_STATUS(a->status, PGC_OK, &a->err) && CHECK_INT(a->vector[0], a->name[0]);
}

static void requests_wait(world *w, unsigned count)
{
    (void) pthread_mutex_lock(&w->embedder.lock);
    while (w->embedder.requests < count) {
        (void) pthread_cond_wait(&w->embedder.changed, &w->embedder.lock);
    }
    (void) pthread_mutex_unlock(&w->embedder.lock);
}

/* Until so many wait in front of the gate; looks, since nobody tells. */
static void queue_wait(world *w, size_t count)
{
    size_t waiting = 0;
    while (waiting < count) {
        (void) pthread_mutex_lock(&w->gate.lock);
        waiting = w->gate.waiting;
        (void) pthread_mutex_unlock(&w->gate.lock);
        (void) sched_yield();
    }
}

static void release(world *w)
{
    (void) pthread_mutex_lock(&w->embedder.lock);
    w->embedder.hold = false;
    (void) pthread_cond_broadcast(&w->embedder.changed);
    (void) pthread_mutex_unlock(&w->embedder.lock);
}

/* Two requests are under way; whoever comes meanwhile goes together, each model by itself. */
static void who_waits_travels_together(void)
{
    static world w;
    static asker askers[ASKERS];
    world_begin(&w, 8);
    w.embedder.hold = true;
    REQUIRE(asker_start(&askers[0], &w, 'a', "m"));
    requests_wait(&w, 1);
    REQUIRE(asker_start(&askers[1], &w, 'b', "m"));
    requests_wait(&w, 2);
    for (size_t i = 2; i < ASKERS; i++) {
        REQUIRE(asker_start(&askers[i], &w, (char) ('a' + i), i < 9 ? "m" : "other"));
        queue_wait(&w, i - 1);
    }
    release(&w);
    for (size_t i = 0; i < ASKERS; i++) {
        CHECK(asker_is_answered(&askers[i]));
    }
    CHECK_INT(w.embedder.requests, 4);
    CHECK_INT(w.embedder.sizes[0] + w.embedder.sizes[1], 2);
    CHECK_INT(w.embedder.sizes[2] + w.embedder.sizes[3], ASKERS - 2);
    CHECK(w.embedder.sizes[2] == 7 || w.embedder.sizes[2] == 3);
    CHECK(w.embedder.models[2] != w.embedder.models[3]);
    world_end(&w);
}

/* Nothing is gained by waiting there. */
static void a_server_of_single_inputs_is_asked_by_all_at_once(void)
{
    static world w;
    static asker askers[ASKERS];
    world_begin(&w, 1);
    w.embedder.hold = true;
    for (size_t i = 0; i < ASKERS; i++) {
        REQUIRE(asker_start(&askers[i], &w, (char) ('a' + i), "m"));
    }
    requests_wait(&w, ASKERS);
    release(&w);
    for (size_t i = 0; i < ASKERS; i++) {
        CHECK(asker_is_answered(&askers[i]));
    }
    CHECK_INT(w.embedder.requests, ASKERS);
    world_end(&w);
}

static void a_bad_picture_fails_alone(void)
{
    static world w;
    static asker askers[6];
    world_begin(&w, 8);
    w.embedder.hold = true;
    w.embedder.bad = 'd';
    for (size_t i = 0; i < 6; i++) {
        REQUIRE(asker_start(&askers[i], &w, (char) ('a' + i), "m"));
        if (i < 2) {
            requests_wait(&w, (unsigned) i + 1);
        } else {
            queue_wait(&w, i - 1);
        }
    }
    release(&w);
    for (size_t i = 0; i < 6; i++) {
        if (i == 3) {
            (void) pthread_join(askers[i].thread, NULL);
            CHECK_STATUS(askers[i].status, PGC_INVALID, &askers[i].err);
            CHECK(strstr(askers[i].err.message, "is bad") != NULL);
        } else {
            CHECK(asker_is_answered(&askers[i]));
        }
    }
    CHECK_INT(w.embedder.requests, 2 + 1 + 4); /* all four, then each */
    char why[256] = "";
    CHECK_INT(embed_gate_away_us(&w.gate, why, sizeof why), 0);
    world_end(&w);
}

static pgc_status ask_once(world *w)
{
    asker a = { .world = w, .name = "x", .model = "m" };
    pgc_error_clear(&a.err);
    (void) ask(&a);
    return a.status;
}

static void a_server_that_is_away_is_left_alone_longer_each_time(void)
{
    static const pgc_status AWAY[] = { PGC_CONNECTION, PGC_TIMEOUT, PGC_DENIED };
    static world w;
    char why[256] = "";
    int64_t before_us = 0;
    for (size_t i = 0; i < ARRAY_LEN(AWAY); i++) {
        world_begin(&w, 8);
        CHECK_INT(embed_gate_away_us(&w.gate, why, sizeof why), 0);
        before_us = 0;
        w.embedder.status = AWAY[i];
        for (int k = 0; k < 8; k++) {
            CHECK_INT(ask_once(&w), AWAY[i]);
            int64_t left_us = embed_gate_away_us(&w.gate, why, sizeof why);
            CHECK(left_us > before_us || left_us == INT64_C(300000000));
            CHECK(strstr(why, "no answer") != NULL);
            CHECK_INT(ask_once(&w), AWAY[i]); /* who asked at the same time changes nothing */
            CHECK_INT(embed_gate_away_us(&w.gate, why, sizeof why), left_us);
            clock_fake_advance(&w.clock, left_us);
            CHECK_INT(embed_gate_away_us(&w.gate, why, sizeof why), 0);
            before_us = left_us;
        }
        CHECK_INT(before_us, INT64_C(300000000));
        w.embedder.status = PGC_OK;
        CHECK_INT(ask_once(&w), PGC_OK);
        w.embedder.status = AWAY[i];
        CHECK_INT(ask_once(&w), AWAY[i]);
        CHECK_INT(embed_gate_away_us(&w.gate, why, sizeof why), 10000000); /* from the start */
        world_end(&w);
    }
}

static void a_refusal_is_no_absence(void)
{
    static const pgc_status OTHER[] = { PGC_INVALID, PGC_PROTOCOL, PGC_UNSUPPORTED, PGC_LIMIT };
    static world w;
    char why[256] = "";
    world_begin(&w, 8);
    for (size_t i = 0; i < ARRAY_LEN(OTHER); i++) {
        w.embedder.status = OTHER[i];
        CHECK_INT(ask_once(&w), OTHER[i]);
        CHECK_INT(embed_gate_away_us(&w.gate, why, sizeof why), 0);
    }
    CHECK_STR(why, "");
    world_end(&w);
}

TAP_MAIN(TAP("gate: who waits travels in one request, each model by itself",
             who_waits_travels_together),
         TAP("gate: a server of single inputs is asked by all at once",
             a_server_of_single_inputs_is_asked_by_all_at_once),
         TAP("gate: a bad picture fails alone", a_bad_picture_fails_alone),
         TAP("gate: a server that is away is left alone, longer each time",
             a_server_that_is_away_is_left_alone_longer_each_time),
         TAP("gate: a refusal is no absence", a_refusal_is_no_absence))
