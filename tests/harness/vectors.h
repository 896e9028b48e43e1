/* Vectors as an embedding model makes them, from a seed: images in clusters of long-tailed size
 * around a common mean direction, with bursts of near duplicates; texts around another mean, so
 * that they lie off the images' manifold. The same numbers on every machine that has IEEE floats.
 */
#ifndef TEST_VECTORS_H
#define TEST_VECTORS_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define VECTORS_DIM      512
#define VECTORS_CLUSTERS 2400
#define VECTORS_SUPERS   60
#define VECTORS_OWNERS   100
#define VECTORS_FAVOURED 48 /* clusters that an owner mostly takes pictures of */

typedef struct vectors {
    uint64_t state;
    float scale[VECTORS_DIM]; /* deviation of each component: a power law */
    float image_mean[VECTORS_DIM], text_mean[VECTORS_DIM];
    float (*center)[VECTORS_DIM];   /* VECTORS_CLUSTERS of them */
    float weight[VECTORS_CLUSTERS]; /* cumulative share of the clusters, the last is 1 */
    float last[VECTORS_DIM];        /* the picture before, for bursts */
    bool has_last;
    int cluster; /* of the last picture */
} vectors;

/* splitmix64. */
static inline uint64_t vectors_bits(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* 0 <= x < 1 */
static inline float vectors_roll(uint64_t *state)
{
    return (float) (vectors_bits(state) >> 40) * 0x1p-24f;
}

/* Nearly normal, mean 0 and deviation 1: eight 16-bit uniforms, cheap and without libm. */
static inline float vectors_bell(uint64_t *state)
{
    uint64_t a = vectors_bits(state);
    uint64_t b = vectors_bits(state);
    float sum = 0;
    for (int i = 0; i < 4; i++) {
        sum += (float) (a >> (16 * i) & 0xffff) + (float) (b >> (16 * i) & 0xffff);
    }
    return (sum * 0x1p-16f - 4) * 1.2247449f;
}

static inline void vectors_unit(float *v)
{
    double sum = 0;
    for (int i = 0; i < VECTORS_DIM; i++) {
        sum += (double) v[i] * (double) v[i];
    }
    float by = (float) (1 / sqrt(sum));
    for (int i = 0; i < VECTORS_DIM; i++) {
        v[i] *= by;
    }
}

/* A random direction whose components follow the spectrum. */
static inline void vectors_noise(vectors *g, float length, float *out)
{
    for (int i = 0; i < VECTORS_DIM; i++) {
        out[i] = vectors_bell(&g->state) * g->scale[i];
    }
    vectors_unit(out);
    for (int i = 0; i < VECTORS_DIM; i++) {
        out[i] *= length;
    }
}

static inline void vectors_add(float *to, const float *v)
{
    for (int i = 0; i < VECTORS_DIM; i++) {
        to[i] += v[i];
    }
}

/* Clusters around 60 super-clusters; false without memory. */
static inline bool vectors_open(vectors *g, uint64_t seed)
{
    static float super[VECTORS_SUPERS][VECTORS_DIM];
    float v[VECTORS_DIM];
    double total = 0;
    double sum = 0;
    *g = (vectors) { .state = seed };
    g->center = malloc(VECTORS_CLUSTERS * sizeof *g->center);
    if (g->center == NULL) {
        return false;
    }
    for (int i = 0; i < VECTORS_DIM; i++) {
        g->scale[i] = powf((float) i + 4, -0.35f);
    }
    vectors_noise(g, 0.69f, g->image_mean);
    vectors_noise(g, 0.80f, g->text_mean);
    for (int i = 0; i < VECTORS_SUPERS; i++) {
        vectors_noise(g, 0.35f, super[i]);
    }
    for (int i = 0; i < VECTORS_CLUSTERS; i++) {
        vectors_noise(g, 0.42f, v);
        vectors_add(v, super[vectors_bits(&g->state) % VECTORS_SUPERS]);
        memcpy(g->center[i], v, sizeof v);
        total += 1 / pow(i + 3, 0.8);
    }
    for (int i = 0; i < VECTORS_CLUSTERS; i++) {
        sum += 1 / pow(i + 3, 0.8);
        g->weight[i] = (float) (sum / total);
    }
    return true;
}

static inline void vectors_close(vectors *g)
{
    free(g->center);
}

/* A cluster by its share, or one of the owner's favourites. */
static inline int vectors_cluster(vectors *g, int owner)
{
    if (owner >= 0 && vectors_roll(&g->state) < 0.7f) {
        uint64_t favourite = (uint64_t) owner * 7919 + vectors_bits(&g->state) % VECTORS_FAVOURED;
        return (int) (vectors_bits(&favourite) % VECTORS_CLUSTERS);
    }
    float roll = vectors_roll(&g->state);
    int low = 0;
    int high = VECTORS_CLUSTERS - 1;
    while (low < high) {
        int middle = (low + high) / 2;
        if (g->weight[middle] <= roll) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The next picture, of length 1; owner -1: nobody in particular. A quarter are of the same burst as
 * the one before. */
static inline void vectors_image(vectors *g, int owner, float *out)
{
    float v[VECTORS_DIM];
    if (g->has_last && vectors_roll(&g->state) < 0.25f) {
        memcpy(out, g->last, sizeof g->last);
        vectors_noise(g, 0.05f + 0.25f * vectors_roll(&g->state), v);
    } else {
        memcpy(out, g->image_mean, sizeof g->image_mean);
        g->cluster = vectors_cluster(g, owner);
        vectors_add(out, g->center[g->cluster]);
        vectors_noise(g, 0.45f, v);
    }
    vectors_add(out, v);
    vectors_unit(out);
    memcpy(g->last, out, sizeof g->last);
    g->has_last = true;
}

/* What somebody asks for in words: towards a cluster, but from elsewhere. */
static inline void vectors_text(vectors *g, float *out)
{
    float v[VECTORS_DIM];
    memcpy(out, g->text_mean, sizeof g->text_mean);
    memcpy(v, g->center[vectors_cluster(g, -1)], sizeof v);
    vectors_add(out, v);
    vectors_noise(g, 0.6f, v);
    vectors_add(out, v);
    vectors_unit(out);
}

#endif
