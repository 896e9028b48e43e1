/* Columns that a program relies on, compared with the catalogs by one query. Thread-safe: as the
 * handle. */
#include "base/prelude.h"

#include <pgc/schema.h>

#include "pgc/typemap.h"

static const pgc_type_ref PARAMS[] = { { "schemas", "text[]", 1009 },
                                       { "tables", "text[]", 1009 },
                                       { "columns", "text[]", 1009 } };
static const pgc_type_ref COLUMNS[] = { { "has_table", "boolean", 16 },
                                        { "type", "text", 25 },
                                        { "not_null", "boolean", 16 } };
/* One row for each column, in their order. */
static const pgc_query QUERY = {
    .name = "PgcSchemaCheck",
    .sql = "SELECT c.oid IS NOT NULL, pg_catalog.format_type(a.atttypid, NULL),"
           "       a.attnotnull OR t.typnotnull"
           "  FROM unnest($1, $2, $3) WITH ORDINALITY AS w(schema, name, attribute, place)"
           "  LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema::name"
           "  LEFT JOIN pg_catalog.pg_class c"
           "    ON c.relnamespace = n.oid AND c.relname = w.name::name"
           "  LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid"
           "   AND a.attname = w.attribute::name AND a.attnum > 0 AND NOT a.attisdropped"
           "  LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid"
           " ORDER BY w.place",
    .hash = UINT64_C(0x7067635f736d6131),
    .flags = PGC_QUERY_READ_ONLY,
    .param_count = ARRAY_LEN(PARAMS),
    .column_count = ARRAY_LEN(COLUMNS),
    .params = PARAMS,
    .columns = COLUMNS,
};

/* The differences as one text: what fits, and their number. */
typedef struct report {
    char text[320];
    size_t used, count;
} report;

static void __attribute__((format(printf, 2, 3))) add(report *r, const char *fmt, ...)
{
    char one[200];
    va_list args;
    va_start(args, fmt);
    (void) vsnprintf(one, sizeof one, fmt, args);
    va_end(args);
    size_t len = strlen(one);
    if (r->count++ == 0 || r->used + len + 2 < sizeof r->text) {
        r->used += (size_t) snprintf(r->text + r->used, sizeof r->text - r->used, "%s%s",
                                     r->used == 0 ? "" : "; ", one);
    }
    assert(r->used < sizeof r->text);
}

/* A table that is gone is said once, not once for each of its columns. */
static bool same_table(const pgc_schema_column *a, const pgc_schema_column *b)
{
    return strcmp(a->table, b->table) == 0 && strcmp(a->schema, b->schema) == 0;
}

static void compare(report *r, pgc_reader *reader, size_t row, const pgc_schema_column *columns)
{
    const pgc_schema_column *want = &columns[row];
    bool has_table = pgc_read_bool(reader, row, 0);
    pgc_text type = pgc_read_opt_text(reader, row, 1);
    pgc_opt_bool not_null = pgc_read_opt_bool(reader, row, 2);
    if (!has_table) {
        if (row == 0 || !same_table(want, &columns[row - 1])) {
            add(r, "there is no table %s.%s", want->schema, want->table);
        }
    } else if (type.ptr == NULL) {
        add(r, "table %s.%s has no column \"%s\"", want->schema, want->table, want->name);
    } else if (!typemap_same(type.ptr, want->type)) {
        add(r, "column \"%s\" of %s.%s is %s, expected %s", want->name, want->schema, want->table,
            type.ptr, want->type);
    } else if (want->not_null && !(not_null.has && not_null.v)) {
        add(r, "column \"%s\" of %s.%s may be NULL, expected NOT NULL", want->name, want->schema,
            want->table);
    }
}

static void add_names(pgc_args *args, const pgc_schema_column *columns, size_t count, size_t offset)
{
    pgc_add_array_begin(args, 25, 0, NULL);
    for (size_t i = 0; i < count; i++) {
        const char *name = NULL;
        memcpy(&name, (const char *) &columns[i] + offset, sizeof name);
        pgc_add_text(args, pgc_text_from(name));
    }
    pgc_add_end(args);
}

pgc_status pgc_schema_check(pgc_db *db, const pgc_schema_column *columns, size_t count,
                            pgc_error *err)
{
    static const size_t OFFSETS[] = { offsetof(pgc_schema_column, schema),
                                      offsetof(pgc_schema_column, table),
                                      offsetof(pgc_schema_column, name) };
    pgc_args args;
    pgc_result *result = NULL;
    pgc_reader reader;
    report r = { .used = 0 };
    if (count == 0) {
        return PGC_OK;
    }
    pgc_args_init(&args, NULL);
    for (size_t i = 0; i < ARRAY_LEN(OFFSETS); i++) {
        add_names(&args, columns, count, OFFSETS[i]);
    }
    pgc_status status = pgc_db_run(db, &QUERY, &args, &result, err);
    pgc_args_done(&args);
    if (status != PGC_OK) {
        return pgc_error_wrap(err, status, "compare the database with the program");
    }
    pgc_reader_init(&reader, result, &QUERY);
    for (size_t i = 0; i < count && i < pgc_result_rows(result); i++) {
        compare(&r, &reader, i, columns);
    }
    status = pgc_reader_finish(&reader, err);
    pgc_result_free(result);
    if (status == PGC_OK && r.count > 0) {
        status = pgc_error_set(err, PGC_SCHEMA,
                               "the database is not the one this program expects: "
                               "%zu difference%s: %s",
                               r.count, r.count == 1 ? "" : "s", r.text);
        pgc_error_hint(err, "migrate the database, or generate the queries again and build");
    }
    return status;
}
