/* Row types: struct, set handle, decoder, clone. A set owns the result that its rows point into;
 * one call frees both. One thread per emitter. */
#include "base/prelude.h"

#include "sqlc/emit.h"

/* Type and nullability with the reason of the claim; plain constraints need no words. NOT NULL
 * constraints of the table are the normal case; other reasons deserve a word. */
static void field_comment(emitter *e, const ir_field *field)
{
    if (field->embed != NULL) {
        buf_printf(&e->out, " /**< %s", field->nullable ? "absent when has is false: " : "");
        emit_comment_text(e, field->reason);
    } else {
        buf_add_str(&e->out, " /**< ");
        emit_comment_text(e, field->type.sql);
        buf_add_str(&e->out, field->nullable ? "; nullable" : "; not NULL");
        if (field->reason != NULL && strcmp(field->reason, "NOT NULL") != 0 &&
            strcmp(field->reason, "no NOT NULL constraint") != 0) {
            buf_add_str(&e->out, ": ");
            emit_comment_text(e, field->reason);
        }
        if (field->comment != NULL) {
            buf_add_str(&e->out, ". ");
            emit_comment_text(e, field->comment);
        }
    }
    buf_add_str(&e->out, " */\n");
}

/* An embed that may be absent has a flag of its own. */
static const char *field_type(emitter *e, const ir_field *field)
{
    if (field->embed != NULL) {
        return field->nullable ? emit_opt_name(e, field->embed->name) : field->embed->name;
    }
    return emit_type(e, &field->type, field->nullable);
}

/* Comments of the catalog become comments of the struct. Members are in the order of the
 * columns: what a reader of the SQL expects.
 *
 *     typedef struct lib_author {
 *         int64_t author_id; (with type, nullability and reason as a comment)
 *         ...
 *     } lib_author;
 *
 * and for an embed that may be absent: struct lib_opt_author { bool has; lib_author v; }. */
static void row_struct(emitter *e, const ir_row *row)
{
    if (row->kind == IR_ROW_MODEL) {
        buf_add_str(&e->out, "/** One row of ");
        emit_comment_text(e, row->schema);
        buf_add_char(&e->out, '.');
        emit_comment_text(e, row->table);
        buf_add_char(&e->out, '.');
    } else {
        buf_add_str(&e->out, row->kind == IR_ROW_SHARED
                                 ? "/** One row of the queries that share it."
                                 : "/** One row of the query below.");
    }
    if (row->comment != NULL) {
        buf_add_char(&e->out, ' ');
        emit_comment_text(e, row->comment);
    }
    if (row->left_out != NULL) {
        buf_add_str(&e->out, " Without C type and so left out: ");
        emit_comment_text(e, row->left_out);
        buf_add_char(&e->out, '.');
    }
    buf_printf(&e->out, " */\ntypedef struct %s {\n", row->name);
    for (size_t i = 0; i < row->field_count; i++) {
        const char *type = field_type(e, &row->fields[i]);
        if (type != NULL) {
            buf_printf(&e->out, "    %s %s;", type, row->fields[i].name);
            field_comment(e, &row->fields[i]);
        }
    }
    buf_printf(&e->out, "} %s;\n\n", row->name);
    const char *opt =
        row->kind == IR_ROW_MODEL && row->used_optional ? emit_opt_name(e, row->name) : NULL;
    if (opt != NULL) {
        buf_printf(&e->out,
                   "/** The same from the side of an outer join that may be empty. */\n"
                   "typedef struct %s {\n    bool has;\n    %s v;\n} %s;\n\n",
                   opt, row->name, opt);
    }
}

/* C type of one element of the set. */
static const char *element_type(emitter *e, const ir_row *row)
{
    const ir_field *only = &row->fields[0];
    assert(row->field_count > 0);
    return row->kind == IR_ROW_SCALAR ? emit_type(e, &only->type, only->nullable) : row->name;
}

/* Static for rows of one query, public for rows that many files share. row_max is 1 for :one, so
 * that a wrong LIMIT does not cost memory. */
static void take_signature(emitter *e, const ir_row *row, bool shared, const char *tail)
{
    const char *args[] = { "pgc_result *result", "const pgc_query *query", "size_t row_max", NULL,
                           "pgc_error *err" };
    args[3] = arena_printf(e->arena, "%s_set *out", row->base);
    const char *head =
        arena_printf(e->arena, "%spgc_status %s_set_take", shared ? "" : "static ", row->base);
    if (args[3] == NULL || head == NULL) {
        e->out.failed = true;
        return;
    }
    emit_call(e, head, args, ARRAY_LEN(args), tail);
}

/* As for take. */
static void read_signature(emitter *e, const ir_row *row, bool shared, const char *tail)
{
    const char *args[] = { "pgc_reader *reader", "size_t row", "size_t column", NULL };
    args[3] = arena_printf(e->arena, "%s *out", row->name);
    const char *head = arena_printf(e->arena, "%svoid %s_read", shared ? "" : "static ", row->base);
    if (args[3] == NULL || head == NULL) {
        e->out.failed = true;
        return;
    }
    emit_call(e, head, args, ARRAY_LEN(args), tail);
}

/* Always public. For callers that keep one row and free the set. */
static void clone_signature(emitter *e, const ir_row *row, const char *tail)
{
    const char *arg = arena_printf(e->arena, "const %s *row", row->name);
    const char *head = arena_printf(e->arena, "%s *%s_clone", row->name, row->base);
    if (arg == NULL || head == NULL) {
        e->out.failed = true;
        return;
    }
    emit_call(e, head, &arg, 1, tail);
}

/* For caches: the answer of the server goes, the rows stay. */
static void detach_signature(emitter *e, const ir_row *row, const char *tail)
{
    const char *args[] = { arena_printf(e->arena, "%s_set *set", row->base), "pgc_error *err" };
    const char *head = arena_printf(e->arena, "pgc_status %s_set_detach", row->base);
    if (args[0] == NULL || head == NULL) {
        e->out.failed = true;
        return;
    }
    emit_call(e, head, args, ARRAY_LEN(args), tail);
}

/* Building blocks that other generated files and hand-written queries use. Public because other
 * generated files call them; people may too. */
static void shared_prototypes(emitter *e, const ir_row *row)
{
    buf_add_str(&e->out, "/** Decode the columns from `column` on into one row; failures stay in "
                         "the reader. */\n");
    read_signature(e, row, true, ";\n");
    buf_add_str(&e->out,
                "/** Take over a result whose columns are these fields: its first row_max rows.\n"
                " * Frees it on failure. PGC_OK; PGC_PROTOCOL; PGC_NOMEM. */\n");
    take_signature(e, row, true, ";\n");
    buf_printf(&e->out,
               "/** One pass of a clone, for rows that embed this one. */\n"
               "void %s_clone_pass(pgc_clone *clone, %s *row);\n",
               row->base, row->name);
}

/* The set is const towards its rows: they belong to the result. */
void emit_row_header(emitter *e, const ir_row *row, bool shared)
{
    const char *b = row->base;
    assert(row->field_count > 0);
    if (row->kind != IR_ROW_SCALAR) {
        row_struct(e, row);
    }
    const char *element = element_type(e, row);
    if (element == NULL) {
        return;
    }
    buf_printf(
        &e->out,
        "/** Rows and the memory they point into; give it to %s_set_free(). */\n"
        "typedef struct %s_set {\n    const %s *rows; /**< count of them; NULL when 0%s */\n"
        "    size_t count;\n    pgc_result *result; /**< NULL: empty or detached */\n} %s_set;\n\n",
        b, b, element,
        row->kind != IR_ROW_SCALAR ? ""
        : row->fields[0].nullable  ? "; nullable"
                                   : "; not NULL",
        b);
    buf_printf(&e->out,
               "/** Free the rows; the set is empty then. Empty and zeroed sets are fine. */\n"
               "void %s_set_free(%s_set *set);\n"
               "/** Copy the rows and what they point to into one block and let go of the server's "
               "answer.\n * PGC_OK; PGC_NOMEM (the set stays as it is). */\n",
               b, b);
    detach_signature(e, row, " PGC_MUST_CHECK;\n");
    if (row->kind != IR_ROW_SCALAR) {
        buf_add_str(&e->out,
                    "/** A copy of one row with all it points to, in one block for free(). "
                    "NULL: no memory. */\n");
        clone_signature(e, row, ";\n");
    }
    if (shared) {
        shared_prototypes(e, row);
    }
    buf_add_char(&e->out, '\n');
}

/* A nullable enum is read in two steps: the flag by the caller, the value here. */
void emit_read(emitter *e, const char *target, const ir_type *type, bool nullable,
               const char *place)
{
    const char *opt = nullable ? "opt_" : "";
    if (type->shape != NULL) {
        buf_printf(&e->out, "%s = %s_read(%s);\n", target,
                   nullable ? type->shape->opt_name : type->shape->name, place);
    } else if (type->labels == NULL) {
        buf_printf(&e->out, "%s = pgc_read_%s%s(%s);\n", target, opt, type->c->suffix, place);
    } else if (!nullable) {
        buf_printf(&e->out, "%s = %s_from_text(pgc_read_text(%s));\n", target, type->labels->name,
                   place);
    } else {
        buf_printf(&e->out, "%s.v = %s_from_text(pgc_read_opt_text(%s));\n", target,
                   type->labels->name, place);
    }
}

/* reader, row and column as arguments. Columns count from the first one of the row, so that an
 * embed can stand anywhere. */
static const char *place_of(emitter *e, size_t column)
{
    const char *place = column == 0 ? "reader, row, column"
                                    : arena_printf(e->arena, "reader, row, column + %zu", column);
    e->out.failed = e->out.failed || place == NULL;
    return place == NULL ? "" : place;
}

/* Column of a nullable embed whose NULL means "no row": the model's first NOT NULL one. Without
 * a NOT NULL column any value says that the row is there; a row of NULLs only then looks absent.
 *
 *     out->p.has = !pgc_read_is_null(reader, row, column + 3); */
static void embed_presence(emitter *e, const ir_field *field)
{
    const ir_row *model = field->embed;
    for (size_t i = 0; i < model->field_count; i++) {
        if (!model->fields[i].nullable) {
            buf_printf(&e->out, "!pgc_read_is_null(reader, row, column + %zu)", field->column + i);
            return;
        }
    }
    for (size_t i = 0; i < model->field_count; i++) {
        buf_printf(&e->out, "%s!pgc_read_is_null(reader, row, column + %zu)",
                   i == 0 ? "" : " ||\n                         ", field->column + i);
    }
}

/* An absent embed stays zeroed, because its columns are all NULL. Sets are zeroed when they are
 * allocated.
 *
 *     lib_author_read(reader, row, column + 3, &out->a); */
static void read_embed(emitter *e, const ir_field *field)
{
    assert(field->embed != NULL);
    if (!field->nullable) {
        buf_printf(&e->out, "    %s_read(%s, &out->%s);\n", field->embed->base,
                   place_of(e, field->column), field->name);
        return;
    }
    buf_printf(&e->out, "    out->%s.has = ", field->name);
    embed_presence(e, field);
    buf_printf(&e->out, ";\n    if (out->%s.has) {\n        %s_read(%s, &out->%s.v);\n    }\n",
               field->name, field->embed->base, place_of(e, field->column), field->name);
}

/* Every field in the order of the columns. Cannot fail: the reader collects.
 *
 *     void lib_author_read(pgc_reader *reader, size_t row, size_t column, lib_author *out)
 *     {
 *         out->author_id = pgc_read_i64(reader, row, column);
 *         ...
 *     } */
static void row_read(emitter *e, const ir_row *row, bool shared)
{
    read_signature(e, row, shared, "\n{\n");
    for (size_t i = 0; i < row->field_count; i++) {
        const ir_field *field = &row->fields[i];
        if (field->embed != NULL) {
            read_embed(e, field);
            continue;
        }
        const char *target = arena_printf(e->arena, "    out->%s", field->name);
        if (target == NULL) {
            e->out.failed = true;
            return;
        }
        const char *place = place_of(e, field->column);
        if (field->type.labels != NULL && field->nullable) {
            buf_printf(&e->out, "%s.has = !pgc_read_is_null(%s);\n", target, place);
        }
        emit_read(e, target, &field->type, field->nullable, place);
    }
    buf_add_str(&e->out, "}\n\n");
}

/* Statement that decodes row `row` of a set. Scalars go into the array directly. */
static void decode_element(emitter *e, const ir_row *row)
{
    const ir_field *only = &row->fields[0];
    if (row->kind != IR_ROW_SCALAR) {
        buf_printf(&e->out, "        %s_read(&reader, row, 0, &rows[row]);\n", row->base);
        return;
    }
    if (only->type.labels != NULL && only->nullable) {
        buf_add_str(&e->out, "        rows[row].has = !pgc_read_is_null(&reader, row, 0);\n");
    }
    emit_read(e, "        rows[row]", &only->type, only->nullable, "&reader, row, 0");
}

/* Frees the result on failure, so that callers have nothing to clean up. Rows are allocated
 * inside the result: one free for both.
 *
 *     pgc_status lib_author_set_take(pgc_result *result, const pgc_query *query, size_t row_max,
 *                                    lib_author_set *out, pgc_error *err)
 *
 * allocates the rows inside the result, decodes each, and asks the reader once at the end. */
static void row_take(emitter *e, const ir_row *row, bool shared)
{
    const char *element = element_type(e, row);
    if (element == NULL) {
        return;
    }
    take_signature(e, row, shared, "\n{\n");
    buf_printf(&e->out,
               "    pgc_reader reader;\n"
               "    %s *rows = NULL;\n"
               "    size_t count = pgc_result_rows(result);\n"
               "    count = count < row_max ? count : row_max;\n"
               "    if (count > 0 && count <= SIZE_MAX / sizeof *rows) {\n"
               "        rows = (%s *) pgc_result_alloc(result, count * sizeof *rows);\n"
               "    }\n"
               "    if (count > 0 && rows == NULL) {\n"
               "        pgc_result_free(result);\n"
               "        return pgc_error_set(err, PGC_NOMEM, \"query %%s: decode %%zu rows\", "
               "query->name, count);\n"
               "    }\n"
               "    pgc_reader_init(&reader, result, query);\n"
               "    for (size_t row = 0; row < count; row++) {\n",
               element, element);
    decode_element(e, row);
    buf_add_str(&e->out, "    }\n"
                         "    pgc_status status = pgc_reader_finish(&reader, err);\n"
                         "    if (status != PGC_OK) {\n"
                         "        pgc_result_free(result);\n"
                         "        return status;\n"
                         "    }\n"
                         "    out->rows = rows;\n"
                         "    out->count = count;\n"
                         "    out->result = result;\n"
                         "    return PGC_OK;\n"
                         "}\n\n");
}

/* True when there is something to clone. */
bool emit_clone(emitter *e, const char *indent, const char *clone, const ir_type *type,
                bool nullable, const char *target)
{
    const ir_shape *shape = type->shape;
    if (shape != NULL) {
        bool opt = nullable && ir_shape_flagged(shape);
        buf_printf(&e->out, "%s%s_clone_pass(%s, &%s);\n", indent,
                   opt ? shape->opt_name : shape->name, clone, target);
    } else if (type->labels == NULL && type->c->clone != NULL) {
        buf_printf(&e->out, "%s%s(%s, &%s);\n", indent, type->c->clone, clone, target);
    } else {
        return false;
    }
    return true;
}

/* Only fields that point somewhere need a second look. Order does not matter, but both passes
 * must have the same one. */
static void clone_fields(emitter *e, const ir_row *row)
{
    size_t written = 0;
    for (size_t i = 0; i < row->field_count; i++) {
        const ir_field *field = &row->fields[i];
        if (field->embed != NULL && !field->nullable) {
            buf_printf(&e->out, "    %s_clone_pass(clone, &row->%s);\n", field->embed->base,
                       field->name);
        } else if (field->embed != NULL) {
            buf_printf(&e->out,
                       "    if (row->%s.has) {\n        %s_clone_pass(clone, &row->%s.v);\n    }\n",
                       field->name, field->embed->base, field->name);
        } else {
            const char *target = emit_made(e, arena_printf(e->arena, "row->%s", field->name));
            written -=
                emit_clone(e, "    ", "clone", &field->type, field->nullable, target) ? 0 : 1;
        }
        written++;
    }
    if (written == 0) {
        buf_add_str(&e->out, "    (void) clone; /* no field points anywhere */\n    (void) row;\n");
    }
}

/* Two passes over the same fields: sizes, then bytes. The measured copy is needed because a pass
 * changes the pointers that it visits.
 *
 *     lib_author measured = *row;
 *     pgc_clone_init(&clone);
 *     lib_author_clone_pass(&clone, &measured);             (adds up sizes)
 *     lib_author *copy = pgc_clone_alloc(&clone, row, sizeof *row);
 *     lib_author_clone_pass(&clone, copy);                  (copies, sets pointers) */
static void row_clone(emitter *e, const ir_row *row, bool shared)
{
    buf_printf(&e->out, "%svoid %s_clone_pass(pgc_clone *clone, %s *row)\n{\n",
               shared ? "" : "static ", row->base, row->name);
    clone_fields(e, row);
    buf_add_str(&e->out, "}\n\n");
    clone_signature(e, row, "\n{\n");
    buf_printf(&e->out,
               "    pgc_clone clone;\n"
               "    %s measured = *row;\n"
               "    pgc_clone_init(&clone);\n"
               "    %s_clone_pass(&clone, &measured);\n"
               "    %s *copy = (%s *) pgc_clone_alloc(&clone, row, sizeof *row);\n"
               "    if (copy != NULL) {\n"
               "        %s_clone_pass(&clone, copy);\n"
               "    }\n"
               "    return copy;\n"
               "}\n\n",
               row->name, row->base, row->name, row->name, row->base);
}

/* One pass over all rows of a set. Values that point nowhere need none. */
static void detach_pass(emitter *e, const ir_row *row, const char *indent, const char *target)
{
    const ir_field *only = &row->fields[0];
    if (row->kind != IR_ROW_SCALAR) {
        buf_printf(&e->out, "%s%s_clone_pass(&clone, &%s);\n", indent, row->base, target);
    } else if (!emit_clone(e, indent, "&clone", &only->type, only->nullable, target)) {
        buf_printf(&e->out, "%s(void) %s;\n", indent, target);
    }
}

/* As row_clone(), for the whole array: rows in front, behind them what they point to. The result is
 * freed when the copy is complete, so a failure changes nothing. */
static void set_detach(emitter *e, const ir_row *row)
{
    const char *element = element_type(e, row);
    if (element == NULL) {
        return;
    }
    detach_signature(e, row, "\n{\n");
    buf_printf(&e->out,
               "    pgc_clone clone;\n"
               "    %s *copy = NULL;\n"
               "    if (set->result == NULL) {\n"
               "        return PGC_OK; /* empty or detached already */\n"
               "    }\n"
               "    pgc_clone_init(&clone);\n"
               "    for (size_t i = 0; i < set->count; i++) {\n"
               "        %s measured = set->rows[i];\n",
               element, element);
    detach_pass(e, row, "        ", "measured");
    buf_printf(&e->out,
               "    }\n"
               "    if (set->count > 0) {\n"
               "        copy = (%s *) pgc_clone_alloc(&clone, set->rows, set->count * sizeof "
               "*copy);\n"
               "        if (copy == NULL) {\n"
               "            return pgc_error_set(err, PGC_NOMEM, \"detach %%zu rows\", "
               "set->count);\n"
               "        }\n"
               "    }\n"
               "    for (size_t i = 0; i < set->count; i++) {\n",
               element);
    detach_pass(e, row, "        ", "copy[i]");
    buf_add_str(&e->out, "    }\n"
                         "    pgc_result_free(set->result);\n"
                         "    set->rows = copy;\n"
                         "    set->result = NULL;\n"
                         "    return PGC_OK;\n"
                         "}\n\n");
}

/* Freeing a zeroed set does nothing, so callers can free in every path. */
void emit_row_source(emitter *e, const ir_row *row, bool shared)
{
    assert(row->field_count > 0);
    if (row->kind != IR_ROW_SCALAR) {
        row_read(e, row, shared);
    }
    row_take(e, row, shared);
    buf_printf(&e->out,
               "void %s_set_free(%s_set *set)\n{\n"
               "    if (set->result == NULL) {\n"
               "        pgc_clone_free(set->rows); /* detached */\n"
               "    }\n"
               "    pgc_result_free(set->result);\n"
               "    set->rows = NULL;\n"
               "    set->count = 0;\n"
               "    set->result = NULL;\n"
               "}\n\n",
               row->base, row->base);
    if (row->kind != IR_ROW_SCALAR) {
        row_clone(e, row, shared);
    }
    set_detach(e, row);
}
