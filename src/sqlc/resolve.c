/* Which functions, operators and casts a call may mean.
 *
 * The server picks one overload by type; we keep every overload that the known types leave possible
 * and claim only what holds for all of them. Two facts of the server's search make this tight: an
 * overload that fits all known types exactly wins over the rest, and a type that differs is taken
 * only through an implicit cast. Source: PostgreSQL manual, "Type Conversion". Pure functions. */
#include "base/prelude.h"

#include "sqlc/scope.h"

/* Extensions whose functions and operators give NULL only for NULL (sqlc.md §8.4). */
static const char *const TRUSTED_EXTENSIONS[] = { "citext",   "fuzzystrmatch", "pg_trgm",
                                                  "pgcrypto", "unaccent",      "uuid-ossp",
                                                  "vector" };

/* Operators that give NULL for arguments that are not NULL; type 0 means any. */
static const struct {
    const char *name;
    uint32_t left_oid;
} PARTIAL_OPERATORS[] = { { "->", 0 },         { "->>", 0 }, { "#>", 0 },  { "#>>", 0 },
                          { "@@", OID_JSONB }, { "@?", 0 },  { "##", 0 },  { "#", 601 },
                          { "#", 628 },        { "#", 603 }, { "+", 602 }, { "@@", 601 },
                          { "@-@", 601 } };

/* Pseudo-types that take more than one type. Source: pg_type.dat. */
enum polymorphic {
    ANY = 2276,
    ANYARRAY = 2277,
    ANYELEMENT = 2283,
    ANYNONARRAY = 2776,
    ANYENUM = 3500,
    ANYRANGE = 3831,
    ANYMULTIRANGE = 4537,
    ANYCOMPATIBLEMULTIRANGE = 4538,
    ANYCOMPATIBLE = 5077,
    ANYCOMPATIBLEARRAY = 5078,
    ANYCOMPATIBLENONARRAY = 5079,
    ANYCOMPATIBLERANGE = 5080
};

typedef enum fit { FIT_NO, FIT_CAST, FIT_POLYMORPHIC, FIT_EXACT, FIT_OPEN } fit;

static bool trusted_extension(const char *extension)
{
    for (size_t i = 0; extension != NULL && i < ARRAY_LEN(TRUSTED_EXTENSIONS); i++) {
        if (strcmp(TRUSTED_EXTENSIONS[i], extension) == 0) {
            return true;
        }
    }
    return false;
}

/* OIDs below the first user OID in pg_catalog are the server's own. */
static bool trusted(uint32_t oid, const char *schema, const char *extension)
{
    return (oid < CATALOG_FIRST_USER_OID && strcmp(schema, "pg_catalog") == 0) ||
           trusted_extension(extension);
}

uint32_t element_of(const analysis *a, uint32_t array)
{
    const catalog_type *type = catalog_type_by_oid(a->cat, catalog_base_type(a->cat, array));
    return type != NULL ? type->element_oid : 0;
}

uint32_t array_of(const analysis *a, uint32_t element)
{
    const catalog_type *type = catalog_type_by_oid(a->cat, element);
    return type != NULL ? type->array_oid : 0;
}

/* Types whose meaning comes from the other arguments. */
static bool is_polymorphic(uint32_t oid)
{
    return (oid >= ANYCOMPATIBLE && oid <= ANYCOMPATIBLERANGE) || oid == ANY || oid == ANYARRAY ||
           oid == ANYELEMENT || oid == ANYNONARRAY || oid == ANYENUM || oid == ANYRANGE ||
           oid == ANYMULTIRANGE || oid == ANYCOMPATIBLEMULTIRANGE;
}

/* A polymorphic parameter takes a family: arrays, ranges, enums or anything. */
static fit fit_polymorphic(const catalog_type *known, uint32_t wanted)
{
    bool ok = true;
    if (wanted == ANYARRAY || wanted == ANYCOMPATIBLEARRAY) {
        ok = known->element_oid != 0;
    } else if (wanted == ANYNONARRAY || wanted == ANYCOMPATIBLENONARRAY) {
        ok = known->element_oid == 0;
    } else if (wanted == ANYENUM) {
        ok = known->kind == CATALOG_ENUM;
    } else if (wanted == ANYRANGE || wanted == ANYCOMPATIBLERANGE) {
        ok = known->kind == CATALOG_RANGE;
    } else if (wanted == ANYMULTIRANGE || wanted == ANYCOMPATIBLEMULTIRANGE) {
        ok = known->kind == CATALOG_MULTIRANGE;
    }
    return ok ? FIT_POLYMORPHIC : FIT_NO;
}

/* Not known fits everything; a type that differs fits only by a cast the server takes unasked.
 *
 *     known int4, wanted int4        exact
 *     known int4, wanted anyelement  polymorphic
 *     known int4, wanted int8        through an implicit cast
 *     known text, wanted int4        no
 *     not known                      open: all that follows is a guess */
static fit fit_type(const analysis *a, uint32_t known, uint32_t wanted)
{
    uint32_t base = catalog_base_type(a->cat, known);
    const catalog_type *type = catalog_type_by_oid(a->cat, base);
    if (known == 0 || base == OID_UNKNOWN || type == NULL) {
        return FIT_OPEN;
    }
    if (base == wanted || known == wanted) {
        return FIT_EXACT;
    }
    if (is_polymorphic(wanted)) {
        return fit_polymorphic(type, wanted);
    }
    if (wanted == OID_RECORD) {
        return type->kind == CATALOG_COMPOSITE ? FIT_CAST : FIT_NO;
    }
    const catalog_cast *cast = catalog_cast_find(a->cat, base, wanted);
    const catalog_type *target = catalog_type_by_oid(a->cat, wanted);
    bool arrays = target != NULL && type->element_oid != 0 && target->element_oid != 0;
    return (cast != NULL && cast->implicit) || arrays || target == NULL ||
                   target->kind == CATALOG_COMPOSITE
               ? FIT_CAST
               : FIT_NO;
}

const char *last_name(const ast *names)
{
    return ast_text(ast_last(names));
}

/* Schema written before the name; definitions of views mean pg_catalog when they write none. */
static const char *schema_of_names(const analysis *a, const ast *names)
{
    const char *written = ast_count(names) > 1 ? ast_text(ast_first(names)) : NULL;
    return written == NULL && a->view_depth > 0 ? "pg_catalog" : written;
}

static bool partial_operator(const catalog_operator *op)
{
    for (size_t i = 0; i < ARRAY_LEN(PARTIAL_OPERATORS); i++) {
        if (strcmp(PARTIAL_OPERATORS[i].name, op->name) == 0 &&
            (PARTIAL_OPERATORS[i].left_oid == 0 || PARTIAL_OPERATORS[i].left_oid == op->left_oid)) {
            return true;
        }
    }
    return false;
}

/* The worse of the two operands decides. */
static fit fit_operator(const analysis *a, const catalog_operator *op, uint32_t left,
                        uint32_t right, bool prefix)
{
    if ((op->left_oid == 0) != prefix) {
        return FIT_NO;
    }
    fit l = prefix ? FIT_OPEN : fit_type(a, left, op->left_oid);
    fit r = fit_type(a, right, op->right_oid);
    return l < r ? l : r;
}

/* All overloads have to agree; the first one sets what the others can only take away. */
static void verdict_add(verdict *v, const catalog_operator *op)
{
    bool ok = trusted(op->oid, op->schema, op->extension);
    uint32_t result = is_polymorphic(op->result_oid) ? 0 : op->result_oid;
    if (!v->known) {
        *v = (verdict) { true, true, true, result };
    }
    v->result_oid = v->result_oid == result ? result : 0;
    v->strict = v->strict && ok && op->strict;
    v->total = v->total && ok && !partial_operator(op);
}

/* The type that the server tries first for an untyped literal beside a known type: the same one,
 * when the operator has that form. Source: PostgreSQL manual, "Operator Type Resolution", step 2a.
 *
 *     name || '!'    text || text, whatever other || there are */
static uint32_t literal_type(const analysis *a, const catalog_operator *all, size_t count,
                             uint32_t literal, uint32_t known)
{
    uint32_t base = catalog_base_type(a->cat, known);
    for (size_t i = 0; literal == OID_UNKNOWN && base != 0 && base != OID_UNKNOWN && i < count;
         i++) {
        if (all[i].left_oid == base && all[i].right_oid == base) {
            return base;
        }
    }
    return literal;
}

/* A first exact overload drops those that were kept before it.
 * Example: width + 1 with width int4. Exact on both sides is +(int4, int4) alone, so a user's
 * +(money_of_mine, int4) cannot be meant. With $1 + $2 every + is possible, a user's included, and
 * then nothing is claimed. */
verdict resolve_operator(const analysis *a, const ast *name, uint32_t left, uint32_t right)
{
    verdict v = { .known = false };
    const char *text = last_name(name);
    const char *schema = schema_of_names(a, name);
    size_t count = 0;
    const catalog_operator *all = text != NULL ? catalog_operators(a->cat, text, &count) : NULL;
    bool prefix = left == UINT32_MAX;
    bool exact = false;
    if (!prefix) {
        uint32_t written = left;
        left = literal_type(a, all, count, left, right);
        right = literal_type(a, all, count, right, written);
    }
    for (size_t i = 0; i < count; i++) {
        fit f = fit_operator(a, &all[i], left, right, prefix);
        bool open = f == FIT_OPEN; /* no type is known: nothing is exact */
        if (f == FIT_NO || (schema != NULL && strcmp(schema, all[i].schema) != 0)) {
            continue;
        }
        if (f == FIT_EXACT && !exact && !open) {
            exact = true;
            v = (verdict) { .known = false };
        }
        if (f == FIT_EXACT || !exact) {
            verdict_add(&v, &all[i]);
        }
    }
    return v;
}

bool operator_is_own(const analysis *a, const char *name)
{
    size_t count = 0;
    const catalog_operator *all = name != NULL ? catalog_operators(a->cat, name, &count) : NULL;
    for (size_t i = 0; i < count; i++) {
        if (!trusted(all[i].oid, all[i].schema, all[i].extension)) {
            return true;
        }
    }
    return name == NULL;
}

/* Defaults may be left out at the end; VARIADIC takes any number. */
static bool arity_fits(const catalog_function *f, const call_args *args)
{
    if (f->variadic_oid != 0 && !args->variadic) {
        return args->count + 1 >= f->arg_count;
    }
    return args->count <= f->arg_count && args->count + f->default_count >= f->arg_count;
}

/* The element type repeats for the arguments of VARIADIC. */
static uint32_t wanted_type(const catalog_function *f, const call_args *args, size_t index)
{
    if (f->variadic_oid != 0 && !args->variadic && index + 1 >= f->arg_count) {
        return f->variadic_oid;
    }
    return index < f->arg_count ? f->arg_oids[index] : 0;
}

/* Named arguments may stand in any order: then only their number counts. */
static fit fit_function(const analysis *a, const catalog_function *f, const call_args *args)
{
    if (!arity_fits(f, args)) {
        return FIT_NO;
    }
    fit worst = FIT_OPEN;
    for (size_t i = 0; i < args->count && !args->named; i++) {
        fit here =
            i < RESOLVE_ARGS_MAX ? fit_type(a, args->types[i], wanted_type(f, args, i)) : FIT_OPEN;
        worst = here < worst ? here : worst;
    }
    return worst;
}

/* Every argument is an untyped literal and the function takes text for each of them. */
static bool takes_literals(const catalog_function *f, const call_args *args)
{
    bool ok = args->count > 0 && args->count == f->arg_count && !args->named && !args->variadic;
    for (size_t i = 0; ok && i < args->count && i < RESOLVE_ARGS_MAX; i++) {
        ok = args->types[i] == OID_UNKNOWN && f->arg_oids[i] == OID_TEXT;
    }
    return ok;
}

/* Text is the preferred type of strings, and literals without type are taken for strings where a
 * candidate allows it. Source: PostgreSQL manual, "Function Type Resolution", step 4e.
 *
 *     regexp_matches('a', 'b')    the server's, not citext's */
static void prefer_text(const call_args *args, candidates *out)
{
    size_t kept = 0;
    if (out->overflow) {
        return;
    }
    for (size_t i = 0; i < out->count; i++) {
        if (takes_literals(out->items[i], args)) {
            out->items[kept++] = out->items[i];
        }
    }
    out->count = kept > 0 ? kept : out->count;
}

/* As for operators. More overloads than we keep make the answer uncertain. */
void resolve_function(const analysis *a, const ast *name, const call_args *args, candidates *out)
{
    const char *text = last_name(name);
    const char *schema = schema_of_names(a, name);
    size_t count = 0;
    const catalog_function *all = text != NULL ? catalog_functions(a->cat, text, &count) : NULL;
    bool exact = false;
    *out = (candidates) { .count = 0 };
    for (size_t i = 0; i < count; i++) {
        fit f = fit_function(a, &all[i], args);
        if (f == FIT_NO || (schema != NULL && strcmp(schema, all[i].schema) != 0)) {
            continue;
        }
        if (f == FIT_EXACT && !exact) {
            exact = true;
            out->count = 0;
            out->overflow = false;
        }
        if (exact && f != FIT_EXACT) {
            continue;
        }
        if (out->count == ARRAY_LEN(out->items)) {
            out->overflow = true;
            continue;
        }
        assert(out->count < ARRAY_LEN(out->items));
        out->items[out->count++] = &all[i];
    }
    prefer_text(args, out);
}

bool candidates_trusted(const candidates *found)
{
    for (size_t i = 0; i < found->count; i++) {
        const catalog_function *f = found->items[i];
        /* citext's functions are SQL over arrays: its split_part() gives NULL. */
        bool citext = f->extension != NULL && strcmp(f->extension, "citext") == 0;
        if (citext || !trusted(f->oid, f->schema, f->extension)) {
            return false;
        }
    }
    return found->count > 0 && !found->overflow;
}

bool candidates_kind(const candidates *found, char kind)
{
    for (size_t i = 0; i < found->count; i++) {
        if (found->items[i]->kind != kind) {
            return false;
        }
    }
    return found->count > 0 && !found->overflow;
}

/* Result of one candidate with polymorphic types put in from the first argument that tells. */
static uint32_t result_of(const analysis *a, const catalog_function *f, const call_args *args)
{
    if (!is_polymorphic(f->result_oid)) {
        return f->result_oid;
    }
    bool wants_array = f->result_oid == ANYARRAY || f->result_oid == ANYCOMPATIBLEARRAY;
    bool wants_element = f->result_oid == ANYELEMENT || f->result_oid == ANYCOMPATIBLE ||
                         f->result_oid == ANYNONARRAY;
    for (size_t i = 0; i < args->count && i < RESOLVE_ARGS_MAX && !args->named; i++) {
        uint32_t wanted = wanted_type(f, args, i);
        uint32_t known = catalog_base_type(a->cat, args->types[i]);
        if (!is_polymorphic(wanted) || wanted == ANY || known == 0 || known == OID_UNKNOWN) {
            continue;
        }
        bool is_array = wanted == ANYARRAY || wanted == ANYCOMPATIBLEARRAY;
        bool is_element = wanted == ANYELEMENT || wanted == ANYCOMPATIBLE || wanted == ANYNONARRAY;
        if (wanted == f->result_oid || (is_array && wants_array)) {
            return known;
        }
        if (is_array && wants_element) {
            return element_of(a, known);
        }
        return is_element && wants_array ? array_of(a, known) : 0;
    }
    return 0;
}

/* A type only when all overloads give the same one. */
uint32_t candidates_result(const analysis *a, const candidates *found, const call_args *args)
{
    uint32_t result = 0;
    for (size_t i = 0; i < found->count; i++) {
        uint32_t here = result_of(a, found->items[i], args);
        if (here == 0 || (i > 0 && here != result)) {
            return 0;
        }
        result = here;
    }
    return found->overflow ? 0 : result;
}

/* Array brackets may follow any name; modifiers do not change the type. */
const catalog_type *type_of_name(const analysis *a, const ast *type_name)
{
    const ast *names = ast_get(type_name, "names");
    const char *name = last_name(names);
    if (name == NULL) {
        return NULL;
    }
    const catalog_type *type = catalog_type_by_name(a->cat, schema_of_names(a, names), name);
    bool array = ast_count(ast_get(type_name, "arrayBounds")) > 0;
    return type != NULL && array ? catalog_type_by_oid(a->cat, type->array_oid) : type;
}

static bool is_any_of(uint32_t oid, const uint32_t *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] == oid) {
            return true;
        }
    }
    return false;
}

/* infinity has no time of day; jsonb null becomes SQL NULL in newer servers.
 *
 *     stamp::time   jsonb::int   (see sqlc.md §8.4, casts) */
static bool cast_loses(uint32_t source, uint32_t target)
{
    static const uint32_t times[] = { OID_TIME, OID_TIMETZ };
    static const uint32_t stamps[] = { 0, OID_TIMESTAMP, OID_TIMESTAMPTZ };
    static const uint32_t scalars[] = { OID_BOOL,   OID_NUMERIC,   OID_INT4, OID_INT8,
                                        OID_FLOAT8, 21 /* int2 */, 700 /* float4 */ };
    static const uint32_t jsons[] = { 0, OID_JSONB };
    return (is_any_of(target, times, ARRAY_LEN(times)) &&
            is_any_of(source, stamps, ARRAY_LEN(stamps))) ||
           (is_any_of(target, scalars, ARRAY_LEN(scalars)) &&
            is_any_of(source, jsons, ARRAY_LEN(jsons)));
}

/* Text input and output of the type is the server's or a known extension's. */
static bool safe_by_text(const analysis *a, uint32_t oid)
{
    const catalog_type *type = catalog_type_by_oid(a->cat, oid);
    return oid == 0 || oid == OID_UNKNOWN ||
           (type != NULL && (type->kind != CATALOG_BASE || oid < CATALOG_FIRST_USER_OID ||
                             type->element_oid != 0 || trusted_extension(type->extension)));
}

/* Functions of a user's cast may return what they like. */
static bool safe_cast_row(const catalog_cast *cast)
{
    return cast->oid < CATALOG_FIRST_USER_OID || !cast->with_function ||
           trusted_extension(cast->extension);
}

/* With a type of source that is not known, every cast to the target has to be safe. */
bool resolve_cast(const analysis *a, uint32_t source, uint32_t target)
{
    uint32_t from = catalog_base_type(a->cat, source);
    uint32_t to = catalog_base_type(a->cat, target);
    uint32_t from_element = element_of(a, from);
    uint32_t to_element = element_of(a, to);
    if (from_element != 0 && to_element != 0) { /* the array itself stays; see its elements */
        return true;
    }
    if (to == 0 || cast_loses(from, to) || !safe_by_text(a, from) || !safe_by_text(a, to)) {
        return false;
    }
    if (from != 0 && from != OID_UNKNOWN) {
        const catalog_cast *cast = catalog_cast_find(a->cat, from, to);
        return cast == NULL || safe_cast_row(cast);
    }
    size_t count = 0;
    const catalog_cast *casts = from == 0 ? catalog_casts_to(a->cat, to, &count) : NULL;
    for (size_t i = 0; i < count; i++) {
        if (!safe_cast_row(&casts[i])) {
            return false;
        }
    }
    return true;
}

/* NULL in, NULL out, for all casts that may be meant. */
bool cast_is_strict(const analysis *a, uint32_t source, uint32_t target)
{
    uint32_t from = catalog_base_type(a->cat, source);
    uint32_t to = catalog_base_type(a->cat, target);
    size_t count = 0;
    const catalog_cast *casts = catalog_casts_to(a->cat, to, &count);
    for (size_t i = 0; i < count; i++) {
        bool may_be = from == 0 || casts[i].source_oid == from;
        if (may_be && (!casts[i].strict || !safe_cast_row(&casts[i]))) {
            return false;
        }
    }
    return to != 0;
}
