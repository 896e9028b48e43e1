/* C types that the config of the corpus gives to types of SQL. */
#ifndef OWN_TYPES_H
#define OWN_TYPES_H

#include <pgc/clone.h>
#include <pgc/query.h>

static inline double corpus_price_read(pgc_reader *reader, size_t row, size_t column)
{
    pgc_numeric number = pgc_read_numeric(reader, row, column);
    return pgc_numeric_to_double(&number);
}

static inline void corpus_price_add(pgc_args *args, double value)
{
    uint16_t digits[PGC_NUMERIC_DIGITS_MAX];
    pgc_numeric number = PGC_ZERO;
    (void) pgc_numeric_from_double(value, 2, digits, &number);
    pgc_add_numeric(args, number);
}

typedef struct corpus_path {
    pgc_text text;
    size_t depth;
} corpus_path;

static inline corpus_path corpus_path_read(pgc_reader *reader, size_t row, size_t column)
{
    corpus_path path = PGC_ZERO;
    path.text = pgc_read_jsonb(reader, row, column);
    path.depth = path.text.len > 0 ? 1 : 0;
    for (size_t i = 0; i < path.text.len; i++) {
        path.depth += path.text.ptr[i] == '.' ? 1u : 0u;
    }
    return path;
}

static inline void corpus_path_add(pgc_args *args, corpus_path value)
{
    pgc_add_jsonb(args, value.text);
}

static inline void corpus_path_clone(pgc_clone *clone, corpus_path *value)
{
    pgc_clone_text(clone, &value->text);
}

#endif
