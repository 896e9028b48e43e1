/* Opens the connections of a run, finds the revision table and says whether a database is clean.
 * SQL here only reads catalogs. One thread at a time. */
#include "base/prelude.h"

#include "migrate/session.h"

#include "pgc/auto.h"

#define OID_BOOL 16
#define OID_INT8 20
#define OID_TEXT 25

static const pgc_type_ref TEXT_PARAM[] = { { "value", "text", OID_TEXT } };
static const pgc_type_ref TEXT_COLUMN[] = { { "result", "text", OID_TEXT } };
static const pgc_type_ref BOOL_COLUMN[] = { { "result", "boolean", OID_BOOL } };

/* Quoted by the server: the URL names one schema, not a list. */
static const pgc_query SET_PATH = {
    .name = "MigrateSetSearchPath",
    .sql = "SELECT pg_catalog.set_config('search_path', pg_catalog.quote_ident($1), false)",
    .flags = PGC_QUERY_UNNAMED,
    .param_count = 1,
    .column_count = 1,
    .params = TEXT_PARAM,
    .columns = TEXT_COLUMN,
};

static const pgc_query TABLE_IN_SCHEMA = {
    .name = "MigrateRevisionTableExists",
    .sql = "SELECT EXISTS (SELECT FROM pg_catalog.pg_class c "
           "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
           "WHERE n.nspname = $1 AND c.relname = '" MIGRATE_TABLE "' AND c.relkind IN ('r', 'p'))",
    .flags = PGC_QUERY_UNNAMED,
    .param_count = 1,
    .column_count = 1,
    .params = TEXT_PARAM,
    .columns = BOOL_COLUMN,
};

static const pgc_type_ref SCHEMA_COLUMNS[] = {
    { "schema", "text", OID_TEXT },
    { "tables", "bigint", OID_INT8 },    /* all tables */
    { "others", "bigint", OID_INT8 },    /* without the revision table */
    { "first_other", "text", OID_TEXT }, /* NULL when there is none */
};

/* Every schema that is not the server's or an extension's, with its tables (no partitions, none of
 * extensions) and those among them that are not the revision table of schema $1. */
static const pgc_query SCHEMAS = {
    .name = "MigrateListSchemas",
    .sql = "SELECT n.nspname::text, count(t.relname), count(t.relname) FILTER (WHERE t.other), "
           "min(t.relname) FILTER (WHERE t.other) "
           "FROM pg_catalog.pg_namespace n LEFT JOIN LATERAL ("
           "SELECT c.relname::text COLLATE \"C\" AS relname, "
           "NOT (c.relname = '" MIGRATE_TABLE "' AND n.nspname = $1) AS other "
           "FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p') "
           "AND NOT c.relispartition AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d "
           "WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid "
           "AND d.deptype = 'e')) t ON true "
           "WHERE n.nspname NOT IN ('information_schema', 'pg_catalog', 'pg_toast') "
           "AND n.nspname NOT LIKE 'pg\\_%temp\\_%' AND NOT EXISTS ("
           "SELECT FROM pg_catalog.pg_depend d WHERE d.objid = n.oid "
           "AND d.classid = 'pg_catalog.pg_namespace'::regclass AND d.deptype = 'e') "
           "GROUP BY n.nspname ORDER BY n.nspname::text COLLATE \"C\"",
    .flags = PGC_QUERY_UNNAMED,
    .param_count = 1,
    .column_count = 4,
    .params = TEXT_PARAM,
    .columns = SCHEMA_COLUMNS,
};

/* All queries of this file take one text. */
static pgc_status run_text(pgc_db *db, const pgc_query *query, const char *value, pgc_result **out,
                           pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(value));
    pgc_status status = pgc_db_run(db, query, &args, out, err);
    pgc_args_done(&args);
    return status;
}

/* Whether a schema (which may not exist) holds a revision table. */
static pgc_status table_in_schema(pgc_db *db, const char *schema, bool *out, pgc_error *err)
{
    AUTO(rows_auto) pgc_result *result = NULL;
    pgc_reader reader;
    TRY(run_text(db, &TABLE_IN_SCHEMA, schema, &result, err));
    pgc_reader_init(&reader, result, &TABLE_IN_SCHEMA);
    bool found = pgc_read_bool(&reader, 0, 0);
    TRY(pgc_reader_finish(&reader, err));
    *out = found;
    return PGC_OK;
}

/* Who kills a migrator wants its statement to end, too: else the next run waits until it is done,
 * and finds work that no row tells of. Set by a query, because poolers refuse it at login. */
static const pgc_setting SETTINGS[] = { { "client_connection_check_interval", "1s" } };

/* No deadline on statements: an index may take hours. The search_path of the URL is set by name, so
 * that capital letters and blanks in it survive. */
pgc_status migrate_connect(const migrate_options *options, const char *app_name, pgc_conn **out,
                           pgc_error *err)
{
    AUTO(arena_auto) arena *mem = arena_new(options->env->alloc, 0, 0);
    const char *conninfo = NULL;
    const char *path = NULL;
    if (mem == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "connect for migrations");
    }
    TRY(migrate_url_cut(options->url, mem, &conninfo, &path, err));
    pgc_conn_options settings = {
        .struct_size = sizeof settings,
        .conninfo = conninfo,
        .role = options->role,
        .app_name = app_name,
        .call_timeout_us = -1, /* migrations take the time they take */
        .alloc = options->env->alloc,
        .settings = SETTINGS,
        .setting_count = ARRAY_LEN(SETTINGS),
        .settings_late = true,
    };
    pgc_conn *conn = NULL;
    TRY(pgc_conn_open(&settings, &conn, err));
    pgc_status status = PGC_OK;
    if (path != NULL) {
        status = run_text(pgc_conn_db(conn), &SET_PATH, path, NULL, err);
    }
    if (status != PGC_OK) {
        pgc_conn_close(conn);
        return status;
    }
    *out = conn;
    return PGC_OK;
}

/* Two histories in one database: say so instead of choosing one. */
static pgc_status refuse_other_table(const migrate_session *s, const char *chosen,
                                     const char *other, pgc_error *err)
{
    pgc_db *db = pgc_conn_db(s->conn);
    assert(strcmp(chosen, other) != 0 || s->search_path != NULL);
    bool in_chosen = false;
    bool in_other = false;
    TRY(table_in_schema(db, chosen, &in_chosen, err));
    if (in_chosen) {
        return PGC_OK;
    }
    TRY(table_in_schema(db, other, &in_other, err));
    if (!in_other) {
        return PGC_OK;
    }
    (void) pgc_error_set(err, PGC_INVALID,
                         "ambiguous revision table: schema \"%s\" has none, but schema \"%s\" has",
                         chosen, other);
    pgc_error_hint(err,
                   "say which one counts: --revisions-schema %s to go on with the one there "
                   "is, --revisions-schema %s to start a new one",
                   other, chosen);
    return PGC_INVALID;
}

/* The flag, else the URL's schema, else the schema that Atlas makes for itself. */
static pgc_status choose_schema(const migrate_options *options, const migrate_session *s,
                                const char **schema, pgc_error *err)
{
    if (options->revisions_schema != NULL) {
        *schema = options->revisions_schema;
        return PGC_OK;
    }
    *schema = s->search_path != NULL ? s->search_path : MIGRATE_TABLE;
    return refuse_other_table(s, *schema, s->search_path != NULL ? MIGRATE_TABLE : "public", err);
}

/* The connection is closed again when the table's place cannot be decided. */
pgc_status migrate_session_open(const migrate_options *options, arena *mem, migrate_session *out,
                                pgc_error *err)
{
    migrate_session s = { .env = options->env, .mem = mem };
    const char *rest = NULL;
    const char *schema = NULL;
    if (options->url == NULL) {
        return pgc_error_set(err, PGC_INVALID, "no database URL");
    }
    TRY(migrate_url_cut(options->url, mem, &rest, &s.search_path, err));
    TRY(migrate_connect(options, "lumilio migrate", &s.conn, err));
    pgc_status status = choose_schema(options, &s, &schema, err);
    if (status == PGC_OK) {
        status = migrate_store_new(s.conn, schema, mem, &s.store, err);
    }
    if (status != PGC_OK) {
        pgc_conn_close(s.conn);
        return status;
    }
    *out = s;
    return PGC_OK;
}

void migrate_session_close(migrate_session *session)
{
    pgc_conn_close(session->conn);
    session->conn = NULL;
}

/* What makes one schema unclean, in Atlas' words; "" when it is clean. */
static const char *judge_schema(const migrate_session *s, const pgc_text *schema, int64_t tables,
                                int64_t others, const pgc_text *first)
{
    /* others: tables but the revision table; tables: all of them. */
    assert(others <= tables);
    bool revisions = slice_eq_str(*schema, migrate_store_schema(s->store));
    if (s->search_path != NULL) { /* only one schema is ours; the others are none of our business */
        if (!slice_eq_str(*schema, s->search_path) || others == 0) {
            return "";
        }
    } else if (tables == 0 && (revisions || slice_eq_str(*schema, "public"))) {
        return "";
    } else if (!revisions) {
        return arena_printf(s->mem, "found schema \"%" SLICE_FMT "\"", SLICE_ARG(*schema));
    } else if (others == 0) {
        return "";
    } else if (tables > 1) {
        return arena_printf(s->mem, "found %" PRId64 " tables in schema \"%" SLICE_FMT "\"", tables,
                            SLICE_ARG(*schema));
    }
    return arena_printf(s->mem, "found table \"%" SLICE_FMT "\" in schema \"%" SLICE_FMT "\"",
                        SLICE_ARG(*first), SLICE_ARG(*schema));
}

/* The first schema in byte order that is not clean gives the reason. Views, functions and types do
 * not count: only tables are at risk. */
pgc_status migrate_check_clean(migrate_session *session, const char **reason, pgc_error *err)
{
    AUTO(rows_auto) pgc_result *result = NULL;
    pgc_reader reader;
    const char *found = NULL;
    pgc_db *db = pgc_conn_db(session->conn);
    TRY(run_text(db, &SCHEMAS, migrate_store_schema(session->store), &result, err));
    pgc_reader_init(&reader, result, &SCHEMAS);
    for (size_t row = 0; found == NULL && row < pgc_result_rows(result); row++) {
        pgc_text schema = pgc_read_text(&reader, row, 0);
        int64_t tables = pgc_read_i64(&reader, row, 1);
        int64_t others = pgc_read_i64(&reader, row, 2);
        pgc_text first = pgc_read_opt_text(&reader, row, 3);
        const char *words = judge_schema(session, &schema, tables, others, &first);
        if (words == NULL) {
            return pgc_error_set(err, PGC_NOMEM, "check whether the database is clean");
        }
        found = words[0] != '\0' ? words : NULL;
    }
    TRY(pgc_reader_finish(&reader, err));
    *reason = found;
    return PGC_OK;
}
