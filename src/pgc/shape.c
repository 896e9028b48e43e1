/* Compares what the server describes with what was compiled in: built-in types by OID, others by
 * name, because their OIDs differ between databases. One thread per connection. */
#include "base/prelude.h"

#include "pgc/shape.h"

#include "pgc/exchange.h"
#include "pgc/wire.h"

typedef Oid (*oid_getter)(const PGresult *answer, int index);

static const pgc_query TYPE_NAMES = {
    .name = "type names",
    .sql = "SELECT oid, pg_catalog.format_type(oid, NULL)::pg_catalog.text"
           " FROM pg_catalog.pg_type WHERE oid = ANY ($1::pg_catalog.oid[])",
    .flags = PGC_QUERY_UNNAMED,
    .param_count = 1,
};

#define OID_INT4_ARRAY 1007

/* Names are cut at 255 bytes, which are two identifiers with quotes and more. */
static pgc_status store_names(pgc_conn *conn, const PGresult *answer, pgc_error *err)
{
    const pq_ops *pq = conn->pq;
    int rows = pq->ntuples(answer);
    for (int row = 0; row < rows; row++) {
        char name[256];
        int len = pq->getlength(answer, row, 1);
        (void) snprintf(name, sizeof name, "%.*s", len, pq->getvalue(answer, row, 1));
        if (pq->getlength(answer, row, 0) != 4) {
            return pgc_error_set(err, PGC_PROTOCOL, "type names: oid of %d bytes",
                                 pq->getlength(answer, row, 0));
        }
        uint32_t oid = wire_u32((const uint8_t *) pq->getvalue(answer, row, 0));
        if (!typemap_add(&conn->types, oid, name)) {
            return pgc_error_set(err, PGC_NOMEM, "type names");
        }
    }
    return PGC_OK;
}

/* One round trip for all unknown types of a query; the answers stay for the connection's life. */
static pgc_status ask_names(pgc_conn *conn, pgc_arr_i32 oids, pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, conn->alloc);
    pgc_add_arr_i32(&args, oids);
    if (args.status != PGC_OK) {
        pgc_args_done(&args);
        return pgc_error_set(err, PGC_NOMEM, "type names");
    }
    const Oid type = OID_INT4_ARRAY;
    const query_params params = {
        .count = 1, .types = &type, .values = args.values, .lengths = args.lengths
    };
    exchange ex;
    exchange_begin(&ex, conn, conn->call_timeout_us, err);
    size_t at = exchange_text(&ex, TYPE_NAMES.sql, &params);
    (void) exchange_sync(&ex);
    pgc_status status = exchange_finish(&ex, false);
    if (status == PGC_OK) {
        status = exchange_status(&ex, at, TYPE_NAMES.name, err);
    }
    if (status == PGC_OK) {
        status = store_names(conn, ex.steps[at].result, err);
    }
    exchange_done(&ex);
    pgc_args_done(&args);
    return status;
}

/* True when the descriptor's OID settles the matter without a name. */
static bool known_equal(const pgc_type_ref *want, uint32_t oid)
{
    return want->oid != 0 && want->oid == oid;
}

#define ASK_MAX 64u

/* Learn the names of all types of the answer that the descriptor knows by name only. */
static pgc_status learn_names(pgc_conn *conn, const pgc_type_ref *refs, size_t count,
                              const PGresult *answer, oid_getter oid_of, pgc_error *err)
{
    int32_t unknown[ASK_MAX];
    size_t unknown_count = 0;
    for (size_t i = 0; i < count && unknown_count < ASK_MAX; i++) {
        uint32_t oid = oid_of(answer, (int) i);
        if (!known_equal(&refs[i], oid) && typemap_name(&conn->types, oid) == NULL) {
            unknown[unknown_count++] = (int32_t) oid;
        }
    }
    return unknown_count == 0
               ? PGC_OK
               : ask_names(conn,
                           (pgc_arr_i32) { .has = true, .count = unknown_count, .v = unknown },
                           err);
}

/* Both sides by name: a person has to understand it. */
static pgc_status mismatch(const pgc_query *query, const char *kind, size_t index,
                           const pgc_type_ref *want, const char *got, pgc_error *err)
{
    pgc_status status = pgc_error_set(
        err, PGC_SCHEMA, "query %s: %s %zu (%s) is %s in this database, expected %s", query->name,
        kind, index + 1, want->name == NULL ? "" : want->name, got, want->type);
    pgc_error_hint(err, "the tables changed: migrate, or generate the queries again");
    return status;
}

typedef struct expected {
    const char *kind; /* "column" or "parameter" */
    const pgc_type_ref *refs;
    size_t count;
    oid_getter oid_of;
} expected;

/* By OID where the descriptor knows it; by name for types whose OID differs between databases. */
static pgc_status check(pgc_conn *conn, const pgc_query *query, const expected *of,
                        const PGresult *answer, pgc_error *err)
{
    TRY(learn_names(conn, of->refs, of->count, answer, of->oid_of, err));
    for (size_t i = 0; i < of->count; i++) {
        const pgc_type_ref *want = &of->refs[i];
        uint32_t oid = of->oid_of(answer, (int) i);
        const char *name = typemap_name(&conn->types, oid);
        if (known_equal(want, oid) ||
            (want->oid == 0 && name != NULL && typemap_same(name, want->type))) {
            continue;
        }
        return mismatch(query, of->kind, i, want, name == NULL ? "of unknown type" : name, err);
    }
    return PGC_OK;
}

/* Descriptors without columns are not checked: statements without rows, and those written by
 * hand for text. */
pgc_status shape_check_columns(pgc_conn *conn, const pgc_query *query, const PGresult *answer,
                               pgc_error *err)
{
    if (query->column_count == 0) {
        return PGC_OK;
    }
    int columns = conn->pq->nfields(answer);
    if (columns != query->column_count) {
        pgc_status status =
            pgc_error_set(err, PGC_SCHEMA, "query %s: %d columns in this database, expected %u",
                          query->name, columns, query->column_count);
        pgc_error_hint(err, "the tables changed: migrate, or generate the queries again");
        return status;
    }
    const expected of = { "column", query->columns, query->column_count, conn->pq->ftype };
    return check(conn, query, &of, answer, err);
}

/* Only for queries with parameters of extension types: built-in types were given to the server,
 * which then cannot choose others. */
pgc_status shape_check_params(pgc_conn *conn, const pgc_query *query, const PGresult *answer,
                              pgc_error *err)
{
    if (conn->pq->nparams(answer) != query->param_count) {
        return pgc_error_set(err, PGC_SCHEMA, "query %s: %d parameters on the server, expected %u",
                             query->name, conn->pq->nparams(answer), query->param_count);
    }
    const expected of = { "parameter", query->params, query->param_count, conn->pq->paramtype };
    return check(conn, query, &of, answer, err);
}
