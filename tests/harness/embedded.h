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

/* Pictures of the seed's model, numbers `first` on. */
typedef struct embedded_plan {
    vectors *generator;
    uint32_t first, count;
    int32_t owner_id; /* whose they are, and whose favourites they show */
    /* May note each; NULL: nobody does. */
    void (*note)(uint32_t i, const float *v, int cluster);
} embedded_plan;

static inline pgc_status embedded_copy(pgc_db *db, const embedded_plan *plan, pgc_error *err)
{
    static const pgc_type_ref COLUMNS[] = { { "asset_id", "uuid", 2950 },
                                            { "owner_id", "integer", 23 },
                                            { "embedding", "halfvec", 0 },
                                            { "model_version", "character varying", 1043 } };
    static const pgc_copy EMBEDDINGS = {
        .name = "CopyEmbeddings", .table = "embeddings", .columns = COLUMNS, .column_count = 4
    };
    pgc_copy_in *in = NULL;
    pgc_args args;
    pgc_status status = pgc_copy_in_open(db, &EMBEDDINGS, NULL, &in, err);
    if (status != PGC_OK) {
        return status;
    }
    pgc_args_init(&args, NULL);
    for (uint32_t i = plan->first; i < plan->first + plan->count && status == PGC_OK; i++) {
        float v[VECTORS_DIM];
        uint16_t half[VECTORS_DIM];
        vectors_image(plan->generator, plan->owner_id, v);
        if (plan->note != NULL) {
            plan->note(i, v, plan->generator->cluster);
        }
        for (int k = 0; k < VECTORS_DIM; k++) {
            half[k] = pgc_half_from_float(v[k]);
        }
        pgc_args_reset(&args);
        pgc_add_uuid(&args, embedded_id(i));
        pgc_add_i32(&args, plan->owner_id);
        pgc_add_halfvec(&args, (pgc_halfvec) { half, VECTORS_DIM });
        pgc_add_text(&args, pgc_text_from("clip-vit-base"));
        status = pgc_copy_in_row(in, &args, err);
    }
    pgc_args_done(&args);
    if (status != PGC_OK) {
        pgc_copy_in_abort(in, NULL);
        return status;
    }
    int64_t rows = 0;
    return pgc_copy_in_finish(&in, &rows, err);
}

#endif
