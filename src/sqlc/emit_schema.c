/* PREFIX_schema_check(): the columns that the queries of a set rely on, for the runtime to compare
 * with the database. One thread per emitter. */
#include "base/prelude.h"

#include "sqlc/emit.h"

static void signature(emitter *e, const char *tail)
{
    buf_printf(&e->out, "pgc_status %s_schema_check(pgc_db *db, pgc_error *err)%s", e->set->prefix,
               tail);
}

/* How many columns there are to compare, as words. */
static void compared(emitter *e)
{
    size_t count = e->set->need_count;
    if (count == 0) {
        buf_add_str(&e->out, "Its queries name no\n * columns of tables: nothing is compared.\n");
        return;
    }
    if (count == 1) {
        buf_add_str(&e->out, "Compares the column that its\n * queries name");
    } else {
        buf_printf(&e->out, "Compares the %zu columns that its\n * queries name", count);
    }
    buf_add_str(&e->out,
                " with the server's catalogs, by one query: for the start of a service.\n");
}

void emit_schema_header(emitter *e)
{
    buf_add_str(&e->out, "/**\n * Is the database the one that this code was made for? ");
    compared(e);
    buf_add_str(&e->out,
                " *\n * @return PGC_OK; PGC_SCHEMA: err names tables and columns that differ; as "
                "pgc_db_run().\n */\n");
    signature(e, " PGC_MUST_CHECK;\n\n");
}

static void text(emitter *e, const char *value)
{
    emit_string(e, "", (slice) { value, strlen(value) });
}

/*     static const pgc_schema_column lib_schema_columns[] = {
 *         { "public", "books", "title", "text", true },
 *     }; */
void emit_schema_source(emitter *e)
{
    const ir_set *set = e->set;
    const char *columns = set->need_count == 0 ? "NULL" : "schema_columns";
    if (set->need_count > 0) {
        buf_add_str(&e->out, "static const pgc_schema_column schema_columns[] = {\n");
    }
    for (size_t i = 0; i < set->need_count; i++) {
        const ir_need *need = &set->needs[i];
        const char *parts[] = { need->schema, need->table, need->column, need->type };
        buf_add_str(&e->out, "    { ");
        for (size_t k = 0; k < ARRAY_LEN(parts); k++) {
            text(e, parts[k]);
            buf_add_str(&e->out, ", ");
        }
        buf_printf(&e->out, "%s },\n", need->not_null ? "true" : "false");
    }
    buf_add_str(&e->out, set->need_count > 0 ? "};\n\n" : "");
    signature(e, "\n{\n");
    buf_printf(&e->out, "    return pgc_schema_check(db, %s, %zu, err);\n}\n\n", columns,
               set->need_count);
}
