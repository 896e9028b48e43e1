/* Read the catalog from a server: one statement per list, rows to structs.
 *
 * The statements are fixed texts and only read. Lists inside a row come as text: numbers parted by
 * blanks, names parted by the unit separator, which no sane identifier has. The connection must not
 * be in a transaction block: search_path is emptied for one statement's own transaction. One thread
 * per connection. */
#include "base/prelude.h"

#include "sqlc/catalog.h"

#include "base/buf.h"

/* Catalogs of hundreds of thousands of objects have been seen; they load in seconds. */
#define SCRIPT_TIMEOUT_US (60 * INT64_C(1000000))
#define NAME_SEPARATOR    '\x1f'

/* Comments and extensions are joined instead of asked for row by row, which takes half as long: an
 * object has one comment and belongs to one extension at most.
 *
 * System schemas are in: people do query pg_class. Their views come without definition. */
static const char SQL_SCHEMAS[] = "SELECT unnest(current_schemas(false))";

/* typsubscript tells true arrays from types with a fixed-size subscript such as point and name.
 * The order by OID is what the look-ups of the builder need while labels join their type. */
static const char SQL_TYPES[] =
    "SELECT t.oid, n.nspname, t.typname, format_type(t.oid, NULL),"
    "       k.description, e.extname,"
    "       t.typtype, CASE WHEN t.typsubscript = 'array_subscript_handler'::regproc"
    "                       THEN t.typelem ELSE 0 END,"
    "       t.typarray, t.typbasetype, t.typtypmod, t.typrelid, t.typnotnull,"
    "       t.typsend <> 0, t.typispreferred, t.typcategory,"
    "       coalesce((SELECT r.rngsubtype FROM pg_range r WHERE r.rngtypid = t.oid),"
    "                (SELECT r.rngtypid FROM pg_range r WHERE r.rngmultitypid = t.oid), 0)"
    "  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace"
    "  LEFT JOIN pg_description k"
    "    ON k.classoid = 'pg_type'::regclass AND k.objoid = t.oid AND k.objsubid = 0"
    "  LEFT JOIN (pg_depend m JOIN pg_extension e ON e.oid = m.refobjid)"
    "    ON m.classid = 'pg_type'::regclass AND m.objid = t.oid AND m.deptype = 'e'"
    "   AND m.refclassid = 'pg_extension'::regclass"
    " WHERE n.nspname !~ '^pg_(toast|temp)' ORDER BY t.oid";

/* enumsortorder is fractional for labels that were added later: only the order counts. */
static const char SQL_LABELS[] =
    "SELECT enumtypid, enumlabel FROM pg_enum ORDER BY enumtypid, enumsortorder";

/* tgtype bits: 1 row, 2 before, 4 insert, 16 update, 64 instead. A BEFORE INSERT trigger counts as
 * one of UPDATE: it fires when a row moves to another partition. Triggers of partitions and
 * children count for the parent too: the row may live there. A foreign table may have triggers
 * where it really is. */
static const char SQL_RELATIONS[] =
    "SELECT c.oid, n.nspname, c.relname, c.relkind, c.relrowsecurity,"
    "       EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN')"
    "       OR EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgtype & 64 <> 0),"
    "       EXISTS (WITH RECURSIVE tree(oid) AS ("
    "                 SELECT c.oid UNION SELECT i.inhrelid FROM pg_inherits i"
    "                   JOIN tree ON i.inhparent = tree.oid)"
    "               SELECT FROM tree JOIN pg_class k ON k.oid = tree.oid"
    "                 LEFT JOIN pg_trigger t ON t.tgrelid = k.oid AND NOT t.tgisinternal"
    "                WHERE k.relkind = 'f' OR t.tgtype & 3 = 3 AND t.tgtype & 20 <> 0),"
    "       c.reltype, k.description"
    "  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    "  LEFT JOIN pg_description k"
    "    ON k.classoid = 'pg_class'::regclass AND k.objoid = c.oid AND k.objsubid = 0"
    " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c', 'S')"
    "   AND n.nspname !~ '^pg_(toast|temp)' ORDER BY c.oid";

/* attnotnull counts only where the server enforces it: not on foreign tables, and not on a parent
 * with a child that dropped it, nor when the constraint is not validated (PostgreSQL 18). */
static const char SQL_COLUMNS[] =
    "SELECT a.attrelid, a.attname, a.attnum, a.atttypid, a.atttypmod,"
    "       a.attnotnull AND c.relkind IN ('r', 'p', 'S')"
    "       AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid"
    "             AND k.contype = 'n' AND k.conkey = ARRAY[a.attnum] AND NOT k.convalidated)"
    "       AND (NOT c.relhassubclass OR NOT EXISTS ("
    "             WITH RECURSIVE tree(oid) AS ("
    "               SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = c.oid"
    "               UNION SELECT i.inhrelid FROM pg_inherits i JOIN tree ON i.inhparent = tree.oid)"
    "             SELECT FROM tree JOIN pg_class k ON k.oid = tree.oid"
    "               LEFT JOIN pg_attribute b ON b.attrelid = k.oid AND b.attname = a.attname"
    "              WHERE k.relkind = 'f' OR b.attnotnull IS NOT TRUE)),"
    "       t.typtype = 'd' AND t.typnotnull,"
    "       a.atthasdef AND a.attgenerated = '' OR a.attidentity <> '', a.attidentity <> '',"
    "       a.attgenerated <> '', k.description"
    "  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
    "  JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid"
    "  LEFT JOIN pg_description k ON k.classoid = 'pg_class'::regclass"
    "   AND k.objoid = a.attrelid AND k.objsubid = a.attnum"
    " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c', 'S') AND a.attnum > 0"
    "   AND NOT a.attisdropped AND n.nspname !~ '^pg_(toast|temp)'"
    " ORDER BY a.attrelid, a.attnum";

/* With an empty search path the server qualifies every name. The materialised CTE makes sure
 * that the setting is made before the first definition is asked for; it ends with the statement. */
static const char SQL_VIEWS[] =
    "WITH s AS MATERIALIZED (SELECT set_config('search_path', '', true))"
    "SELECT c.oid, pg_get_viewdef(c.oid) FROM s, pg_class c"
    "  JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
    "   AND n.nspname !~ '^pg_(toast|temp)' ORDER BY c.oid";

/* Overloads of all schemas, also those that the search path hides: a qualified call may mean
 * them. */
static const char SQL_FUNCTIONS[] =
    "SELECT p.oid, n.nspname, p.proname,"
    "       e.extname,"
    "       p.prokind, p.proisstrict, p.proretset, p.prorettype, p.proargtypes::text,"
    "       p.pronargdefaults, p.provariadic, array_to_string(p.proallargtypes, ' '),"
    "       array_to_string(p.proargmodes, ''), array_to_string(p.proargnames, E'\\x1f', '')"
    "  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
    "  LEFT JOIN (pg_depend m JOIN pg_extension e ON e.oid = m.refobjid)"
    "    ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid AND m.deptype = 'e'"
    "   AND m.refclassid = 'pg_extension'::regclass"
    " ORDER BY p.oid";

/* A shell operator has no function yet; it counts as not strict. */
static const char SQL_OPERATORS[] =
    "SELECT o.oid, n.nspname, o.oprname,"
    "       e.extname,"
    "       o.oprleft, o.oprright, o.oprresult, coalesce(p.proisstrict, false)"
    "  FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace"
    "  LEFT JOIN pg_proc p ON p.oid = o.oprcode"
    "  LEFT JOIN (pg_depend m JOIN pg_extension e ON e.oid = m.refobjid)"
    "    ON m.classid = 'pg_operator'::regclass AND m.objid = o.oid AND m.deptype = 'e'"
    "   AND m.refclassid = 'pg_extension'::regclass"
    " ORDER BY o.oid";

/* castmethod 'f' runs a function, which may be the user's; binary casts and casts by text cannot
 * make a NULL out of a value. */
static const char SQL_CASTS[] =
    "SELECT c.oid, c.castsource, c.casttarget, c.castcontext = 'i', c.castmethod = 'f',"
    "       coalesce(p.proisstrict, true),"
    "       e.extname"
    "  FROM pg_cast c LEFT JOIN pg_proc p ON p.oid = c.castfunc"
    "  LEFT JOIN (pg_depend m JOIN pg_extension e ON e.oid = m.refobjid)"
    "    ON m.classid = 'pg_cast'::regclass AND m.objid = c.oid AND m.deptype = 'e'"
    "   AND m.refclassid = 'pg_extension'::regclass"
    " ORDER BY c.oid";

/* One answer being read. */
typedef struct loader {
    pgc_conn *conn;
    arena *mem;
    catalog *cat;
    pgc_result *rows;
    pgc_reader reader;
    bool failed; /* memory is gone */
    bool odd;    /* a cell is not what the statement asks for */
} loader;

/* Copies one row into the catalog. Failures are noted in the loader, not returned. */
typedef void take_row(loader *l, size_t row);

/* NULL stays NULL; a copy, because the answer is freed before the catalog is used. */
static const char *text_at(loader *l, size_t row, size_t column)
{
    slice cell = pgc_read_opt_text(&l->reader, row, column);
    if (cell.ptr == NULL) {
        return NULL;
    }
    const char *copy = arena_copy(l->mem, cell);
    l->failed = l->failed || copy == NULL;
    return copy;
}

/* A name: never NULL. */
static const char *name_at(loader *l, size_t row, size_t column)
{
    const char *text = text_at(l, row, column);
    l->odd = l->odd || (text == NULL && !l->failed);
    return text != NULL ? text : "";
}

/* The server wrote these numbers; one that is no number means that a statement of ours is wrong.
 * Numbers outside the range and texts mark the answer as odd, which ends the load with an error
 * instead of a wrong catalog. */
static int64_t number_in(loader *l, slice text)
{
    int64_t number = 0;
    l->odd = l->odd || !slice_to_i64(text, &number);
    return number;
}

static int64_t number_at(loader *l, size_t row, size_t column)
{
    return number_in(l, pgc_read_opt_text(&l->reader, row, column));
}

/* OIDs are unsigned in SQL and fit without loss. */
static uint32_t oid_at(loader *l, size_t row, size_t column)
{
    return (uint32_t) number_at(l, row, column);
}

/* The script protocol sends texts: 't' or 'f'; NULL counts as false. */
static bool bool_at(loader *l, size_t row, size_t column)
{
    return slice_eq_str(pgc_read_opt_text(&l->reader, row, column), "t");
}

/* The server's "char" columns; NUL when NULL or empty. */
static char char_at(loader *l, size_t row, size_t column)
{
    slice cell = pgc_read_opt_text(&l->reader, row, column);
    return cell.len > 0 ? cell.ptr[0] : '\0';
}

/* Parts of a list, 0 for the empty text; an empty name between two separators counts. */
static size_t count_parts(slice text, char separator)
{
    size_t count = text.len > 0 ? 1 : 0;
    for (size_t i = 0; i < text.len; i++) {
        count += text.ptr[i] == separator ? 1 : 0;
    }
    return count;
}

/* "23 25": oidvector and array_to_string() agree on blanks. One spare element, so that an empty
 * list has an address. */
static uint32_t *oids_at(loader *l, size_t row, size_t column, size_t *count)
{
    slice text = pgc_read_opt_text(&l->reader, row, column);
    *count = count_parts(text, ' ');
    uint32_t *oids = arena_array(l->mem, *count + 1, sizeof *oids);
    l->failed = l->failed || oids == NULL;
    for (size_t i = 0; i < *count && oids != NULL; i++) {
        oids[i] = (uint32_t) number_in(l, slice_next(&text, ' '));
    }
    return oids;
}

/* Empty names keep their place: an argument without a name is still an argument. Names may be
 * empty: unnamed arguments of a function that names others.
 *
 *     "a", separator, "", separator, "c"   three names, the second one empty */
static const char **names_at(loader *l, size_t row, size_t column, size_t *count)
{
    slice text = pgc_read_opt_text(&l->reader, row, column);
    *count = count_parts(text, NAME_SEPARATOR);
    const char **names = arena_array(l->mem, *count + 1, sizeof *names);
    l->failed = l->failed || names == NULL;
    for (size_t i = 0; i < *count && names != NULL; i++) {
        names[i] = arena_copy(l->mem, slice_next(&text, NAME_SEPARATOR));
        l->failed = l->failed || names[i] == NULL;
    }
    return names;
}

/* In the order of the path; "$user" without such a schema is already left out. */
static void take_schema(loader *l, size_t row)
{
    catalog_add_schema(l->cat, name_at(l, row, 0));
}

static void take_type(loader *l, size_t row)
{
    const catalog_type type = {
        .oid = oid_at(l, row, 0),
        .schema = name_at(l, row, 1),
        .name = name_at(l, row, 2),
        .spelling = name_at(l, row, 3),
        .comment = text_at(l, row, 4),
        .extension = text_at(l, row, 5),
        .kind = (catalog_type_kind) char_at(l, row, 6),
        .element_oid = oid_at(l, row, 7),
        .array_oid = oid_at(l, row, 8),
        .base_oid = oid_at(l, row, 9),
        .base_typmod = (int32_t) number_at(l, row, 10),
        .relation_oid = oid_at(l, row, 11),
        .not_null = bool_at(l, row, 12),
        .has_send = bool_at(l, row, 13),
        .preferred = bool_at(l, row, 14),
        .category = char_at(l, row, 15),
        .subtype_oid = oid_at(l, row, 16),
    };
    catalog_add_type(l->cat, &type);
}

/* Rows come in the order of the labels. An enum of a schema that was left out has no entry; the
 * builder passes over it. */
static void take_label(loader *l, size_t row)
{
    catalog_add_label(l->cat, oid_at(l, row, 0), name_at(l, row, 1));
}

static void take_relation(loader *l, size_t row)
{
    const catalog_relation relation = {
        .oid = oid_at(l, row, 0),
        .schema = name_at(l, row, 1),
        .name = name_at(l, row, 2),
        .kind = char_at(l, row, 3),
        .has_policies = bool_at(l, row, 4),
        .has_rules = bool_at(l, row, 5),
        .has_update_trigger = bool_at(l, row, 6),
        .type_oid = oid_at(l, row, 7),
        .comment = text_at(l, row, 8),
    };
    catalog_add_relation(l->cat, &relation);
}

/* Rows come by relation and attribute number, dropped columns are left out. */
static void take_column(loader *l, size_t row)
{
    const catalog_column column = {
        .name = name_at(l, row, 1),
        .attnum = (int16_t) number_at(l, row, 2),
        .type_oid = oid_at(l, row, 3),
        .typmod = (int32_t) number_at(l, row, 4),
        .not_null = bool_at(l, row, 5),
        .domain_not_null = bool_at(l, row, 6),
        .has_default = bool_at(l, row, 7),
        .identity = bool_at(l, row, 8),
        .generated = bool_at(l, row, 9),
        .comment = text_at(l, row, 10),
    };
    catalog_add_column(l->cat, oid_at(l, row, 0), &column);
}

static void take_view(loader *l, size_t row)
{
    catalog_set_view(l->cat, oid_at(l, row, 0), name_at(l, row, 1));
}

/* Columns that come back: OUT, INOUT and TABLE, named by proargnames. Modes: i in, o out, b
 * both, v variadic, t table column.
 *
 *     f(IN a int, OUT b int, INOUT c text)   modes "iob"   columns b and c */
static void take_out_columns(loader *l, size_t row, catalog_function *f, const char **names,
                             size_t name_count)
{
    slice modes = pgc_read_opt_text(&l->reader, row, 12);
    size_t all_count = 0, out = 0;
    const uint32_t *all = oids_at(l, row, 11, &all_count);
    const char **out_names = arena_array(l->mem, modes.len + 1, sizeof *out_names);
    uint32_t *out_oids = arena_array(l->mem, modes.len + 1, sizeof *out_oids);
    if (all == NULL || out_names == NULL || out_oids == NULL) {
        l->failed = true;
        return;
    }
    for (size_t i = 0; i < modes.len && i < all_count; i++) {
        if (modes.ptr[i] == 'o' || modes.ptr[i] == 'b' || modes.ptr[i] == 't') {
            out_names[out] = i < name_count ? names[i] : "";
            out_oids[out++] = all[i];
        }
    }
    f->out_count = out;
    f->out_names = out_names;
    f->out_oids = out_oids;
}

/* proargnames counts all parameters; we want those of the input arguments.
 *
 *     f(IN a int, OUT b int, INOUT c text)   modes "iob"   arguments a and c */
static void take_arg_names(loader *l, size_t row, catalog_function *f, const char **names,
                           size_t name_count)
{
    slice modes = pgc_read_opt_text(&l->reader, row, 12);
    const char **args = arena_array(l->mem, f->arg_count + 1, sizeof *args);
    size_t arg = 0;
    if (args == NULL) {
        l->failed = true;
        return;
    }
    for (size_t i = 0; i < name_count && arg < f->arg_count; i++) {
        bool in = modes.len == 0 || (i < modes.len && strchr("ibv", modes.ptr[i]) != NULL);
        if (in) {
            args[arg++] = names[i];
        }
    }
    f->arg_names = args;
}

/* The names of all parameters are read first: outputs and inputs share one array. proargtypes
 * holds the input arguments only; proallargtypes is NULL when there are no others. */
static void take_function(loader *l, size_t row)
{
    size_t name_count = 0;
    const char **names = names_at(l, row, 13, &name_count);
    catalog_function f = {
        .oid = oid_at(l, row, 0),
        .schema = name_at(l, row, 1),
        .name = name_at(l, row, 2),
        .extension = text_at(l, row, 3),
        .kind = char_at(l, row, 4),
        .strict = bool_at(l, row, 5),
        .returns_set = bool_at(l, row, 6),
        .result_oid = oid_at(l, row, 7),
        .default_count = (size_t) number_at(l, row, 9),
        .variadic_oid = oid_at(l, row, 10),
    };
    f.arg_oids = oids_at(l, row, 8, &f.arg_count);
    if (names == NULL) {
        return;
    }
    if (!pgc_read_is_null(&l->reader, row, 12)) {
        take_out_columns(l, row, &f, names, name_count);
    }
    if (name_count > 0) {
        take_arg_names(l, row, &f, names, name_count);
    }
    catalog_add_function(l->cat, &f);
}

static void take_operator(loader *l, size_t row)
{
    const catalog_operator op = {
        .oid = oid_at(l, row, 0),
        .schema = name_at(l, row, 1),
        .name = name_at(l, row, 2),
        .extension = text_at(l, row, 3),
        .left_oid = oid_at(l, row, 4),
        .right_oid = oid_at(l, row, 5),
        .result_oid = oid_at(l, row, 6),
        .strict = bool_at(l, row, 7),
    };
    catalog_add_operator(l->cat, &op);
}

static void take_cast(loader *l, size_t row)
{
    const catalog_cast cast = {
        .oid = oid_at(l, row, 0),
        .source_oid = oid_at(l, row, 1),
        .target_oid = oid_at(l, row, 2),
        .implicit = bool_at(l, row, 3),
        .with_function = bool_at(l, row, 4),
        .strict = bool_at(l, row, 5),
        .extension = text_at(l, row, 6),
    };
    catalog_add_cast(l->cat, &cast);
}

/* One odd row ends the list: half a catalog would make wrong claims. One statement at a time is
 * held in memory; its rows are freed before the next one runs. */
static pgc_status load_list(loader *l, const char *sql, size_t columns, take_row *take,
                            pgc_error *err)
{
    assert(l->rows == NULL && columns > 0);
    TRY(pgc_conn_script(l->conn, sql, SCRIPT_TIMEOUT_US, &l->rows, err));
    pgc_status status = PGC_OK;
    if (pgc_result_columns(l->rows) != columns) {
        status = pgc_error_set(err, PGC_PROTOCOL, "%zu columns came, want %zu",
                               pgc_result_columns(l->rows), columns);
    }
    pgc_reader_init(&l->reader, l->rows, NULL);
    for (size_t row = 0; status == PGC_OK && row < pgc_result_rows(l->rows); row++) {
        take(l, row);
        if (l->failed || l->odd) {
            status = l->failed ? pgc_error_set(err, PGC_NOMEM, "row %zu", row)
                               : pgc_error_set(err, PGC_PROTOCOL, "row %zu is odd", row);
        }
    }
    if (status == PGC_OK) {
        status = pgc_reader_finish(&l->reader, err);
    }
    pgc_result_free(TAKE(l->rows));
    return status;
}

pgc_status catalog_load(pgc_conn *conn, arena *mem, catalog **out, pgc_error *err)
{
    /* In this order: labels, columns and definitions join what is already there. */
    static const struct {
        const char *what, *sql;
        size_t columns;
        take_row *take;
    } lists[] = {
        { "search path", SQL_SCHEMAS, 1, take_schema },
        { "types", SQL_TYPES, 17, take_type },
        { "enum labels", SQL_LABELS, 2, take_label },
        { "relations", SQL_RELATIONS, 9, take_relation },
        { "columns", SQL_COLUMNS, 11, take_column },
        { "view definitions", SQL_VIEWS, 2, take_view },
        { "functions", SQL_FUNCTIONS, 14, take_function },
        { "operators", SQL_OPERATORS, 8, take_operator },
        { "casts", SQL_CASTS, 7, take_cast },
    };
    assert(conn != NULL && mem != NULL && out != NULL);
    loader l = { .conn = conn, .mem = mem, .cat = catalog_new(mem) };
    if (l.cat == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "read the catalog");
    }
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        pgc_status status = load_list(&l, lists[i].sql, lists[i].columns, lists[i].take, err);
        if (status != PGC_OK) {
            return pgc_error_wrap(err, status, "read the catalog: %s", lists[i].what);
        }
    }
    TRY(catalog_finish(l.cat, err));
    *out = l.cat;
    return PGC_OK;
}
