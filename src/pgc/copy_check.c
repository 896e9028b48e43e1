/* Do the columns of a COPY have the types that the program writes and reads? A binary stream does
 * not tell: an int8 would pass for a timestamp. One round trip per COPY. One thread per connection.
 */
#include "base/prelude.h"

#include "pgc/copy_link.h"

#include "pgc/exchange.h"
#include "pgc/run.h"
#include "pgc/shape.h"
#include "pgc/typemap.h"

/* Every column asked for, in order; NULLs for one that is not there. Domains count as the type
 * below them, whose binary form they have. Needs no right to read the table. */
static const pgc_query COLUMN_TYPES = {
    .name = "column types",
    .sql = "SELECT b.oid, pg_catalog.format_type(b.oid, NULL)"
           " FROM pg_catalog.unnest($2) WITH ORDINALITY AS want (name, place)"
           " LEFT JOIN pg_catalog.pg_attribute AS a"
           " ON a.attrelid = pg_catalog.to_regclass($1) AND a.attname OPERATOR(pg_catalog.=)"
           " want.name::pg_catalog.name AND a.attnum > 0 AND NOT a.attisdropped"
           " LEFT JOIN LATERAL ("
           "WITH RECURSIVE base (oid, below) AS ("
           "SELECT t.oid, t.typbasetype FROM pg_catalog.pg_type AS t WHERE t.oid = a.atttypid"
           " UNION ALL SELECT t.oid, t.typbasetype FROM base, pg_catalog.pg_type AS t"
           " WHERE t.oid = base.below)"
           " SELECT base.oid FROM base WHERE base.below = 0) AS b ON true ORDER BY want.place",
    .hash = UINT64_C(0xc09a0c0100000000),
    .param_count = 2,
    .column_count = 2,
    .params = (const pgc_type_ref[]) { { "relation", "text", 25 }, { "columns", "text[]", 1009 } },
    .columns = (const pgc_type_ref[]) { { "oid", "oid", 26 }, { "type", "text", 25 } },
};

static pgc_status compare(const pgc_copy *copy, pgc_result *result, pgc_error *err)
{
    pgc_reader reader;
    pgc_reader_init(&reader, result, &COLUMN_TYPES);
    for (size_t i = 0; i < copy->column_count && i < pgc_result_rows(result); i++) {
        const pgc_type_ref *want = &copy->columns[i];
        pgc_opt_u32 oid = pgc_read_opt_u32(&reader, i, 0);
        pgc_text type = pgc_read_opt_text(&reader, i, 1);
        if (want->oid != 0 ? oid.has && oid.v == want->oid
                           : type.ptr != NULL && typemap_same(type.ptr, want->type)) {
            continue;
        }
        TRY(pgc_reader_finish(&reader, err));
        pgc_status status =
            oid.has ? pgc_error_set(err, PGC_SCHEMA,
                                    "copy %s: column %s is %s in this database, expected %s",
                                    copy->name, want->name, type.ptr, want->type)
                    : pgc_error_set(err, PGC_SCHEMA, "copy %s: table %s has no column %s",
                                    copy->name, copy->table, want->name);
        pgc_error_hint(err, "the tables changed: migrate, or generate the code again");
        return status;
    }
    return pgc_reader_finish(&reader, err);
}

/* relation is the quoted name. */
pgc_status copy_check_table(pgc_conn *conn, const pgc_copy *copy, const char *relation,
                            pgc_error *err)
{
    pgc_text *names = mem_resize(conn->alloc, NULL, 0, copy->column_count * sizeof *names);
    if (names == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "copy %s", copy->name);
    }
    for (size_t i = 0; i < copy->column_count; i++) {
        names[i] = pgc_text_from(copy->columns[i].name);
    }
    pgc_args args;
    pgc_args_init(&args, conn->alloc);
    pgc_add_text(&args, pgc_text_from(relation));
    pgc_add_arr_text(&args,
                     (pgc_arr_text) { .has = true, .count = copy->column_count, .v = names });
    pgc_result *result = NULL;
    pgc_status status = conn_run(conn, &COLUMN_TYPES, &args, &result, err);
    pgc_args_done(&args);
    mem_free(conn->alloc, names, copy->column_count * sizeof *names);
    if (status == PGC_OK) {
        status = compare(copy, result, err);
    }
    pgc_result_free(result);
    return pgc_error_wrap(err, status, "copy %s", copy->name);
}

/* The query is described, not run; sql is that of the rows. */
pgc_status copy_check_rows(pgc_conn *conn, const pgc_copy *copy, const char *sql, pgc_error *err)
{
    pgc_query query = { .name = copy->name,
                        .column_count = copy->column_count,
                        .columns = copy->columns };
    exchange ex;
    exchange_begin(&ex, conn, conn->call_timeout_us, err);
    size_t prepared = exchange_prepare(&ex, "", sql, NULL, 0);
    size_t described = exchange_describe(&ex, "");
    (void) exchange_sync(&ex);
    pgc_status status = exchange_finish(&ex, false);
    if (status == PGC_OK) {
        status = exchange_status(&ex, prepared, copy->name, err);
    }
    if (status == PGC_OK) {
        status = exchange_status(&ex, described, copy->name, err);
    }
    if (status == PGC_OK) {
        status = shape_check_columns(conn, copy->query != NULL ? copy->query : &query,
                                     ex.steps[described].result, err);
    }
    exchange_done(&ex);
    return pgc_error_wrap(err, status, "copy %s", copy->name);
}
