/* The way of all embedding jobs of a worker to the one server: together in requests as long as the
 * server takes them, and not at all for a while after it did not answer. */
#ifndef WORK_EMBED_GATE_H
#define WORK_EMBED_GATE_H

#include <pthread.h>

#include "ml/embedder.h"

struct embed_ask;

typedef struct embed_gate {
    const env *env;
    ml_embedder *embedder; /* NULL: there is none, and nobody may ask */
    pthread_mutex_t lock;  /* guards what follows */
    pthread_cond_t changed;
    struct embed_ask *first, *last; /* who waits and is in no request yet */
    size_t waiting;                 /* how many they are */
    uint32_t requests;              /* under way */
    int64_t away_until_us;          /* monotonic; 0: the server is not known to be away */
    int64_t away_us;                /* how long the last pause is */
    char away_why[256];
} embed_gate;

/* Borrows env and embedder. */
void embed_gate_init(embed_gate *gate, const env *env, ml_embedder *embedder);
/* Nobody may ask any more. */
void embed_gate_done(embed_gate *gate);

/* The vector of one picture, as ml_embed() gives it. Blocks until the server has answered; what
 * several threads ask meanwhile travels in one request. Thread-safe. */
pgc_status embed_gate_ask(embed_gate *gate, const char *model, const ml_input *input,
                          float out[ML_DIM], pgc_error *err) PGC_MUST_CHECK;
/* Microseconds for which the server is to be left alone, and why (at least 256 bytes); 0: ask. */
int64_t embed_gate_away_us(embed_gate *gate, char *why, size_t size);

#endif
