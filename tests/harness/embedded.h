/* Vectors by the thousand in a database: assets of a user and their embeddings by one COPY, the
 * graph built afterwards, as a library gets it that was loaded at once. */
#ifndef TEST_EMBEDDED_H
#define TEST_EMBEDDED_H

#include <stdio.h>

#include <pgc/conn.h>
#include <pgc/copy.h>

#include "vectors.h"

/* Id of the i-th asset, the same as ('…' || lpad(to_hex(i), 12, '0'))::uuid. */
static inline pgc_uuid embedded_id(uint32_t i)
{
    pgc_uuid id = { { 0, 0, 0, 0, 0, 0, 0x70, 0, 0x80 } };
    for (int k = 0; k < 4; k++) {
        id.bytes[15 - k] = (uint8_t) (i >> (8 * k));
    }
    return id;
}

#define EMBEDDED_ID_SQL "('00000000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid"

static inline uint32_t embedded_number(const pgc_uuid *id)
{
    return (uint32_t) id->bytes[12] << 24 | (uint32_t) id->bytes[13] << 16 |
           (uint32_t) id->bytes[14] << 8 | id->bytes[15];
}

/* A COPY of vectors of the seed's model under way. */
typedef struct embedded_stream {
    pgc_copy_in *in;
    pgc_args args;
} embedded_stream;

static inline pgc_status embedded_begin(embedded_stream *s, pgc_db *db, pgc_error *err)
{
    static const pgc_type_ref COLUMNS[] = { { "asset_id", "uuid", 2950 },
                                            { "owner_id", "integer", 23 },
                                            { "embedding", "halfvec", 0 },
                                            { "model_version", "character varying", 1043 } };
    static const pgc_copy EMBEDDINGS = {
        .name = "CopyEmbeddings", .table = "embeddings", .columns = COLUMNS, .column_count = 4
    };
    s->in = NULL;
    pgc_args_init(&s->args, NULL);
    return pgc_copy_in_open(db, &EMBEDDINGS, NULL, &s->in, err);
}

static inline pgc_status embedded_add(embedded_stream *s, pgc_uuid asset_id, int32_t owner_id,
                                      const float *v, pgc_error *err)
{
    uint16_t half[VECTORS_DIM];
    for (int k = 0; k < VECTORS_DIM; k++) {
        half[k] = pgc_half_from_float(v[k]);
    }
    pgc_args_reset(&s->args);
    pgc_add_uuid(&s->args, asset_id);
    pgc_add_i32(&s->args, owner_id);
    pgc_add_halfvec(&s->args, (pgc_halfvec) { half, VECTORS_DIM });
    pgc_add_text(&s->args, pgc_text_from("clip-vit-base"));
    return pgc_copy_in_row(s->in, &s->args, err);
}

/* status: of what was done so far; anything but PGC_OK takes all back. */
static inline pgc_status embedded_end(embedded_stream *s, pgc_status status, pgc_error *err)
{
    int64_t rows = 0;
    pgc_args_done(&s->args);
    if (status != PGC_OK) {
        if (s->in != NULL) {
            pgc_copy_in_abort(s->in, NULL);
        }
        return status;
    }
    return pgc_copy_in_finish(&s->in, &rows, err);
}

/* Pictures numbered `first` on. */
typedef struct embedded_plan {
    vectors *generator;
    uint32_t first, count;
    int32_t owner_id; /* whose they are, and whose favourites they show */
    /* May note each; NULL: nobody does. */
    void (*note)(uint32_t i, const float *v, int cluster);
} embedded_plan;

static inline pgc_status embedded_copy(pgc_db *db, const embedded_plan *plan, pgc_error *err)
{
    embedded_stream stream;
    pgc_status status = embedded_begin(&stream, db, err);
    for (uint32_t i = plan->first; i < plan->first + plan->count && status == PGC_OK; i++) {
        float v[VECTORS_DIM];
        vectors_image(plan->generator, plan->owner_id, v);
        if (plan->note != NULL) {
            plan->note(i, v, plan->generator->cluster);
        }
        status = embedded_add(&stream, embedded_id(i), plan->owner_id, v, err);
    }
    return embedded_end(&stream, status, err);
}

#endif
