/* A C program that calls every generated function of a set once, made from the representation that
 * the functions were made from: each call runs in a transaction of its own that is rolled back.
 *
 * Values come from v_<suffix>() below; a nullable parameter gets a value in the first pass and NULL
 * in the second, so both ways through the encoder are taken. */
#ifndef TEST_CORPUS_DRIVER_H
#define TEST_CORPUS_DRIVER_H

#include "base/buf.h"
#include "sqlc/ir.h"

/* Values of every representation. Chosen so that constraints of the corpus hold. */
static const char DRIVER_HEAD[] =
    "#include <stdio.h>\n#include <string.h>\n\n#include <pgc/conn.h>\n#include "
    "<pgc/pipeline.h>\n\n"
    "#include \"checks.h\"\n\n"
    "static int failures, calls;\n"
    "static bool lenient; /* only wrong claims count */\n"
    "static int other; /* in later passes other values are sent, to find other rows */\n"
    "static bool v_bool(void) { return other % 2 == 0; }\n"
    "static int16_t v_i16(void) { return (int16_t) (1 + other); }\n"
    "static int32_t v_i32(void) { return 1 + other; }\n"
    "static int64_t v_i64(void) { return 1 + other; }\n"
    "static uint32_t v_u32(void) { return 1; }\n"
    "static uint64_t v_u64(void) { return 1; }\n"
    "static char v_char(void) { return 'c'; }\n"
    "static int64_t v_money(void) { return 150; }\n"
    "static uint64_t v_lsn(void) { return 77; }\n"
    "static pgc_tid v_tid(void) { pgc_tid t = PGC_ZERO; t.offset = 1; return t; }\n"
    "static pgc_timetz v_timetz(void) { pgc_timetz t = PGC_ZERO; return t; }\n"
    "static pgc_inet v_inet(void)\n"
    "{\n    pgc_inet i = PGC_ZERO;\n    i.family = 4;\n    i.bits = 32;\n    i.addr[0] = 10;\n"
    "    return i;\n}\n"
    "static pgc_macaddr v_macaddr(void) { pgc_macaddr m = PGC_ZERO; return m; }\n"
    "static pgc_macaddr8 v_macaddr8(void) { pgc_macaddr8 m = PGC_ZERO; return m; }\n"
    "static pgc_point v_point(void) { pgc_point p = PGC_ZERO; p.x = 1; return p; }\n"
    "static pgc_line v_line(void) { pgc_line l = PGC_ZERO; l.a = 1; return l; }\n"
    "static pgc_lseg v_lseg(void) { pgc_lseg l = PGC_ZERO; return l; }\n"
    "static pgc_box v_box(void) { pgc_box b = PGC_ZERO; return b; }\n"
    "static pgc_circle v_circle(void) { pgc_circle c = PGC_ZERO; c.radius = 1; return c; }\n"
    "static pgc_bits v_bits(void)\n"
    "{\n    static const uint8_t bytes[] = { 0xA0 };\n    pgc_bits b;\n    b.ptr = bytes;\n"
    "    b.count = 4;\n    return b;\n}\n"
    "static pgc_path v_path(void)\n"
    "{\n    static const pgc_point points[2] = { { 0, 0 }, { 1, 1 } };\n    pgc_path p;\n"
    "    p.closed = false;\n    p.count = 2;\n    p.points = points;\n    return p;\n}\n"
    "static pgc_polygon v_polygon(void)\n"
    "{\n    pgc_polygon p;\n    p.count = 2;\n    p.points = v_path().points;\n    return p;\n}\n"
    "static pgc_sparsevec v_sparsevec(void)\n"
    "{\n    static const int32_t indices[] = { 1 };\n    static const float v[] = { 2 };\n"
    "    pgc_sparsevec s;\n    s.dim = 3;\n    s.count = 1;\n    s.indices = indices;\n"
    "    s.v = v;\n    return s;\n}\n"
    "static pgc_tsvector v_tsvector(void)\n"
    "{\n    static const uint16_t at[] = { 1 };\n    static pgc_lexeme word;\n"
    "    pgc_tsvector t;\n    word.word = pgc_text_from(\"a\");\n    word.count = 1;\n"
    "    word.positions = at;\n    t.present = true;\n    t.count = 1;\n    t.v = &word;\n"
    "    return t;\n}\n"
    "static pgc_tsquery v_tsquery(void)\n"
    "{\n    static pgc_tsquery_item item;\n    pgc_tsquery t;\n"
    "    item.word = pgc_text_from(\"a\");\n    t.present = true;\n    t.count = 1;\n"
    "    t.v = &item;\n    return t;\n}\n"
    "static pgc_hstore v_hstore(void)\n"
    "{\n    static pgc_text key, value;\n    pgc_hstore h;\n    key = pgc_text_from(\"k\");\n"
    "    h.present = true;\n    h.count = 1;\n    h.keys = &key;\n    h.values = &value;\n"
    "    return h;\n}\n"
    "static float v_f32(void) { return 1.5f; }\n"
    "static double v_f64(void) { return 1.5; }\n"
    "static pgc_uuid v_uuid(void) { pgc_uuid u = PGC_ZERO; u.bytes[15] = (uint8_t) (1 + other); "
    "return u; }\n"
    "static pgc_timestamptz v_timestamptz(void) { pgc_timestamptz t = PGC_ZERO; return t; }\n"
    "static pgc_timestamp v_timestamp(void) { pgc_timestamp t = PGC_ZERO; return t; }\n"
    "static pgc_date v_date(void) { pgc_date d = PGC_ZERO; return d; }\n"
    "static pgc_time v_time(void) { pgc_time t = PGC_ZERO; return t; }\n"
    "static pgc_interval v_interval(void) { pgc_interval i = PGC_ZERO; i.days = 1; return i; }\n"
    "static pgc_text v_text(void)\n"
    "{\n    static const char *const texts[] = { \"v\", \"small\", \"Ann\", \"sea\", \"a\", \"%\" "
    "};\n"
    "    return pgc_text_from(texts[other < 6 ? other : 0]);\n}\n"
    "static pgc_text v_json(void) { return pgc_text_from(\"{\\\"a\\\": 1}\"); }\n"
    "static pgc_text v_jsonb(void) { return v_json(); }\n"
    "static pgc_bytes v_bytes(void)\n"
    "{\n    static const uint8_t bytes[] = { 0, 255 };\n"
    "    pgc_bytes b;\n    b.ptr = bytes;\n    b.len = 2;\n    return b;\n}\n"
    "static pgc_numeric v_numeric(void)\n"
    "{\n    static uint16_t digits[PGC_NUMERIC_DIGITS_MAX];\n"
    "    pgc_numeric n = PGC_ZERO;\n"
    "    (void) pgc_numeric_parse(pgc_text_from(\"12.50\"), digits, &n);\n    return n;\n}\n"
    "static pgc_vector v_vector(void)\n"
    "{\n    static const float v[] = { 1, 2, 3 };\n"
    "    pgc_vector r;\n    r.v = v;\n    r.dim = 3;\n    return r;\n}\n"
    "static pgc_halfvec v_halfvec(void)\n"
    "{\n    static const uint16_t v[] = { 0x3c00, 0 };\n"
    "    pgc_halfvec r;\n    r.v = v;\n    r.dim = 2;\n    return r;\n}\n"
    "#define ARRAY(suffix, type)                       \\\n"
    "    static pgc_arr_##suffix v_arr_##suffix(void)  \\\n"
    "    {                                             \\\n"
    "        static type items[2];                     \\\n"
    "        static const uint8_t nulls[] = { 0, 1 };  \\\n"
    "        pgc_arr_##suffix r = PGC_ZERO;            \\\n"
    "        items[0] = v_##suffix();                  \\\n"
    "        r.has = true;                             \\\n"
    "        r.count = 2;                              \\\n"
    "        r.v = items;                              \\\n"
    "        r.nulls = nulls;                          \\\n"
    "        return r;                                 \\\n"
    "    }\n"
    "#define RANGE(subtype, type)                                   \\\n"
    "    static pgc_range_##subtype v_range_##subtype(void)          \\\n"
    "    {                                                           \\\n"
    "        pgc_range_##subtype r = PGC_ZERO;                       \\\n"
    "        r.has = true;                                           \\\n"
    "        r.flags = PGC_RANGE_LOWER_INC | PGC_RANGE_UPPER_INF;    \\\n"
    "        r.lower = v_##subtype();                                \\\n"
    "        return r;                                               \\\n"
    "    }                                                           \\\n"
    "    static pgc_multirange_##subtype v_multirange_##subtype(void) \\\n"
    "    {                                                           \\\n"
    "        static pgc_range_##subtype one;                         \\\n"
    "        pgc_multirange_##subtype r;                             \\\n"
    "        one = v_range_##subtype();                              \\\n"
    "        r.has = true;                                           \\\n"
    "        r.count = 1;                                            \\\n"
    "        r.v = &one;                                             \\\n"
    "        return r;                                               \\\n"
    "    }\n"
    "PGC_RANGE_MAP(RANGE)\nPGC_ARRAY_MAP(ARRAY)\n\n"
    "static void report(const char *name, pgc_status status, const pgc_error *err)\n"
    "{\n    if (lenient) {\n        if (status == PGC_PROTOCOL) {\n            failures++;\n"
    "            (void) printf(\"%s: %s\\n\", name, err->message);\n        }\n        return;\n   "
    " }\n"
    "    calls++;\n    if (status != PGC_OK && status != PGC_NOT_FOUND) {\n"
    "        failures++;\n"
    "        (void) printf(\"%s: status %d: %s\\n\", name, (int) status, err->message);\n"
    "    }\n}\n\n";

/* What belongs to a call that was counted already. */
static const char DRIVER_CHECK[] =
    "static void check(const char *name, const char *what, bool ok)\n"
    "{\n    if (!ok && !lenient) {\n        failures++;\n"
    "        (void) printf(\"%s: %s\\n\", name, what);\n    }\n}\n\n";

static const char DRIVER_TAIL[] =
    "int main(int argc, char **argv)\n{\n    pgc_error err;\n    pgc_conn *conn = NULL;\n"
    "    pgc_conn_options options;\n    memset(&options, 0, sizeof options);\n"
    "    options.struct_size = sizeof options;\n"
    "    options.conninfo = argc > 1 ? argv[1] : \"\";\n"
    "    if (pgc_conn_open(&options, &conn, &err) != PGC_OK) {\n"
    "        (void) printf(\"%s\\n\", err.message);\n        return 1;\n    }\n"
    "    for (int pass = 0; pass < 8; pass++) {\n        lenient = pass > 1;\n"
    "        other = pass > 1 && pass < 6 ? pass - 1 : 0;\n"
    "        for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {\n"
    "            if (pgc_conn_script(conn, pass < 6 ? \"BEGIN\"\n"
    "                                      : pass < 7 ? \"BEGIN; CALL make_null()\" : \"BEGIN; "
    "CALL clear_all()\",\n"
    "                                0, NULL, &err) != PGC_OK) {\n"
    "                report(\"BEGIN\", PGC_DB, &err);\n            }\n"
    "            queries[i](pgc_conn_db(conn), pass == 1);\n"
    "            if (pgc_conn_script(conn, \"ROLLBACK\", 0, NULL, &err) != PGC_OK) {\n"
    "                report(\"ROLLBACK\", PGC_DB, &err);\n            }\n        }\n    }\n"
    "    other = 0;\n    lenient = false;\n    failures += corpus_checks(conn);\n"
    "    if (argc > 2) {\n        failures += !write_unseen(argv[2]);\n    }\n"
    "    pgc_conn_close(conn);\n"
    "    (void) printf(\"%d calls, %d failed\\n\", calls, failures);\n"
    "    return failures == 0 ? 0 : 1;\n}\n";

static inline const char *driver_element(const ir_shape *shape)
{
    const ir_type *type = &shape->fields[0].type;
    return type->labels != NULL ? type->labels->name : type->c->type;
}

/* Assign a value to `target`, or leave the zeroed NULL in the second pass. */
static inline void driver_value(buf *out, const char *target, const ir_param *param,
                                bool pointer_like)
{
    /* What the usual value of the representation is no value of. */
    const char *call = strcmp(param->type.sql, "jsonpath") == 0 ? "pgc_text_from(\"$.a\")"
                       : strcmp(param->type.sql, "ltree") == 0  ? "pgc_text_from(\"top\")"
                                                                : NULL;
    if (strncmp(param->sql_name, "set_", 4) == 0 && strcmp(param->type.c->suffix, "bool") == 0) {
        buf_printf(out, "    %s = !nulls; /* of @patch */\n", target);
        return;
    }
    const char *guard = param->nullable ? "    if (!nulls) {\n        " : "    ";
    buf_add_str(out, guard);
    if (param->type.shape != NULL) {
        /* Empty ones: checks.c looks at full ones. */
        bool record = ir_shape_flagged(param->type.shape);
        if (!record || param->nullable) {
            buf_printf(out, "%s.has = true;\n", target);
        }
        if (param->type.shape->kind == IR_SHAPE_RANGE) {
            buf_printf(out, "    %s.flags = PGC_RANGE_EMPTY;\n", target);
        }
        if (param->type.shape->kind == IR_SHAPE_ARRAY && !param->type.shape->no_nulls) {
            buf_printf(out,
                       "    if (lenient) { /* one element, which is NULL */\n"
                       "        static const uint8_t one[] = { 1 };\n"
                       "        static %s item;\n        %s.count = 1;\n"
                       "        %s.v = &item;\n        %s.nulls = one;\n    }\n",
                       driver_element(param->type.shape), target, target, target);
        }
        buf_add_str(out, record && !param->nullable ? ";\n" : "");
    } else if (param->type.labels != NULL && param->nullable) {
        buf_printf(out, "%s.has = true;\n        %s.v = %s;\n", target, target,
                   param->type.labels->constants[0]);
    } else if (param->type.labels != NULL) {
        buf_printf(out, "%s = %s;\n", target, param->type.labels->constants[0]);
    } else if (param->nullable && !pointer_like) {
        buf_printf(out, "%s.has = true;\n        %s.v = v_%s();\n", target, target,
                   param->type.c->suffix);
    } else {
        buf_printf(out, call == NULL ? "%s = v_%s();\n" : "%s = %s;\n", target,
                   call == NULL ? param->type.c->suffix : call);
    }
    buf_add_str(out, param->nullable ? "    }\n" : "");
}

/* Declare the output of a query; gives the argument. free_it: the set needs freeing. */
static inline const char *driver_out(buf *out, const ir_query *q, const char *prefix, bool *free_it)
{
    *free_it = false;
    if (q->row == NULL && q->cmd == QUERY_EXECRESULT) {
        buf_add_str(out, "    pgc_result *out = NULL;\n");
        return "&out, ";
    }
    if (q->row == NULL) {
        bool counts = q->cmd == QUERY_EXECROWS || q->cmd == QUERY_COPYFROM;
        buf_add_str(out, counts ? "    int64_t out = 0;\n" : "");
        return counts ? "&out, " : "";
    }
    const ir_field *only = &q->row->fields[0];
    bool value =
        q->row->kind == IR_ROW_SCALAR && (q->cmd == QUERY_ONE || q->cmd == QUERY_BATCHONE) &&
        (only->type.shape == NULL ||
         (only->type.shape->kind == IR_SHAPE_CUSTOM && only->type.shape->custom.clone == NULL)) &&
        (only->type.labels != NULL || !only->type.c->pointer_like);
    if (!value) {
        *free_it = true;
        buf_printf(out, "    %s_set out = PGC_ZERO;\n", q->row->base);
    } else if (only->type.labels != NULL && only->nullable) {
        buf_printf(out, "    %s_opt%s out = PGC_ZERO;\n", prefix,
                   only->type.labels->name + strlen(prefix));
    } else if (only->type.labels != NULL) {
        buf_printf(out, "    %s out = %s;\n", only->type.labels->name, only->type.labels->unknown);
    } else {
        buf_printf(out, "    %s out = PGC_ZERO;\n",
                   only->nullable ? only->type.c->opt_type : only->type.c->type);
    }
    return "&out, ";
}

static inline bool driver_has(slice text, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= text.len; i++) {
        if (slice_eq_nocase(slice_sub(text, i, i + len), (slice) { word, len })) {
            return true;
        }
    }
    return false;
}

/* The iterator gives as many rows as the set has, unless the query changes what it reads. */
static inline void driver_iterate(buf *out, const ir_query *q, const char *prefix,
                                  const char *arguments)
{
    buf_printf(
        out,
        "    %s_%s_iter it = PGC_ZERO;\n    bool more = false;\n    size_t seen = 0;\n"
        "    pgc_status next = %s_%s_open(db, %s&it, &err);\n"
        "    while (next == PGC_OK && (next = %s_%s_next(&it, &more, &err)) == PGC_OK && more) "
        "{\n        seen++;\n    }\n"
        "    %s_%s_close(&it);\n",
        prefix, q->c_name, prefix, q->c_name, arguments, prefix, q->c_name, prefix, q->c_name);
    bool reads = !driver_has(q->sql, "INSERT") && !driver_has(q->sql, "UPDATE") &&
                 !driver_has(q->sql, "DELETE") && !driver_has(q->sql, "MERGE");
    if (reads) {
        buf_printf(out,
                   "    check(\"%s\", err.message, next == PGC_OK);\n"
                   "    check(\"%s\", \"as many rows one by one\", seen == out.count);\n",
                   q->name, q->name);
    } else {
        buf_add_str(out, "    (void) seen;\n");
    }
}

/* Nullable by the proof's own reasoning, not because the column of a table is. */
static inline bool driver_is_claim(const ir_query *q, const ir_field *field)
{
    if (field->embed != NULL || field->column >= q->column_count) {
        return false;
    }
    const ir_column *column = &q->columns[field->column];
    size_t len = strlen(column->reason);
    static const char INHERENT[] = " is nullable";
    bool inherent = len >= sizeof INHERENT - 1 &&
                    strcmp(column->reason + len - (sizeof INHERENT - 1), INHERENT) == 0;
    return column->nullable && field->nullable && !inherent;
}

/* Notes which claims were seen to be NULL. number: of the first claim of the query. */
static inline void driver_observe(buf *out, const ir_query *q, bool is_set, size_t *number)
{
    for (size_t i = 0; q->row != NULL && i < q->row->field_count; i++) {
        const ir_field *field = &q->row->fields[i];
        if (!driver_is_claim(q, field)) {
            continue;
        }
        char value[300];
        bool scalar = q->row->kind == IR_ROW_SCALAR;
        (void) snprintf(value, sizeof value, "%s%s%s", is_set ? "out.rows[i]" : "out",
                        scalar ? "" : ".", scalar ? "" : field->name);
        const c_type *c = field->type.c;
        bool flag = field->type.labels != NULL || !c->pointer_like;
        const char *absent = flag ? "!%s.has" : c->absent;
        const char *mark = strstr(absent, "%s");
        buf_printf(out, "    for (size_t i = 0; i < %s; i++) {\n        seen_null[%zu] = ",
                   is_set ? "out.count" : "1", *number);
        buf_printf(out, "seen_null[%zu] || (%.*s%s%s);\n    }\n", *number, (int) (mark - absent),
                   absent, value, mark + 2);
        (*number)++;
    }
}

/* Two items in one batch. */
static inline void driver_batch(buf *out, const ir_query *q, const char *prefix, const char *result)
{
    buf_printf(
        out,
        "    pgc_pipeline *batch = NULL;\n    size_t first = 9;\n    size_t second = 9;\n"
        "    pgc_status status = pgc_pipeline_open_db(db, PGC_PIPELINE_ATOMIC, NULL, &batch, "
        "&err);\n"
        "    if (status == PGC_OK) {\n"
        "        status = %s_%s_add(batch, &p, &first, &err);\n    }\n"
        "    if (status == PGC_OK) {\n"
        "        status = %s_%s_add(batch, &p, &second, &err);\n    }\n"
        "    if (status == PGC_OK) {\n        status = pgc_pipeline_run(batch, &err);\n    }\n"
        "    if (status == PGC_OK) {\n"
        "        status = %s_%s_take(batch, second, %s&err);\n    }\n"
        "    report(\"%s\", status, &err);\n"
        "    check(\"%s\", \"items are numbered\", first == 0 && second == 1);\n"
        "    pgc_pipeline_close(batch);\n",
        prefix, q->c_name, prefix, q->c_name, prefix, q->c_name, result, q->name, q->name);
}

/* One function that calls one query. limit: query_parameter_limit. */
static inline void driver_query(buf *out, const ir_query *q, const char *prefix, size_t limit,
                                size_t *claims)
{
    bool free_it = false;
    bool by_value = q->param_count <= limit && q->choice_count == 0 && !q->bulk &&
                    q->cmd != QUERY_COPYFROM && !query_cmd_is_batch(q->cmd);
    buf_printf(out, "static void q_%s(pgc_db *db, bool nulls)\n{\n    pgc_error err = PGC_ZERO;\n",
               q->c_name);
    if (!by_value) {
        buf_printf(out, "    %s_%s_params p = PGC_ZERO;\n", prefix, q->c_name);
    }
    for (size_t i = 0; by_value && i < q->param_count; i++) {
        const ir_param *p = &q->params[i];
        const char *type = p->type.labels != NULL ? p->type.labels->name
                           : p->nullable          ? p->type.c->opt_type
                                                  : p->type.c->type;
        if (p->type.labels != NULL && p->nullable) {
            buf_printf(out, "    %s_opt%s a%zu = PGC_ZERO;\n", prefix, type + strlen(prefix), i);
        } else if (p->type.labels != NULL) {
            buf_printf(out, "    %s a%zu = %s;\n", type, i, p->type.labels->unknown);
        } else {
            buf_printf(out, "    %s a%zu = PGC_ZERO;\n", type, i);
        }
    }
    const char *result = driver_out(out, q, prefix, &free_it);
    buf_add_str(out, "    (void) nulls;\n");
    for (size_t i = 0; i < q->param_count; i++) {
        char target[200];
        if (by_value) {
            (void) snprintf(target, sizeof target, "a%zu", i);
        } else {
            (void) snprintf(target, sizeof target, "p.%s", q->params[i].name);
        }
        driver_value(out, target, &q->params[i], q->params[i].type.c->pointer_like);
    }
    char arguments[400] = "";
    for (size_t i = 0; by_value && i < q->param_count; i++) {
        size_t used = strlen(arguments);
        (void) snprintf(arguments + used, sizeof arguments - used, "a%zu, ", i);
    }
    if (!by_value) {
        (void) snprintf(arguments, sizeof arguments,
                        q->bulk || q->copy != NULL ? "&p, 1, " : "&p, ");
    }
    if (query_cmd_is_batch(q->cmd)) {
        driver_batch(out, q, prefix, result);
    } else {
        buf_printf(out, "    report(\"%s\", %s_%s(db, %s%s&err), &err);\n", q->name, prefix,
                   q->c_name, arguments, result);
    }
    if (q->cmd == QUERY_MANY && !q->bulk) {
        driver_iterate(out, q, prefix, arguments);
    }
    if (q->cmd == QUERY_EXECRESULT) {
        buf_printf(out,
                   "    check(\"%s\", \"has a tag\", out != NULL && pgc_result_tag(out)[0] != 0);\n"
                   "    pgc_result_free(out);\n",
                   q->name);
    }
    driver_observe(out, q, free_it, claims);
    if (free_it) {
        buf_printf(out,
                   "    check(\"%s\", \"detaches\", %s_set_detach(&out, &err) == PGC_OK);\n"
                   "    check(\"%s\", \"has no result\", out.result == NULL);\n"
                   "    %s_set_free(&out);\n",
                   q->name, q->row->base, q->name, q->row->base);
    }
    buf_add_str(out, "}\n\n");
}

/* The claims by number, and what writes down those that were never NULL. */
static inline void driver_claims(buf *out, const ir_set *set)
{
    buf_add_str(out, "\nstatic const char *const claims[] = {\n");
    size_t count = 0;
    for (size_t i = 0; i < set->query_count; i++) {
        const ir_query *q = &set->queries[i];
        for (size_t k = 0; q->row != NULL && k < q->row->field_count; k++) {
            if (driver_is_claim(q, &q->row->fields[k])) {
                buf_printf(out, "    \"%s.%s\",\n", q->name, q->row->fields[k].name);
                count++;
            }
        }
    }
    buf_printf(out,
               "    NULL\n};\nstatic bool seen_null[%zu];\n\n"
               "static bool write_unseen(const char *path)\n{\n"
               "    FILE *file = fopen(path, \"w\");\n"
               "    for (size_t i = 0; file != NULL && claims[i] != NULL; i++) {\n"
               "        if (!seen_null[i]) {\n"
               "            (void) fprintf(file, \"%%s\\n\", claims[i]);\n        }\n    }\n"
               "    return file != NULL && fclose(file) == 0;\n}\n\n",
               count + 1);
}

/* The whole program. */
static inline void driver_write(buf *out, const ir_set *set, size_t limit)
{
    buf_add_str(out, DRIVER_HEAD);
    buf_add_str(out, DRIVER_CHECK);
    for (size_t i = 0; i < set->file_count; i++) {
        buf_printf(out, "#include \"%s.h\"\n", set->files[i].base);
    }
    driver_claims(out, set);
    size_t claims = 0;
    for (size_t i = 0; i < set->query_count; i++) {
        driver_query(out, &set->queries[i], set->prefix, limit, &claims);
    }
    buf_add_str(out,
                "typedef void call(pgc_db *db, bool nulls);\nstatic call *const queries[] = {\n");
    for (size_t i = 0; i < set->query_count; i++) {
        buf_printf(out, "    q_%s,\n", set->queries[i].c_name);
    }
    buf_add_str(out, "};\n\n");
    buf_add_str(out, DRIVER_TAIL);
}

#endif
