/* models.h and models.c: enums, one row type per table, rows shared by @row. One thread per
 * emitter. */
#include "base/prelude.h"

#include "sqlc/cname.h"
#include "sqlc/emit.h"

/* Everything is emitted unless the options ask for less. */
static bool wanted(const emitter *e, bool used)
{
    return used || !e->options->omit_unused_structs;
}

/* The zero value stands for "unknown", so that zeroed structs hold no accidental label. Values
 * follow the server's order of labels and start at 1; numbers are not stored anywhere, so a new
 * label may shift them.
 *
 * For an enum "mood" and the prefix "lib":
 *
 *     typedef enum lib_mood { LIB_MOOD_UNKNOWN = 0, LIB_MOOD_SAD = 1 } lib_mood;
 *     typedef struct lib_opt_mood { bool has; lib_mood v; } lib_opt_mood;
 *     pgc_text lib_mood_to_text(lib_mood value);
 *     lib_mood lib_mood_from_text(pgc_text text);
 *     bool lib_mood_is_valid(lib_mood value);
 *     extern const lib_mood lib_mood_values[1]; */
static void enum_header(emitter *e, const ir_enum *type)
{
    const char *n = type->name;
    buf_add_str(&e->out, "/** Enum ");
    emit_comment_text(e, type->schema);
    buf_add_char(&e->out, '.');
    emit_comment_text(e, type->sql_name);
    buf_add_char(&e->out, '.');
    if (type->comment != NULL) {
        buf_add_char(&e->out, ' ');
        emit_comment_text(e, type->comment);
    }
    buf_printf(&e->out,
               " */\ntypedef enum %s {\n    %s = 0, /**< a label that this code does not know; "
               "cannot be sent */\n",
               n, type->unknown);
    for (size_t i = 0; i < type->label_count; i++) {
        buf_printf(&e->out, "    %s = %zu%s\n", type->constants[i], i + 1,
                   i + 1 < type->label_count ? "," : "");
    }
    buf_printf(&e->out, "} %s;\n\n", n);
    const char *opt = emit_opt_name(e, n);
    if (opt != NULL) {
        buf_printf(&e->out,
                   "/** The same, nullable. */\ntypedef struct %s {\n    bool has;\n"
                   "    %s v;\n} %s;\n\n",
                   opt, n, opt);
    }
    buf_printf(&e->out,
               "/** Label of a value, static; ptr NULL for %s and other numbers. */\n"
               "pgc_text %s_to_text(%s value);\n"
               "/** Value of a label; %s when it is none of ours. */\n"
               "%s %s_from_text(pgc_text text);\n"
               "/** Is it one that has a label? Numbers from elsewhere may be anything. */\n"
               "bool %s_is_valid(%s value);\n",
               type->unknown, n, n, type->unknown, n, n, n, n);
    if (type->label_count > 0) { /* C has no empty arrays */
        buf_printf(&e->out,
                   "/** All of them, in the server's order; never %s. */\n"
                   "extern const %s %s_values[%zu];\n",
                   type->unknown, n, n, type->label_count);
    }
    buf_add_char(&e->out, '\n');
}

static void enum_values(emitter *e, const ir_enum *type)
{
    buf_printf(&e->out, "const %s %s_values[%zu] = {\n", type->name, type->name, type->label_count);
    for (size_t i = 0; i < type->label_count; i++) {
        buf_printf(&e->out, "    %s,\n", type->constants[i]);
    }
    buf_add_str(&e->out, "};\n\n");
}

/* Labels in one table: both directions read it. Linear search: enums have a handful of labels.
 *
 *     static const char *const lib_mood_labels[] = { NULL, "sad" };
 *
 * and the functions over it. */
static void enum_source(emitter *e, const ir_enum *type)
{
    buf_printf(&e->out, "static const char *const %s_labels[] = {\n    NULL, /* unknown */\n",
               type->name);
    for (size_t i = 0; i < type->label_count; i++) {
        emit_string(e, "    ", (slice) { type->labels[i], strlen(type->labels[i]) });
        buf_add_str(&e->out, ",\n");
    }
    buf_printf(&e->out,
               "};\n\n"
               "bool %s_is_valid(%s value)\n{\n"
               "    return (int) value > 0 && (int) value <= %zu;\n"
               "}\n\n"
               "pgc_text %s_to_text(%s value)\n{\n"
               "    return pgc_text_from(%s_is_valid(value) ? %s_labels[(int) value] : NULL);\n"
               "}\n\n",
               type->name, type->name, type->label_count, type->name, type->name, type->name,
               type->name);
    if (type->label_count > 0) {
        enum_values(e, type);
    }
    buf_printf(&e->out,
               "%s %s_from_text(pgc_text text)\n{\n"
               "    for (int i = 1; i <= %zu; i++) {\n"
               "        pgc_text label = pgc_text_from(%s_labels[i]);\n"
               "        if (text.ptr != NULL && text.len == label.len &&\n"
               "            memcmp(text.ptr, label.ptr, label.len) == 0) {\n"
               "            return (%s) i;\n"
               "        }\n"
               "    }\n"
               "    return %s;\n"
               "}\n\n",
               type->name, type->name, type->label_count, type->name, type->name, type->unknown);
}

/* Headers of the C types that the config gives, each once. */
static void custom_headers(emitter *e)
{
    const vec *shapes = &e->set->shapes;
    for (size_t i = 0; i < shapes->count; i++) {
        const ir_shape *shape = *VEC_AT(shapes, ir_shape *, i);
        const char *header = shape->kind != IR_SHAPE_CUSTOM ? NULL : shape->custom.header;
        bool fresh = header != NULL && wanted(e, shape->used);
        for (size_t k = 0; fresh && k < i; k++) {
            const ir_shape *before = *VEC_AT(shapes, ir_shape *, k);
            fresh = before->custom.header == NULL || !wanted(e, before->used) ||
                    strcmp(before->custom.header, header) != 0;
        }
        if (fresh) {
            const char *quote = header[0] == '<' ? "" : "\"";
            buf_printf(&e->out, "#include %s%s%s\n", quote, header, quote);
        }
    }
}

/* Enums stand first, because models have them as members; models are sorted by name and do not
 * need each other. */
pgc_status emit_models_header(emitter *e, pgc_error *err)
{
    const ir_set *set = e->set;
    char *lower = arena_printf(e->arena, "%s_models_h", set->prefix);
    char *guard = lower == NULL ? NULL : cname_upper(e->arena, lower);
    if (guard == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "emit models.h");
    }
    emit_banner(e, NULL);
    buf_printf(&e->out,
               "#ifndef %s\n#define %s\n\n#include <pgc/clone.h>\n#include <pgc/query.h>\n"
               "#include <pgc/schema.h>\n",
               guard, guard);
    custom_headers(e);
    buf_add_str(&e->out, "\nPGC_BEGIN_DECLS\n\n");
    for (size_t i = 0; i < set->enum_count; i++) {
        if (wanted(e, set->enums[i].used)) {
            enum_header(e, &set->enums[i]);
        }
    }
    for (size_t i = 0; i < set->shapes.count; i++) {
        const ir_shape *shape = *VEC_AT(&set->shapes, ir_shape *, i);
        if (wanted(e, shape->used)) {
            emit_shape_header(e, shape);
        }
    }
    for (size_t i = 0; i < set->model_count; i++) {
        if (wanted(e, set->models[i].used)) {
            emit_row_header(e, &set->models[i], true);
        }
    }
    for (size_t i = 0; i < set->shared.count; i++) {
        emit_row_header(e, *VEC_AT(&set->shared, ir_row *, i), true);
    }
    emit_schema_header(e);
    buf_add_str(&e->out, "PGC_END_DECLS\n\n#endif\n");
    return buf_finish(&e->out, err);
}

/* In the order of the header. */
pgc_status emit_models_source(emitter *e, pgc_error *err)
{
    const ir_set *set = e->set;
    emit_banner(e, NULL);
    buf_add_str(&e->out, "#include \"models.h\"\n\n#include <string.h>\n\n");
    for (size_t i = 0; i < set->enum_count; i++) {
        if (wanted(e, set->enums[i].used)) {
            enum_source(e, &set->enums[i]);
        }
    }
    for (size_t i = 0; i < set->shapes.count; i++) {
        const ir_shape *shape = *VEC_AT(&set->shapes, ir_shape *, i);
        if (wanted(e, shape->used)) {
            emit_shape_source(e, shape);
        }
    }
    for (size_t i = 0; i < set->model_count; i++) {
        if (wanted(e, set->models[i].used)) {
            emit_row_source(e, &set->models[i], true);
        }
    }
    for (size_t i = 0; i < set->shared.count; i++) {
        emit_row_source(e, *VEC_AT(&set->shared, ir_row *, i), true);
    }
    emit_schema_source(e);
    return buf_finish(&e->out, err);
}
