/* One of those who wait takes everything that waits along in its own request, so a request is as
 * full as the server is slow, and nobody waits for company. An ask lives on the stack of who asks,
 * who leaves only when it is done. */
#include "base/prelude.h"

#include "work/embed_gate.h"

#include "base/cond.h"

#define REQUESTS_MAX  2                       /* under way, when several inputs fit into one */
#define AWAY_FIRST_US (10 * INT64_C(1000000)) /* then twice as long each time */
#define AWAY_MOST_US  (300 * INT64_C(1000000))

typedef struct embed_ask {
    struct embed_ask *next;
    const char *model;
    ml_item item;
    bool done;
} embed_ask;

void embed_gate_init(embed_gate *gate, const env *e, ml_embedder *embedder)
{
    *gate = (embed_gate) { .env = e, .embedder = embedder };
    (void) pthread_mutex_init(&gate->lock, NULL);
    cond_init(&gate->changed);
}

void embed_gate_done(embed_gate *gate)
{
    assert(gate->first == NULL && gate->requests == 0);
    (void) pthread_cond_destroy(&gate->changed);
    (void) pthread_mutex_destroy(&gate->lock);
}

/* The first that waits and those right behind it that want the same model. */
static size_t asks_take(embed_gate *gate, embed_ask *out[ML_ITEMS_MAX])
{
    size_t most = ml_batch(gate->embedder);
    size_t count = 0;
    do {
        out[count++] = gate->first;
        gate->first = gate->first->next;
    } while (count < most && gate->first != NULL && strcmp(gate->first->model, out[0]->model) == 0);
    gate->last = gate->first != NULL ? gate->last : NULL;
    gate->waiting -= count;
    return count;
}

/* Several requests may end at once: only the first one that finds the server away again makes the
 * pause longer. */
static void away_note(embed_gate *gate, const ml_item *item)
{
    int64_t now_us = gate->env->clock->mono_us(gate->env->clock->ctx);
    if (!ml_is_away(item->status)) {
        gate->away_until_us = 0;
        gate->away_us = 0;
    } else if (now_us >= gate->away_until_us) {
        int64_t longer_us = gate->away_us * 2 < AWAY_MOST_US ? gate->away_us * 2 : AWAY_MOST_US;
        gate->away_us = gate->away_us > 0 ? longer_us : AWAY_FIRST_US;
        gate->away_until_us = now_us + gate->away_us;
        (void) snprintf(gate->away_why, sizeof gate->away_why, "%.255s", item->err.message);
    }
}

/* One request, without the lock while it is under way. */
static void request_run(embed_gate *gate)
{
    embed_ask *asks[ML_ITEMS_MAX];
    ml_item *items[ML_ITEMS_MAX];
    size_t count = asks_take(gate, asks);
    for (size_t i = 0; i < count; i++) {
        items[i] = &asks[i]->item;
    }
    gate->requests++;
    (void) pthread_mutex_unlock(&gate->lock);
    ml_embed_items(gate->embedder, asks[0]->model, items, count);
    (void) pthread_mutex_lock(&gate->lock);
    gate->requests--;
    away_note(gate, items[count - 1]);
    for (size_t i = 0; i < count; i++) {
        asks[i]->done = true; /* it may be gone from here on */
    }
    (void) pthread_cond_broadcast(&gate->changed);
}

pgc_status embed_gate_ask(embed_gate *gate, const char *model, const ml_input *input,
                          float out[ML_DIM], pgc_error *err)
{
    assert(gate->embedder != NULL);
    embed_ask ask = { .model = model, .item = { .input = *input, .out = out } };
    (void) pthread_mutex_lock(&gate->lock);
    if (gate->last != NULL) {
        gate->last->next = &ask;
    } else {
        gate->first = &ask;
    }
    gate->last = &ask;
    gate->waiting++;
    while (!ask.done) {
        bool single = ml_batch(gate->embedder) == 1;
        if (gate->first != NULL && (single || gate->requests < REQUESTS_MAX)) {
            request_run(gate);
        } else {
            (void) cond_wait(&gate->changed, &gate->lock, -1);
        }
    }
    (void) pthread_mutex_unlock(&gate->lock);
    if (ask.item.status != PGC_OK && err != NULL) {
        *err = ask.item.err;
    }
    return ask.item.status;
}

int64_t embed_gate_away_us(embed_gate *gate, char *why, size_t size)
{
    int64_t now_us = gate->env->clock->mono_us(gate->env->clock->ctx);
    (void) pthread_mutex_lock(&gate->lock);
    int64_t left_us = gate->away_until_us - now_us;
    if (left_us > 0) {
        (void) snprintf(why, size, "%s", gate->away_why);
    }
    (void) pthread_mutex_unlock(&gate->lock);
    return left_us > 0 ? left_us : 0;
}
