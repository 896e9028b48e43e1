/* Facts that are computed from the intermediate representation. Pure functions. */
#include "base/prelude.h"

#include "sqlc/ir.h"

/* Fast, and equal on every machine; it names statements and protects nothing. Source: RFC 9923
 * and the authors' page; 64-bit variant. */
static uint64_t fnv1a(uint64_t hash, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hash = (hash ^ (unsigned char) bytes[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

/* Types by name, not by OID: the hash is the same in every database. */
uint64_t ir_query_hash(slice sql, const ir_param *params, size_t param_count)
{
    uint64_t hash = fnv1a(UINT64_C(0xcbf29ce484222325), sql.ptr, sql.len);
    assert(sql.ptr != NULL);
    for (size_t i = 0; i < param_count; i++) {
        /* The NUL separates, so that "ab","c" and "a","bc" differ. */
        hash = fnv1a(hash, "", 1);
        hash = fnv1a(hash, params[i].type.sql, strlen(params[i].type.sql));
    }
    return hash;
}

uint64_t query_variants_with(const ir_query *query, size_t param)
{
    uint64_t mask = 0;
    assert(query->variant_count <= IR_VARIANTS_MAX);
    for (size_t v = 0; v < query->variant_count; v++) {
        for (size_t i = 0; i < query->variants[v].param_count; i++) {
            mask |= query->variants[v].params[i] == param ? UINT64_C(1) << v : 0;
        }
    }
    return mask;
}

/* A shift by 64 is undefined. */
uint64_t query_all_variants(const ir_query *query)
{
    return query->variant_count >= 64 ? UINT64_MAX : (UINT64_C(1) << query->variant_count) - 1;
}
