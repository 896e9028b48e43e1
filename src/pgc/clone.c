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

void *pgc_clone_items(pgc_clone *clone, const void *from, size_t count, size_t size)
{
    return count == 0 ? NULL : clone_array(clone, from, count, size);
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

void pgc_clone_json(pgc_clone *clone, pgc_text *value)
{
    pgc_clone_text(clone, value);
}

void pgc_clone_jsonb(pgc_clone *clone, pgc_text *value)
{
    pgc_clone_text(clone, value);
}

/* Turns a pointer of the row to the copy; in the first pass it stays. */
#define CLONE_MEMBER(clone, member, count)                                             \
    do {                                                                               \
        const void *copy_ = clone_array((clone), (member), (count), sizeof *(member)); \
        (member) = copy_ != NULL ? copy_ : (member);                                   \
    } while (0)

void pgc_clone_bytes(pgc_clone *clone, pgc_bytes *value)
{
    CLONE_MEMBER(clone, value->ptr, value->len);
}

void pgc_clone_numeric(pgc_clone *clone, pgc_numeric *value)
{
    CLONE_MEMBER(clone, value->digits, value->digit_count);
}

void pgc_clone_bits(pgc_clone *clone, pgc_bits *value)
{
    CLONE_MEMBER(clone, value->ptr, ((size_t) value->count + 7) / 8);
}

void pgc_clone_path(pgc_clone *clone, pgc_path *value)
{
    CLONE_MEMBER(clone, value->points, value->count);
}

void pgc_clone_polygon(pgc_clone *clone, pgc_polygon *value)
{
    CLONE_MEMBER(clone, value->points, value->count);
}

void pgc_clone_vector(pgc_clone *clone, pgc_vector *value)
{
    CLONE_MEMBER(clone, value->v, value->dim);
}

void pgc_clone_halfvec(pgc_clone *clone, pgc_halfvec *value)
{
    CLONE_MEMBER(clone, value->v, value->dim);
}

void pgc_clone_sparsevec(pgc_clone *clone, pgc_sparsevec *value)
{
    CLONE_MEMBER(clone, value->indices, value->count);
    CLONE_MEMBER(clone, value->v, value->count);
}

/* Copies an array and then what each element points to: the first pass works on a copy of the
 * element, because the row that is measured is not ours to change. */
typedef void clone_element(pgc_clone *clone, void *element);

#define ELEMENT_MAX 96 /* bytes of the largest element type */

static const void *clone_deep(pgc_clone *clone, const void *from, size_t count, size_t size,
                              clone_element *each)
{
    uint8_t *to = clone_array(clone, from, count, size);
    assert(size <= ELEMENT_MAX);
    for (size_t i = 0; from != NULL && i < count; i++) {
        uint64_t element[ELEMENT_MAX / 8];
        memcpy(element, (const uint8_t *) from + i * size, size);
        each(clone, element);
        if (to != NULL) {
            memcpy(to + i * size, element, size);
        }
    }
    return to;
}

static void clone_lexeme(pgc_clone *clone, void *element)
{
    pgc_lexeme *lexeme = element;
    pgc_clone_text(clone, &lexeme->word);
    CLONE_MEMBER(clone, lexeme->positions, lexeme->count);
}

void pgc_clone_tsvector(pgc_clone *clone, pgc_tsvector *value)
{
    const void *v = clone_deep(clone, value->v, value->count, sizeof value->v[0], clone_lexeme);
    value->v = v != NULL ? v : value->v;
}

static void clone_item(pgc_clone *clone, void *element)
{
    pgc_clone_text(clone, &((pgc_tsquery_item *) element)->word);
}

void pgc_clone_tsquery(pgc_clone *clone, pgc_tsquery *value)
{
    const void *v = clone_deep(clone, value->v, value->count, sizeof value->v[0], clone_item);
    value->v = v != NULL ? v : value->v;
}

static void clone_word(pgc_clone *clone, void *element)
{
    pgc_clone_text(clone, element);
}

void pgc_clone_hstore(pgc_clone *clone, pgc_hstore *value)
{
    const void *keys =
        clone_deep(clone, value->keys, value->count, sizeof value->keys[0], clone_word);
    const void *values =
        clone_deep(clone, value->values, value->count, sizeof value->values[0], clone_word);
    value->keys = keys != NULL ? keys : value->keys;
    value->values = values != NULL ? values : value->values;
}

/* Only numerics point somewhere. */
#define CLONE_BOUND_i32(clone, bound)         ((void) (clone), (void) (bound))
#define CLONE_BOUND_i64(clone, bound)         ((void) (clone), (void) (bound))
#define CLONE_BOUND_f64(clone, bound)         ((void) (clone), (void) (bound))
#define CLONE_BOUND_date(clone, bound)        ((void) (clone), (void) (bound))
#define CLONE_BOUND_time(clone, bound)        ((void) (clone), (void) (bound))
#define CLONE_BOUND_timestamp(clone, bound)   ((void) (clone), (void) (bound))
#define CLONE_BOUND_timestamptz(clone, bound) ((void) (clone), (void) (bound))
#define CLONE_BOUND_numeric(clone, bound)     pgc_clone_numeric((clone), (bound))

#define X(name, type)                                                                              \
    void pgc_clone_range_##name(pgc_clone *clone, pgc_range_##name *value)                         \
    {                                                                                              \
        CLONE_BOUND_##name(clone, &value->lower);                                                  \
        CLONE_BOUND_##name(clone, &value->upper);                                                  \
    }                                                                                              \
    static void clone_one_range_##name(pgc_clone *clone, void *element)                            \
    {                                                                                              \
        pgc_clone_range_##name(clone, element);                                                    \
    }                                                                                              \
    void pgc_clone_multirange_##name(pgc_clone *clone, pgc_multirange_##name *value)               \
    {                                                                                              \
        const void *v =                                                                            \
            clone_deep(clone, value->v, value->count, sizeof value->v[0], clone_one_range_##name); \
        value->v = v != NULL ? v : value->v;                                                       \
    }
PGC_RANGE_MAP(X)
#undef X

/* What arrays have beside their elements. */
#define CLONE_SHAPE(clone, value)                              \
    do {                                                       \
        CLONE_MEMBER((clone), (value)->nulls, (value)->count); \
        CLONE_MEMBER((clone), (value)->dims, (value)->ndim);   \
    } while (0)

#define X(name, type)                                                  \
    void pgc_clone_arr_##name(pgc_clone *clone, pgc_arr_##name *value) \
    {                                                                  \
        CLONE_MEMBER(clone, value->v, value->count);                   \
        CLONE_SHAPE(clone, value);                                     \
    }
PGC_OPT_MAP(X)
#undef X

/* The elements point to bytes of their own. */
#define CLONE_DEEP_ARRAY(name)                                                               \
    void pgc_clone_arr_##name(pgc_clone *clone, pgc_arr_##name *value)                       \
    {                                                                                        \
        const void *v =                                                                      \
            clone_deep(clone, value->v, value->count, sizeof value->v[0], clone_one_##name); \
        value->v = v != NULL ? v : value->v;                                                 \
        CLONE_SHAPE(clone, value);                                                           \
    }
#define X(name, type)                                             \
    static void clone_one_##name(pgc_clone *clone, void *element) \
    {                                                             \
        pgc_clone_##name(clone, element);                         \
    }                                                             \
    CLONE_DEEP_ARRAY(name)
PGC_POINTER_MAP(X)
#undef X
#define X(name, type) CLONE_DEEP_ARRAY(name)
PGC_RANGE_ARRAY_MAP(X)
#undef X
