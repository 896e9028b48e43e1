/* libpg_query's JSON tree, copied into the arena as tagged nodes with member lists.
 *
 * JSON is the one output whose names stay the same from libpg_query 15 to 17; the C structs and the
 * protobuf numbering do not. Invariant: a built node is never changed. The JSON text and its parser
 * live only inside ast_parse(). Thread-safe: yes. */
#include "base/prelude.h"

#include "sqlc/ast.h"

#include <jansson.h>
#include <pg_query.h>

#include "base/buf.h"
#include "sqlc/json_text.h"

#define DEPTH_MAX 1000u /* nesting of JSON values; jansson itself stops at 2048 */

struct ast {
    ast_kind kind;
    const char *key; /* in the parent; NULL for items of a sequence */
    const ast *first, *next;
    const char *text;
    int64_t number;
};

static const struct {
    const char *tag;
    ast_kind kind;
} KINDS[] = {
#define X(name, tag) { tag, AST_##name },
    AST_KIND_MAP(X)
#undef X
};

/* Tags start with a capital, members with a small letter. */
static bool is_tag(const char *key)
{
    return key[0] >= 'A' && key[0] <= 'Z';
}

/* A linear search is enough: trees are small and the list fits in a few cache lines. */
static ast_kind kind_of_tag(const char *tag)
{
    for (size_t i = 0; i < ARRAY_LEN(KINDS); i++) {
        if (strcmp(KINDS[i].tag, tag) == 0) {
            return KINDS[i].kind;
        }
    }
    return AST_OTHER;
}

/* What a walk over the JSON tree carries. */
typedef struct copier {
    arena *arena;
    pgc_status status;
} copier;

static ast *copy_value(copier *c, json_t *value, unsigned depth);

/* The one place that allocates nodes; a failure is kept in the copier. */
static ast *new_node(copier *c, ast_kind kind)
{
    ast *node = ARENA_NEW(c->arena, ast);
    if (node == NULL) {
        c->status = PGC_NOMEM;
        return NULL;
    }
    node->kind = kind;
    return node;
}

/* Members keep their order, so that ast_equal() can walk two trees side by side. */
static void copy_members(copier *c, ast *node, json_t *object, unsigned depth)
{
    assert(node->first == NULL && json_is_object(object));
    const ast **tail = &node->first;
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(object, key, value)
    {
        ast *member = copy_value(c, value, depth + 1);
        char *name = arena_strdup(c->arena, key);
        if (member == NULL || name == NULL) {
            c->status = c->status == PGC_OK ? PGC_NOMEM : c->status;
            return;
        }
        member->key = name;
        if (member->kind == AST_BARE && (strcmp(name, "larg") == 0 || strcmp(name, "rarg") == 0)) {
            member->kind = AST_SELECT; /* the branches of a set operation carry no tag */
        }
        *tail = member;
        tail = &member->next;
    }
}

/* {"SelectStmt": {…}} becomes one node of that kind with the inner members; an object without
 * a tag, such as an alias, becomes a bare node.
 *
 *     {"A_Const": {"ival": {"ival": 1}, "location": 7}}   a node of kind AST_A_CONST
 *     {"relname": "t", "relpersistence": "p"}             members without a tag: AST_BARE */
static ast *copy_object(copier *c, json_t *object, unsigned depth)
{
    void *iter = json_object_iter(object);
    const char *key = iter != NULL ? json_object_iter_key(iter) : NULL;
    bool tagged = key != NULL && json_object_size(object) == 1 && is_tag(key);
    json_t *body = tagged ? json_object_iter_value(iter) : object;
    ast *node = new_node(c, tagged ? kind_of_tag(key) : AST_BARE);
    if (node == NULL) {
        return NULL;
    }
    if (tagged && node->kind == AST_OTHER) {
        node->text = arena_strdup(c->arena, key);
    }
    if (json_is_object(body)) {
        copy_members(c, node, body, depth);
    }
    return c->status == PGC_OK ? node : NULL;
}

/* A sequence is a node whose members have no key. */
static ast *copy_array(copier *c, json_t *array, unsigned depth)
{
    ast *node = new_node(c, AST_ARRAY);
    if (node == NULL) {
        return NULL;
    }
    const ast **tail = &node->first;
    for (size_t i = 0; i < json_array_size(array); i++) {
        ast *item = copy_value(c, json_array_get(array, i), depth + 1);
        if (item == NULL) {
            return NULL;
        }
        *tail = item;
        tail = &item->next;
    }
    return node;
}

/* false never stands in the tree: libpg_query leaves out what has its default value. */
static ast *copy_scalar(copier *c, json_t *value)
{
    ast *node = new_node(c, AST_NULL);
    if (node == NULL) {
        return NULL;
    }
    if (json_is_string(value)) {
        node->kind = AST_TEXT;
        node->text = arena_strdup(c->arena, json_string_value(value));
        c->status = node->text == NULL ? PGC_NOMEM : c->status;
    } else if (json_is_number(value)) {
        node->kind = AST_NUMBER;
        node->number = json_is_integer(value) ? (int64_t) json_integer_value(value)
                                              : (int64_t) json_real_value(value);
    } else if (json_is_true(value)) {
        node->kind = AST_TRUE;
    }
    return node;
}

/* Depth is bounded here, so that every later walk over the tree may recurse. */
static ast *copy_value(copier *c, json_t *value, unsigned depth)
{
    if (depth > DEPTH_MAX) {
        c->status = PGC_LIMIT;
        return NULL;
    }
    if (json_is_object(value)) {
        return copy_object(c, value, depth);
    }
    return json_is_array(value) ? copy_array(c, value, depth) : copy_scalar(c, value);
}

/* The parser's cursor counts characters from 1; errors without a place have 0. */
static pgc_status parse_error(const PgQueryError *error, pgc_error *err)
{
    pgc_status status = pgc_error_set(err, PGC_INVALID, "parse the statement: %s", error->message);
    if (err != NULL) {
        err->position = error->cursorpos > 0 ? error->cursorpos : 0;
        memcpy(err->sqlstate, "42601", sizeof "42601");
    }
    return status;
}

/* The JSON text is outside input of a kind (libpg_query's), hence no assumption about its
 * shape.
 *
 *     {"version": 150001, "stmts": [{"stmt": {"SelectStmt": {…}}, "stmt_len": 8}]} */
static pgc_status copy_tree(const char *json, arena *mem, const ast **out, pgc_error *err)
{
    json_error_t problem;
    json_t *root = json_loads(json, 0, &problem);
    if (root == NULL) {
        if (json_text_no_memory(&problem, true)) {
            return pgc_error_set(err, PGC_NOMEM, "parse the statement");
        }
        return pgc_error_set(err, PGC_LIMIT, "parse the statement: read its tree: %s",
                             problem.text);
    }
    copier c = { mem, PGC_OK };
    json_t *stmts = json_object_get(root, "stmts");
    size_t count = json_array_size(stmts);
    ast *node =
        count == 1 ? copy_value(&c, json_object_get(json_array_get(stmts, 0), "stmt"), 0) : NULL;
    json_decref(root);
    if (count != 1) {
        return pgc_error_set(err, PGC_INVALID, "parse the statement: %zu statements, want one",
                             count);
    }
    if (node == NULL) {
        return pgc_error_set(err, c.status != PGC_OK ? c.status : PGC_NOMEM,
                             "parse the statement: copy its tree");
    }
    *out = node;
    return PGC_OK;
}

/* libpg_query wants NUL-terminated text and returns blocks of its own, freed on every path. */
pgc_status ast_parse(slice sql, arena *mem, const ast **out, pgc_error *err)
{
    assert(mem != NULL && out != NULL && sql.ptr != NULL);
    const char *text = arena_copy(mem, sql);
    if (text == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "parse the statement");
    }
    PgQueryParseResult result = pg_query_parse(text);
    pgc_status status = result.error != NULL ? parse_error(result.error, err)
                                             : copy_tree(result.parse_tree, mem, out, err);
    pg_query_free_parse_result(result);
    return status;
}

ast_kind ast_kind_of(const ast *node)
{
    return node != NULL ? node->kind : AST_NULL;
}

const ast *ast_get(const ast *node, const char *key)
{
    assert(key != NULL);
    for (const ast *member = node != NULL ? node->first : NULL; member != NULL;
         member = member->next) {
        if (member->key != NULL && strcmp(member->key, key) == 0) {
            return member;
        }
    }
    return NULL;
}

/* Both spellings of a name: {"String": {"sval": …}} and the bare text of a member. */
const char *ast_text(const ast *string_node)
{
    if (string_node == NULL) {
        return NULL;
    }
    if (string_node->kind == AST_TEXT) {
        return string_node->text;
    }
    if (string_node->kind != AST_STRING) {
        return NULL;
    }
    const ast *text = ast_get(string_node, "sval");
    return text != NULL ? text->text : "";
}

const char *ast_str(const ast *node, const char *key)
{
    return ast_text(ast_get(node, key));
}

int64_t ast_int(const ast *node, const char *key, int64_t absent)
{
    const ast *member = ast_get(node, key);
    return member != NULL && member->kind == AST_NUMBER ? member->number : absent;
}

bool ast_flag(const ast *node, const char *key)
{
    return ast_kind_of(ast_get(node, key)) == AST_TRUE;
}

bool ast_is(const ast *node, const char *key, const char *value)
{
    const char *text = ast_str(node, key);
    return text != NULL && strcmp(text, value) == 0;
}

/* Byte offset 0 is a default value, too, and so not written: absent means 0, not unknown.
 *
 *     SELECT a, b    has the locations 7 and 10; a node at the very start has none in the JSON */
int64_t ast_location(const ast *node)
{
    return node != NULL ? ast_int(node, "location", 0) : -1;
}

/* A List node hides its items behind a member; a plain sequence is its items. */
const ast *ast_first(const ast *list)
{
    if (list == NULL) {
        return NULL;
    }
    if (list->kind == AST_LIST) {
        const ast *items = ast_get(list, "items");
        return items != NULL ? items->first : NULL;
    }
    return list->first;
}

const ast *ast_next(const ast *item)
{
    return item != NULL ? item->next : NULL;
}

size_t ast_count(const ast *list)
{
    size_t count = 0;
    for (const ast *item = ast_first(list); item != NULL; item = item->next) {
        count++;
    }
    return count;
}

const ast *ast_nth(const ast *list, size_t index)
{
    const ast *item = ast_first(list);
    while (item != NULL && index-- > 0) {
        item = item->next;
    }
    return item;
}

const ast *ast_last(const ast *list)
{
    const ast *last = NULL;
    for (const ast *item = ast_first(list); item != NULL; item = item->next) {
        last = item;
    }
    return last;
}

/* Positions differ between two equal expressions. */
static bool is_place(const ast *member)
{
    return member->key != NULL &&
           (strcmp(member->key, "location") == 0 || strcmp(member->key, "list_start") == 0 ||
            strcmp(member->key, "list_end") == 0);
}

static const ast *skip_places(const ast *member)
{
    while (member != NULL && is_place(member)) {
        member = member->next;
    }
    return member;
}

/* Kinds, names, texts and numbers agree in the whole tree. */
bool ast_equal(const ast *a, const ast *b)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }
    bool same_text =
        a->text == b->text || (a->text != NULL && b->text != NULL && strcmp(a->text, b->text) == 0);
    if (a->kind != b->kind || a->number != b->number || !same_text) {
        return false;
    }
    const ast *x = skip_places(a->first);
    const ast *y = skip_places(b->first);
    while (x != NULL && y != NULL) {
        bool same_key =
            x->key == NULL ? y->key == NULL : y->key != NULL && strcmp(x->key, y->key) == 0;
        if (!same_key || !ast_equal(x, y)) {
            return false;
        }
        x = skip_places(x->next);
        y = skip_places(y->next);
    }
    return x == y;
}
