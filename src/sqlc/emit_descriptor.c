/* Descriptors: constant data with static storage, because the runtime's caches key on their
 * addresses. One thread per emitter. */
#include "base/prelude.h"

#include "sqlc/emit_query.h"

/* Names come from the user's SQL and so are escaped like all text. Names serve the messages of
 * the runtime; types of the user have OID 0 and are compared by name. */
void emit_type_ref(emitter *e, const char *name, const ir_type *type)
{
    buf_add_str(&e->out, "    { ");
    emit_string(e, "", (slice) { name, strlen(name) });
    buf_add_str(&e->out, ", ");
    emit_string(e, "", (slice) { type->sql, strlen(type->sql) });
    buf_printf(&e->out, ", %" PRIu32 " },\n", type->oid);
}

/* The runtime compares these with what the server describes. which: indexes in q->params.
 *
 *     static const pgc_type_ref get_author_query_params[] = {
 *         { "author_id", "bigint", 20 },
 *     }; */
static void param_table(emitter *e, const ir_query *q, const char *suffix, const size_t *which,
                        size_t count)
{
    if (count == 0) {
        return;
    }
    buf_printf(&e->out, "static const pgc_type_ref %s_query_params%s[] = {\n", q->c_name, suffix);
    for (size_t i = 0; i < count; i++) {
        const ir_param *param = &q->params[which == NULL ? i : which[i]];
        const ir_type array = { .sql = param->array_sql, .oid = param->array_oid };
        emit_type_ref(e, param->sql_name, q->bulk_sql != NULL ? &array : &param->type);
    }
    buf_add_str(&e->out, "};\n\n");
}

static void column_table(emitter *e, const ir_query *q)
{
    size_t columns = emit_column_count(q);
    if (columns == 0) {
        return;
    }
    buf_printf(&e->out, "static const pgc_type_ref %s_query_columns[] = {\n", q->c_name);
    for (size_t i = 0; i < columns; i++) {
        emit_type_ref(e, q->columns[i].sql_name, &q->columns[i].type);
    }
    buf_add_str(&e->out, "};\n\n");
}

/* Escapes included it stays below the portable limit of a literal, 4095 characters (C11 5.2.4.1).
 */
static bool is_long(slice sql)
{
    return sql.len > 3500;
}

/* Text too long for a portable literal: an array of characters. */
static void long_sql(emitter *e, const ir_query *q, const char *suffix, slice sql)
{
    if (!is_long(sql)) {
        return;
    }
    buf_printf(&e->out, "static const char %s_query_sql%s[] = {", q->c_name, suffix);
    for (size_t i = 0; i < sql.len; i++) {
        char c = sql.ptr[i];
        bool plain = c >= ' ' && c < 0x7F && c != '\'' && c != '\\';
        buf_add_str(&e->out, i % 16 == 0 ? "\n    " : " ");
        if (plain) {
            buf_printf(&e->out, "'%c',", c);
        } else {
            buf_printf(&e->out, "'\\%03o',", (unsigned) (unsigned char) c);
        }
    }
    buf_add_str(&e->out, "\n    '\\0',\n};\n\n");
}

/* Lets the runtime allocate rows and result in one block. 0 when no row comes. */
static void row_size(emitter *e, const ir_query *q)
{
    const char *type = "0";
    if (q->row == NULL) {
        buf_add_str(&e->out, "0");
        return;
    }
    type = q->row->kind == IR_ROW_SCALAR
               ? emit_type(e, &q->row->fields[0].type, q->row->fields[0].nullable)
               : q->row->name;
    buf_printf(&e->out, "sizeof(%s)", type == NULL ? "" : type);
}

size_t emit_column_count(const ir_query *q)
{
    return q->row == NULL ? 0 : q->column_count;
}

/* A query is not both unnamed and generic. */
static const char *flags(const ir_query *q)
{
    static const char *const WORDS[][2] = {
        { "0", "PGC_QUERY_READ_ONLY" },
        { "PGC_QUERY_UNNAMED", "PGC_QUERY_UNNAMED | PGC_QUERY_READ_ONLY" },
        { "PGC_QUERY_GENERIC", "PGC_QUERY_READ_ONLY | PGC_QUERY_GENERIC" },
    };
    assert(!q->unnamed || !q->generic);
    return WORDS[q->unnamed ? 1 : (q->generic ? 2 : 0)][q->read_only ? 1 : 0];
}

/* The members of one descriptor, each on a line behind `indent`. The hash names the prepared
 * statement. */
static void members(emitter *e, const ir_query *q, const ir_variant *v, const char *suffix)
{
    const char *indent = q->choice_count > 0 ? "        " : "    ";
    size_t columns = emit_column_count(q);
    buf_printf(&e->out, "%s\"%s\",\n", indent, q->name);
    if (is_long(v->sql)) {
        buf_printf(&e->out, "%s%s_query_sql%s", indent, q->c_name, suffix);
    } else {
        emit_string(e, indent, v->sql);
    }
    buf_printf(&e->out, ",\n%sUINT64_C(0x%016" PRIx64 "),\n%s%s,\n%s%zu,\n%s%zu,\n", indent,
               v->hash, indent, flags(q), indent, v->param_count, indent, columns);
    if (v->param_count > 0) {
        buf_printf(&e->out, "%s%s_query_params%s,\n", indent, q->c_name, suffix);
    } else {
        buf_printf(&e->out, "%sNULL,\n", indent);
    }
    if (columns > 0) {
        buf_printf(&e->out, "%s%s_query_columns,\n%s", indent, q->c_name, indent);
    } else {
        buf_printf(&e->out, "%sNULL,\n%s", indent, indent);
    }
    row_size(e, q);
    buf_add_str(&e->out, ",\n");
}

/* Suffix of what belongs to one variant: "_3". */
static const char *variant_suffix(emitter *e, size_t variant)
{
    return emit_made(e, arena_printf(e->arena, "_%zu", variant));
}

/* All texts of a query with dynamic parts, by number: an array of descriptors. */
static void variant_descriptors(emitter *e, const ir_query *q)
{
    for (size_t v = 0; v < q->variant_count; v++) {
        const ir_variant *variant = &q->variants[v];
        param_table(e, q, variant_suffix(e, v), variant->params, variant->param_count);
        long_sql(e, q, variant_suffix(e, v), variant->sql);
    }
    buf_printf(&e->out, "static const pgc_query %s_query[] = {\n", q->c_name);
    for (size_t v = 0; v < q->variant_count; v++) {
        buf_add_str(&e->out, "    {\n");
        members(e, q, &q->variants[v], variant_suffix(e, v));
        buf_add_str(&e->out, "    },\n");
    }
    buf_add_str(&e->out, "};\n\n");
}

/* Constant data with static storage: the runtime's caches key on its address.
 *
 *     static const pgc_query get_author_query = {
 *         "GetAuthor", "-- name: GetAuthor :one\n...", hash, flags,
 *         param_count, column_count, params, columns, sizeof(row),
 *     }; */
void emit_descriptor(emitter *e, const ir_query *q)
{
    const ir_variant only = { .sql = q->sql, .hash = q->hash, .param_count = q->param_count };
    assert(q->sql.ptr != NULL);
    if (q->choice_count == 0) {
        param_table(e, q, "", NULL, q->param_count);
    }
    column_table(e, q);
    if (q->choice_count > 0) {
        variant_descriptors(e, q);
        return;
    }
    long_sql(e, q, "", q->sql);
    buf_printf(&e->out, "static const pgc_query %s_query = {\n", q->c_name);
    members(e, q, &only, "");
    buf_add_str(&e->out, "};\n\n");
}
