/* Reads and writes the revision table. Its shape is Atlas' to the letter: Atlas drops columns it
 * does not know, so nothing is ever added. Rows are sorted here, never by the server, because its
 * collation may order versions differently. One thread at a time. */
#include "base/prelude.h"

#include "migrate/migrate.h"

#include "base/buf.h"
#include "base/ident.h"
#include "pgc/auto.h"

#define TABLE  "@table@"
#define SCHEMA "@schema@"

enum { OID_INT8 = 20, OID_TEXT = 25, OID_TEXT_ARRAY = 1009, OID_TIMESTAMPTZ = 1184 };

/* The columns in the order of the table, as they are read and written: varchar travels as text, and
 * the JSON list of hashes as an array, so that no JSON is parsed or written here. */
static const pgc_type_ref FIELDS[] = {
    { "version", "text", OID_TEXT },                                /* primary key */
    { "description", "text", OID_TEXT },                            /* the rest of the file name */
    { "type", "bigint", OID_INT8 },                                 /* MIGRATE_TYPE_ bits */
    { "applied", "bigint", OID_INT8 },                              /* statements done */
    { "total", "bigint", OID_INT8 },                                /* statements in the file */
    { "executed_at", "timestamp with time zone", OID_TIMESTAMPTZ }, /* first write */
    { "execution_time", "bigint", OID_INT8 },                       /* nanoseconds */
    { "error", "text", OID_TEXT },                                  /* the server's words */
    { "error_stmt", "text", OID_TEXT },                             /* the statement that failed */
    { "hash", "text", OID_TEXT },                                   /* without "h1:" */
    { "partial_hashes", "text[]", OID_TEXT_ARRAY }, /* with "h1:"; only while partial */
    { "operator_version", "text", OID_TEXT },       /* who wrote the row */
};

static const pgc_type_ref NAME_PARAM[] = { { "name", "text", OID_TEXT } };
static const pgc_type_ref FOUND_COLUMN[] = { { "found", "boolean", 16 } };

static const pgc_query SCHEMA_EXISTS = {
    .name = "MigrateSchemaExists",
    .sql = "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)",
    .flags = PGC_QUERY_UNNAMED,
    .param_count = 1,
    .column_count = 1,
    .params = NAME_PARAM,
    .columns = FOUND_COLUMN,
};

static const pgc_query TABLE_EXISTS = {
    .name = "MigrateTableExists",
    .sql = "SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n "
           "ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = '" MIGRATE_TABLE
           "' AND c.relkind IN ('r', 'p'))",
    .flags = PGC_QUERY_UNNAMED,
    .param_count = 1,
    .column_count = 1,
    .params = NAME_PARAM,
    .columns = FOUND_COLUMN,
};

/* A JSON null, an SQL NULL and anything else that is no list read as "no hashes". */
#define READ_SQL                                                                             \
    "SELECT version::text, description::text, type, applied, total, executed_at, "           \
    "execution_time, coalesce(error, ''), coalesce(error_stmt, ''), hash::text, "            \
    "CASE WHEN jsonb_typeof(partial_hashes) = 'array' THEN ARRAY(SELECT e.hash FROM "        \
    "jsonb_array_elements_text(partial_hashes) WITH ORDINALITY AS e(hash, n) ORDER BY e.n) " \
    "END, operator_version::text FROM " TABLE
/* The first write of a version fixes description and time; later ones leave both alone. */
#define WRITE_SQL                                                                            \
    "INSERT INTO " TABLE " (version, description, type, applied, total, executed_at, "       \
    "execution_time, error, error_stmt, hash, partial_hashes, operator_version) "            \
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "                                      \
    "coalesce(to_jsonb($11::text[]), 'null'::jsonb), $12) "                                  \
    "ON CONFLICT (version) DO UPDATE SET type = EXCLUDED.type, applied = EXCLUDED.applied, " \
    "total = EXCLUDED.total, execution_time = EXCLUDED.execution_time, "                     \
    "error = EXCLUDED.error, error_stmt = EXCLUDED.error_stmt, hash = EXCLUDED.hash, "       \
    "partial_hashes = EXCLUDED.partial_hashes, operator_version = EXCLUDED.operator_version"
#define DELETE_SQL "DELETE FROM " TABLE " WHERE version = $1"
/* Exactly the types and defaults that Atlas makes: it alters and drops what differs. */
#define CREATE_SQL                                                                         \
    "CREATE TABLE " TABLE " (version character varying NOT NULL, "                         \
    "description character varying NOT NULL, type bigint NOT NULL DEFAULT 2, "             \
    "applied bigint NOT NULL DEFAULT 0, total bigint NOT NULL DEFAULT 0, "                 \
    "executed_at timestamp with time zone NOT NULL, execution_time bigint NOT NULL, "      \
    "error text, error_stmt text, hash character varying NOT NULL, partial_hashes jsonb, " \
    "operator_version character varying NOT NULL, PRIMARY KEY (version))"

struct migrate_store {
    pgc_conn *conn;
    const char *schema;
    const char *create_schema, *create_table;
    pgc_query read, write, remove; /* with the table's name in them */
};

/* The table's name is put into the four statements once; they live as long as the connection. */
pgc_status migrate_store_new(pgc_conn *conn, const char *schema, arena *mem, migrate_store **out,
                             pgc_error *err)
{
    if (schema[0] == '\0' || strlen(schema) > IDENT_MAX) {
        return pgc_error_set(err, PGC_INVALID,
                             "schema name \"%s\" of the revision table: use 1 to 63 bytes", schema);
    }
    migrate_store *store = ARENA_NEW(mem, migrate_store);
    const char *quoted = ident_quote(schema, mem);
    const char *table = quoted == NULL ? NULL : arena_printf(mem, "%s." MIGRATE_TABLE, quoted);
    if (store == NULL || table == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "prepare revision table");
    }
    store->conn = conn;
    store->schema = arena_strdup(mem, schema);
    store->create_schema = ident_fill("CREATE SCHEMA " SCHEMA, SCHEMA, quoted, mem);
    store->create_table = ident_fill(CREATE_SQL, TABLE, table, mem);
    store->read = (pgc_query) { .name = "MigrateReadRevisions",
                                .sql = ident_fill(READ_SQL, TABLE, table, mem),
                                .flags = PGC_QUERY_UNNAMED,
                                .column_count = ARRAY_LEN(FIELDS),
                                .columns = FIELDS };
    store->write = (pgc_query) { .name = "MigrateWriteRevision",
                                 .sql = ident_fill(WRITE_SQL, TABLE, table, mem),
                                 .flags = PGC_QUERY_UNNAMED,
                                 .param_count = ARRAY_LEN(FIELDS),
                                 .params = FIELDS };
    store->remove = (pgc_query) { .name = "MigrateDeleteRevision",
                                  .sql = ident_fill(DELETE_SQL, TABLE, table, mem),
                                  .flags = PGC_QUERY_UNNAMED,
                                  .param_count = 1,
                                  .params = NAME_PARAM };
    if (store->schema == NULL || store->create_schema == NULL || store->create_table == NULL ||
        store->read.sql == NULL || store->write.sql == NULL || store->remove.sql == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "prepare revision table");
    }
    *out = store;
    return PGC_OK;
}

const char *migrate_store_schema(const migrate_store *store)
{
    return store->schema;
}

/* Both questions take the schema's name and answer with one boolean. */
static pgc_status ask(migrate_store *store, const pgc_query *query, bool *out, pgc_error *err)
{
    AUTO(params_auto) pgc_args args;
    AUTO(rows_auto) pgc_result *result = NULL;
    pgc_reader reader;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(store->schema));
    TRY(pgc_db_run(pgc_conn_db(store->conn), query, &args, &result, err));
    pgc_reader_init(&reader, result, query);
    bool found = pgc_read_bool(&reader, 0, 0);
    TRY(pgc_reader_finish(&reader, err));
    *out = found;
    return PGC_OK;
}

pgc_status migrate_store_exists(migrate_store *store, bool *out, pgc_error *err)
{
    return ask(store, &TABLE_EXISTS, out, err);
}

/* Schema and table are looked for first, so that a role without the right to create can go on using
 * what exists. */
pgc_status migrate_store_create(migrate_store *store, pgc_error *err)
{
    bool exists = false;
    /* IF NOT EXISTS would ask for the privilege to create even when there is nothing to do. */
    TRY(ask(store, &SCHEMA_EXISTS, &exists, err));
    if (!exists) {
        pgc_status status = pgc_conn_script(store->conn, store->create_schema, 0, NULL, err);
        if (status != PGC_OK) {
            return pgc_error_wrap(err, status, "create schema \"%s\"", store->schema);
        }
    }
    TRY(ask(store, &TABLE_EXISTS, &exists, err));
    if (!exists) {
        pgc_status status = pgc_conn_script(store->conn, store->create_table, 0, NULL, err);
        if (status != PGC_OK) {
            return pgc_error_wrap(err, status, "create table \"%s\"." MIGRATE_TABLE, store->schema);
        }
    }
    return PGC_OK;
}

/* One row of the answer; texts are copied into mem. */
static pgc_status read_row(pgc_reader *reader, size_t row, arena *mem, migrate_revision *out,
                           pgc_error *err)
{
    out->version = arena_copy(mem, pgc_read_text(reader, row, 0));
    out->description = arena_copy(mem, pgc_read_text(reader, row, 1));
    out->type = pgc_read_i64(reader, row, 2);
    out->applied = pgc_read_i64(reader, row, 3);
    out->total = pgc_read_i64(reader, row, 4);
    out->executed_us = pgc_timestamptz_to_unix_us(pgc_read_timestamptz(reader, row, 5));
    out->execution_time_ns = pgc_read_i64(reader, row, 6);
    out->error = arena_copy(mem, pgc_read_text(reader, row, 7));
    out->error_stmt = arena_copy(mem, pgc_read_text(reader, row, 8));
    out->hash = arena_copy(mem, pgc_read_text(reader, row, 9));
    pgc_arr_text hashes = pgc_read_opt_arr_text(reader, row, 10);
    out->operator_version = arena_copy(mem, pgc_read_text(reader, row, 11));
    out->partial = ARENA_ARRAY(mem, hashes.count + 1, const char *);
    bool ok = out->version != NULL && out->description != NULL && out->error != NULL &&
              out->error_stmt != NULL && out->hash != NULL && out->operator_version != NULL &&
              out->partial != NULL;
    for (size_t i = 0; ok && i < hashes.count; i++) {
        out->partial[i] = arena_copy(mem, hashes.v[i]);
        ok = out->partial[i] != NULL;
    }
    out->partial_count = hashes.count;
    return ok ? PGC_OK : pgc_error_set(err, PGC_NOMEM, "read revisions");
}

/* Byte order: the server's collation may put "1_a" before "1.a". */
static int by_version(const void *a, const void *b)
{
    const migrate_revision *x = a;
    const migrate_revision *y = b;
    return strcmp(x->version, y->version);
}

/* A table that does not exist reads as empty. Rows of Atlas' own (version with a leading dot) are
 * skipped here, so no caller ever sees them. */
pgc_status migrate_store_read(migrate_store *store, arena *mem, migrate_revision **out,
                              size_t *out_count, pgc_error *err)
{
    assert(out != NULL);
    AUTO(rows_auto) pgc_result *result = NULL;
    bool exists = false;
    size_t count = 0;
    pgc_reader reader;
    *out_count = 0;
    TRY(migrate_store_exists(store, &exists, err));
    if (!exists) {
        return PGC_OK;
    }
    pgc_status status = pgc_db_run(pgc_conn_db(store->conn), &store->read, NULL, &result, err);
    if (status != PGC_OK) {
        return pgc_error_wrap(err, status, "read revisions");
    }
    migrate_revision *rows = ARENA_ARRAY(mem, pgc_result_rows(result) + 1, migrate_revision);
    if (rows == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "read revisions");
    }
    pgc_reader_init(&reader, result, &store->read);
    for (size_t i = 0; i < pgc_result_rows(result); i++) {
        TRY(read_row(&reader, i, mem, &rows[count], err));
        if (rows[count].version[0] != '.') { /* Atlas keeps facts of its own in such rows */
            count++;
        }
    }
    TRY(pgc_reader_finish(&reader, err));
    if (count > 1) {
        qsort(rows, count, sizeof *rows, by_version);
    }
    *out = rows;
    *out_count = count;
    return PGC_OK;
}

/* Copy of text that the server accepts: bytes that are no UTF-8 become "?". */
static void add_clean_text(buf *b, const char *text)
{
    slice all = pgc_text_from(text);
    if (slice_is_utf8(all)) {
        buf_add(b, all);
        return;
    }
    for (size_t i = 0; i < all.len; i++) {
        buf_add_char(b, (unsigned char) all.ptr[i] < 0x80 ? all.ptr[i] : '?');
    }
}

/* One statement for insert and update. "No hashes" is the JSON value null, as Atlas writes it, and
 * not SQL NULL. */
pgc_status migrate_store_write(migrate_store *store, const migrate_revision *row, pgc_error *err)
{
    assert(row->version[0] != '\0');
    assert(row->error != NULL);
    assert(row->error_stmt != NULL);
    AUTO(params_auto) pgc_args args;
    AUTO(buf_auto) buf error;
    AUTO(buf_auto) buf stmt;
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    pgc_args_init(&args, NULL);
    buf_init(&error, NULL, (size_t) 1 << 26);
    buf_init(&stmt, NULL, (size_t) 1 << 27);
    pgc_text *hashes = mem == NULL ? NULL : ARENA_ARRAY(mem, row->partial_count + 1, pgc_text);
    if (hashes == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "write revision");
    }
    for (size_t i = 0; i < row->partial_count; i++) {
        hashes[i] = pgc_text_from(row->partial[i]);
    }
    add_clean_text(&error, row->error);
    add_clean_text(&stmt, row->error_stmt);
    TRY(buf_finish(&error, err));
    TRY(buf_finish(&stmt, err));
    pgc_add_text(&args, pgc_text_from(row->version));
    pgc_add_text(&args, pgc_text_from(row->description));
    pgc_add_i64(&args, row->type);
    pgc_add_i64(&args, row->applied);
    pgc_add_i64(&args, row->total);
    pgc_add_timestamptz(&args, pgc_timestamptz_from_unix_us(row->executed_us));
    pgc_add_i64(&args, row->execution_time_ns);
    pgc_add_text(&args, buf_view(&error));
    pgc_add_text(&args, buf_view(&stmt));
    pgc_add_text(&args, pgc_text_from(row->hash));
    pgc_add_arr_text(
        &args,
        (pgc_arr_text) { .has = row->partial_count > 0, .count = row->partial_count, .v = hashes });
    pgc_add_text(&args, pgc_text_from(row->operator_version));
    pgc_status status = pgc_db_run(pgc_conn_db(store->conn), &store->write, &args, NULL, err);
    return pgc_error_wrap(err, status, "write revision");
}

pgc_status migrate_store_delete(migrate_store *store, const char *version, pgc_error *err)
{
    AUTO(params_auto) pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(version));
    pgc_status status = pgc_db_run(pgc_conn_db(store->conn), &store->remove, &args, NULL, err);
    return pgc_error_wrap(err, status, "delete revision \"%s\"", version);
}
