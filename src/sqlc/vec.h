/* Growing arrays inside an mem: old copies stay until the mem goes, which is fine for lists that
 * are built once. Element addresses are stable only after the last vec_add(). */
#ifndef SQLC_VEC_H
#define SQLC_VEC_H

#include "base/arena.h"

typedef struct vec {
    void *items; /* cast to the element type by the owner */
    size_t count, cap;
} vec;

/* A zeroed element at the end; NULL when memory is exhausted. */
static inline void *vec_add(arena *mem, vec *v, size_t item_size)
{
    if (v->count == v->cap) {
        size_t cap = v->cap == 0 ? 8 : v->cap * 2;
        void *items = arena_array(mem, cap, item_size);
        if (items == NULL) {
            return NULL;
        }
        if (v->count > 0) {
            memcpy(items, v->items, v->count * item_size);
        }
        v->items = items;
        v->cap = cap;
    }
    return (char *) v->items + item_size * v->count++;
}

#define VEC_ADD(mem, v, type) ((type *) vec_add((mem), (v), sizeof(type)))
#define VEC_AT(v, type, i)    (&((type *) (v)->items)[i])

#endif
