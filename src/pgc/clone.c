/* Deep copies of rows. Both passes run the same code: a piece is sized and aligned in the same way,
 * so the second pass never needs more than the first one counted. One thread per clone. */
#include "base/prelude.h"

#include <pgc/clone.h>

#include "base/alloc.h"

#define CLONE_ALIGN ((size_t) 16)

void pgc_clone_init(pgc_clone *clone)
{
    *clone = (pgc_clone) { 0 };
}

/* Room for a piece: NULL in the first pass, and when the piece is empty. */
static void *clone_room(pgc_clone *clone, size_t size, size_t align)
{
    size_t aligned;
    if (clone->overflowed || !size_add(clone->size, align - 1, &aligned)) {
        clone->overflowed = true;
        return NULL;
    }
    aligned -= aligned % align;
    char *room = clone->next == NULL ? NULL : clone->next + aligned;
    clone->overflowed = !size_add(aligned, size, &clone->size);
    return room;
}

void *pgc_clone_alloc(pgc_clone *clone, const void *row, size_t row_size)
{
    size_t head;
    size_t total;
    assert(clone->next == NULL);
    if (clone->overflowed || !size_add(row_size, CLONE_ALIGN - 1, &head)) {
        return NULL;
    }
    head -= head % CLONE_ALIGN;
    if (!size_add(head, clone->size, &total)) {
        return NULL;
    }
    char *block = mem_resize(NULL, NULL, 0, total);
    if (block == NULL) {
        return NULL;
    }
    memcpy(block, row, row_size);
    clone->next = block + head;
    clone->size = 0;
    return block;
}

/* The owner of a set holds its rows as const; only here is it known that the block is a copy. */
void pgc_clone_free(const void *block)
{
    void *own = NULL;
    memcpy(&own, &block, sizeof own);
    mem_free(NULL, own, 0);
}

/* Copy count elements of size bytes; the result is NULL in the first pass. */
static void *clone_array(pgc_clone *clone, const void *from, size_t count, size_t size)
{
    size_t bytes;
    if (from == NULL || !size_mul(count, size, &bytes)) {
        clone->overflowed = clone->overflowed || from != NULL;
        return NULL;
    }
    void *room = clone_room(clone, bytes, CLONE_ALIGN);
    if (room != NULL && bytes > 0) {
        memcpy(room, from, bytes);
    }
    return room;
}

void pgc_clone_text(pgc_clone *clone, pgc_text *value)
{
    size_t size;
    if (value->ptr == NULL || !size_add(value->len, 1, &size)) {
        clone->overflowed = clone->overflowed || value->ptr != NULL;
        return;
    }
    char *room = clone_room(clone, size, 1);
    if (room != NULL) {
        memcpy(room, value->ptr, value->len);
        room[value->len] = '\0';
        value->ptr = room;
    }
}

void pgc_clone_bytes(pgc_clone *clone, pgc_bytes *value)
{
    const void *copy = clone_array(clone, value->ptr, value->len, 1);
    value->ptr = copy != NULL ? copy : value->ptr;
}

void pgc_clone_numeric(pgc_clone *clone, pgc_numeric *value)
{
    const void *copy = clone_array(clone, value->digits, value->digit_count, sizeof *value->digits);
    value->digits = copy != NULL ? copy : value->digits;
}

void pgc_clone_vector(pgc_clone *clone, pgc_vector *value)
{
    const void *copy = clone_array(clone, value->v, value->dim, sizeof *value->v);
    value->v = copy != NULL ? copy : value->v;
}

void pgc_clone_halfvec(pgc_clone *clone, pgc_halfvec *value)
{
    const void *copy = clone_array(clone, value->v, value->dim, sizeof *value->v);
    value->v = copy != NULL ? copy : value->v;
}

#define CLONE_ARRAY(name, type)                                                   \
    void pgc_clone_arr_##name(pgc_clone *clone, pgc_arr_##name *value)            \
    {                                                                             \
        const void *v = clone_array(clone, value->v, value->count, sizeof(type)); \
        const void *nulls = clone_array(clone, value->nulls, value->count, 1);    \
        value->v = v != NULL ? v : value->v;                                      \
        value->nulls = nulls != NULL ? nulls : value->nulls;                      \
    }
CLONE_ARRAY(bool, bool)
CLONE_ARRAY(i16, int16_t)
CLONE_ARRAY(i32, int32_t)
CLONE_ARRAY(i64, int64_t)
CLONE_ARRAY(f32, float)
CLONE_ARRAY(f64, double)
CLONE_ARRAY(uuid, pgc_uuid)
CLONE_ARRAY(timestamptz, pgc_timestamptz)

/* The elements point to bytes of their own. */
void pgc_clone_arr_text(pgc_clone *clone, pgc_arr_text *value)
{
    pgc_text *v = clone_array(clone, value->v, value->count, sizeof *value->v);
    const void *nulls = clone_array(clone, value->nulls, value->count, 1);
    for (size_t i = 0; value->v != NULL && i < value->count; i++) {
        pgc_text element = value->v[i];
        pgc_clone_text(clone, &element);
        if (v != NULL) {
            v[i] = element;
        }
    }
    value->v = v != NULL ? v : value->v;
    value->nulls = nulls != NULL ? nulls : value->nulls;
}
