/* Types made of other types: composites, and arrays and ranges that the runtime has no name for. */
#ifndef SQLC_SHAPES_H
#define SQLC_SHAPES_H

#include "sqlc/model.h"

/* The shape of a type, made at its first use and kept in ctx->set. base_oid: no domain. NULL: it
 * has none, or memory ran out (set->nomem). */
ir_shape *shapes_find(const model_context *ctx, uint32_t base_oid);
/* The shape of an array in which no element is NULL, otherwise the same. */
ir_shape *shapes_nonnull(const model_context *ctx, uint32_t base_oid);
/* The user's own C type for a type. NULL: memory ran out (set->nomem). */
ir_shape *shapes_custom(const model_context *ctx, uint32_t base_oid, const config_override *from);
/* Fill in what follows from kind and name. False: no memory. */
bool shapes_complete(arena *arena, const char *prefix, ir_shape *shape);
/* Bring them into the order in which C must declare them, which no OID decides. */
void shapes_sort(ir_set *set);

#endif
