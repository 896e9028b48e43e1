/* The evaluator of rule expressions: values, errors with their place, limits. What is expected of
 * each operator is what the language definition (cel-spec) says. */
#include "base/prelude.h"

#include "sqlc/cel.h"

#include "oom.h"
#include "tap.h"

static const char *const NAMES[] = { "query", "n", "words" };

/* query: {name: "GetAsset", cmd: "one", params: [{number: 1}], comment: "" (unset)}, n: 7,
 * words: ["a", "bc"]. */
static cel_value variables(void)
{
    static cel_entry param[1];
    static cel_value params[1];
    static cel_entry query[4];
    static cel_value words[2];
    static cel_entry all[3];
    param[0] = (cel_entry) { .key = SLICE("number"), .value = cel_int(1) };
    params[0] = cel_map(param, 1);
    query[0] = (cel_entry) { .key = SLICE("name"), .value = cel_text(SLICE("GetAsset")) };
    query[1] = (cel_entry) { .key = SLICE("cmd"), .value = cel_text(SLICE("one")) };
    query[2] = (cel_entry) { .key = SLICE("params"), .value = cel_list(params, 1) };
    query[3] = (cel_entry) { .key = SLICE("comment"), .value = cel_text(SLICE("")), .unset = true };
    words[0] = cel_text(SLICE("a"));
    words[1] = cel_text(SLICE("bc"));
    all[0] = (cel_entry) { .key = SLICE("query"), .value = cel_map(query, 4) };
    all[1] = (cel_entry) { .key = SLICE("n"), .value = cel_int(7) };
    all[2] = (cel_entry) { .key = SLICE("words"), .value = cel_list(words, 2) };
    return cel_map(all, 3);
}

/* A value as text: 1, 1.5, "x", true, null, [..], {k: v}. */
static const char *show(arena *mem, const cel_value *value)
{
    const char *text = NULL;
    switch (value->kind) {
    case CEL_NULL:
        return "null";
    case CEL_BOOL:
        return value->v.boolean ? "true" : "false";
    case CEL_INT:
        return arena_printf(mem, "%" PRId64, value->v.integer);
    case CEL_DOUBLE:
        return arena_printf(mem, "%.3f", value->v.number);
    case CEL_STRING:
        return arena_printf(mem, "\"%" SLICE_FMT "\"", SLICE_ARG(value->v.text));
    case CEL_LIST:
        text = "[";
        for (size_t i = 0; i < value->count; i++) {
            text = arena_printf(mem, "%s%s%s", text, i == 0 ? "" : ", ",
                                show(mem, &value->v.items[i]));
        }
        return arena_printf(mem, "%s]", text);
    case CEL_MAP:
        text = "{";
        for (size_t i = 0; i < value->count; i++) {
            const cel_entry *e = &value->v.entries[i];
            text = arena_printf(mem, "%s%s%" SLICE_FMT ": %s", text, i == 0 ? "" : ", ",
                                SLICE_ARG(e->key), show(mem, &e->value));
        }
        return arena_printf(mem, "%s}", text);
    }
    return "?";
}

static pgc_status evaluate(arena *mem, const char *text, cel_value *out, cel_problem *problem)
{
    const cel_expr *expr = NULL;
    cel_value names = variables();
    TRY(cel_parse(mem, (slice) { text, strlen(text) }, NAMES, ARRAY_LEN(NAMES), &expr, problem));
    return cel_eval(mem, expr, &names, out, problem);
}

static void expect(const char *text, const char *want)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    cel_problem problem = { 0 };
    cel_value value = { 0 };
    pgc_status status = evaluate(mem, text, &value, &problem);
    if (!CHECK_INT(status, PGC_OK) || !CHECK_STR(show(mem, &value), want)) {
        printf("# %s: %zu: %s\n", text, problem.at, problem.message);
    }
}

/* at: byte of the mistake. */
static void expect_problem(const char *text, size_t at, const char *words)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    cel_problem problem = { 0 };
    cel_value value = { 0 };
    pgc_status status = evaluate(mem, text, &value, &problem);
    if (!CHECK_INT(status, PGC_INVALID) || !CHECK_INT(problem.at, at) ||
        !CHECK(strstr(problem.message, words) != NULL)) {
        printf("# %s: %zu: %s\n", text, problem.at, problem.message);
    }
}

static void literals_are_read(void)
{
    expect("12", "12");
    expect("0x1F", "31");
    expect("-9223372036854775808", "-9223372036854775808");
    expect("1.5", "1.500");
    expect("2e3", "2000.000");
    expect(".5", "0.500");
    expect("true", "true");
    expect("null", "null");
    expect("'a\\n\\x41\\u00e4\\101\"'", "\"a\nAäA\"\"");
    expect("\"it's\"", "\"it's\"");
    expect("r'\\d'", "\"\\d\"");
    expect("'''two\nlines'''", "\"two\nlines\"");
    expect("[1, 'a', [true,],]", "[1, \"a\", [true]]");
    expect("{'a': 1, 'b': {'c': 2}}", "{a: 1, b: {c: 2}}");
    expect("// a comment\n n // and more", "7");
}

static void operators_bind_as_defined(void)
{
    expect("1 + 2 * 3 - 4 / 2 % 3", "5");
    expect("-(2 + 3)", "-5");
    expect("--n", "7");
    expect("!true || true", "true");
    expect("1 < 2 && 2 <= 2 && 3 > 2 && 2 >= 2 && 1 != 2", "true");
    expect("1 == 1.0", "true");
    expect("9007199254740993 > 9007199254740992.0", "true");
    expect("'b' > 'a'", "true");
    expect("1 == 'a'", "false");
    expect("[1, 2] == [1, 2] && {'a': 1} == {'a': 1} && [1] != [2]", "true");
    expect("1.5 + 1.0 == 2.5", "true");
    expect("'a' + 'b'", "\"ab\"");
    expect("[1] + [2]", "[1, 2]");
    expect("'a' in words && !('x' in words) && 'name' in query", "true");
    expect("n > 5 ? 'big' : 'small'", "\"big\"");
    expect("false ? 1 : true ? 2 : 3", "2");
    expect("0.0 / 0.0 < 1.0", "false");
}

static void one_side_may_decide(void)
{
    expect("false && 1 / 0 == 1", "false");
    expect("1 / 0 == 1 && false", "false");
    expect("1 / 0 == 1 || true", "true");
    expect_problem("1 / 0 == 1 || false", 2, "division by zero");
    expect_problem("true && query.nope", 14, "no field is called \"nope\"");
    expect_problem("1 && true", 0, "bool wanted, this is int");
}

static void fields_and_macros_work(void)
{
    expect("query.name", "\"GetAsset\"");
    expect("query['cmd']", "\"one\"");
    expect("query.params[0].number", "1");
    expect("size(query.params) == 1 && query.params.size() == 1", "true");
    expect("has(query.name) && !has(query.nope) && !has(query.comment)", "true");
    expect("query.comment == ''", "true");
    expect("words.all(w, size(w) > 0)", "true");
    expect("words.exists(w, w == 'bc')", "true");
    expect("words.exists_one(w, w.startsWith('b'))", "true");
    expect("words.filter(w, size(w) == 2)", "[\"bc\"]");
    expect("words.map(w, w + '!')", "[\"a!\", \"bc!\"]");
    expect("words.map(w, size(w) == 1, w + '?')", "[\"a?\"]");
    expect("[[1, 2], [3]].exists(l, l.exists(x, x == 3 && l.size() == 1))", "true");
    expect("query.map(k, k)", "[\"name\", \"cmd\", \"params\", \"comment\"]");
    expect("[0, 1].exists(x, 1 / x == 1)", "true");
    expect("[1, 0].all(x, 2 / x == 1)", "false");
    expect_problem("[0, 2].exists(x, 1 / x == 1)", 19, "division by zero");
    expect("[].all(x, x)", "true");
}

static void functions_on_text_count_characters(void)
{
    expect("size('äö')", "2");
    expect("'hello'.contains('ell') && 'hello'.startsWith('he') && 'hello'.endsWith('lo')", "true");
    expect("'äbc'.charAt(1)", "\"b\"");
    expect("'äbcb'.indexOf('b')", "1");
    expect("'äbcb'.indexOf('b', 2)", "3");
    expect("'äbcb'.lastIndexOf('b')", "3");
    expect("'äbcb'.lastIndexOf('b', 2)", "1");
    expect("'abc'.indexOf('x')", "-1");
    expect("'äbc'.substring(1) + 'äbc'.substring(0, 1)", "\"bcä\"");
    expect("'SeleCT'.lowerAscii() + 'x'.upperAscii()", "\"selectX\"");
    expect("' a '.trim()", "\"a\"");
    expect("'a-b-c'.replace('-', '+')", "\"a+b+c\"");
    expect("'a-b-c'.replace('-', '+', 1)", "\"a+b-c\"");
    expect("'a,b,,c'.split(',')", "[\"a\", \"b\", \"\", \"c\"]");
    expect("'a,b,c'.split(',', 2)", "[\"a\", \"b,c\"]");
    expect("'äb'.split('')", "[\"ä\", \"b\"]");
    expect("['a', 'b'].join('-') + ['c'].join()", "\"a-bc\"");
    expect("int('12') + int(3.9) + int(-1)", "14");
    expect("double('1.5') + double(1)", "2.500");
    expect("string(1) + string(0.1) + string(true) + string('x')", "\"10.1truex\"");
    expect("bool('true')", "true");
    expect_problem("'abc'.charAt(4)", 6, "position 4");
    expect_problem("'abc'.substring(2, 1)", 6, "from 2 to 1");
    expect_problem("int('x')", 0, "no whole number");
    expect_problem("'a'.replace('', 'b')", 4, "empty text");
}

static void patterns_match(void)
{
    expect("'SELECT 1'.matches('(?i)^select\\\\s+\\\\d$')", "true");
    expect("matches('abc', 'b')", "true");
    expect("'abc'.matches('^b')", "false");
    expect("'a\\nb'.matches('a.b')", "false");
    expect("'grün'.matches('^gr.n$')", "true");
    expect("'x'.matches('[[:digit:]]|\\\\bx\\\\b')", "true");
    expect_problem("'x'.matches('(')", 4, "the pattern is faulty at its character 2");
    expect_problem("'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'.matches('^(a|aa)+$')", 41, "given up");
}

static void mistakes_have_a_place(void)
{
    expect_problem("", 0, "the expression ends where a value should be");
    expect_problem("1 +", 3, "the expression ends where a value");
    expect_problem("(1", 2, "\")\" should be");
    expect_problem("1 2", 2, "\"2\" where the end should be");
    expect_problem("'abc", 0, "unterminated string");
    expect_problem("'a\\qb'", 2, "no such escape");
    expect_problem("'\\u12'", 1, "too few digits");
    expect_problem("1 # 2", 2, "unexpected character \"#\"");
    expect_problem("5u", 1, "unsigned");
    expect_problem("99999999999999999999", 0, "64 bits");
    expect_problem("9223372036854775808", 0, "64 bits");
    expect_problem("querry.name", 0, "nothing is called \"querry\"");
    expect_problem("query.name.shout()", 11, "no method is called \"shout\"");
    expect_problem("sice(words)", 0, "no function is called \"sice\"");
    expect_problem("size()", 0, "another number of arguments");
    expect_problem("has(n)", 4, "has() takes a field");
    expect_problem("words.all(1, true)", 10, "the name of a variable");
    expect_problem("words.all(w, true) && w == 'a'", 22, "nothing is called \"w\"");
    expect_problem("9223372036854775807 + 1", 20, "64 bits");
    expect_problem("-9223372036854775808 / -1", 21, "64 bits");
    expect_problem("1 + 1.0", 2, "does not work on int and double");
    expect_problem("words[2]", 5, "index 2 of a list of 2");
    expect_problem("n.x", 2, "int has no fields");
    expect_problem("n[0]", 1, "int cannot be indexed by int");
    expect_problem("{'a': 1}['b']", 8, "no key \"b\"");
    expect_problem("{1: 2}", 1, "keys of a map are texts");
    expect_problem("n.all(x, true)", 2, "a list or a map wanted");
}

static void nesting_and_work_are_bounded(void)
{
    char deep[3000];
    memset(deep, '(', 1000);
    deep[1000] = '1';
    memset(deep + 1001, ')', 1000);
    deep[2001] = '\0';
    expect_problem(deep, 100, "nested too deeply");
    memset(deep, '-', 1000);
    memcpy(deep + 1000, "n", 2);
    expect_problem(deep, 99, "nested too deeply");
    size_t len = 1;
    deep[0] = 'n';
    for (; len < 2000; len += 2) {
        memcpy(deep + len, ".a", 3);
    }
    expect_problem(deep, 201, "nested too deeply");
    expect("'0123456789'.split('').exists(a, '0123456789'.split('').exists(b, a + b == '99'))",
           "true");
    /* Seven loops over ten elements each. */
    expect_problem("[0,1,2,3,4,5,6,7,8,9].all(a, [0,1,2,3,4,5,6,7,8,9].all(b, "
                   "[0,1,2,3,4,5,6,7,8,9].all(c, [0,1,2,3,4,5,6,7,8,9].all(d, "
                   "[0,1,2,3,4,5,6,7,8,9].all(e, [0,1,2,3,4,5,6,7,8,9].all(f, "
                   "[0,1,2,3,4,5,6,7,8,9].all(g, a >= 0)))))))",
                   208, "takes too long");
}

static void survives_failed_allocations(void)
{
    static const char TEXT[] = "words.map(w, w + query.name).join(',').replace('a', 'b').matches("
                               "'b') && {'a': [n]}.a[0] == 7 && string(0.1).split('.').size() == 2";
    bool complete = false;
    for (int fail_at = 1; !complete && fail_at < 200; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        arena *mem = arena_new(&alloc, 64, 0);
        cel_problem problem = { 0 };
        cel_value value = { 0 };
        pgc_status status = mem == NULL ? PGC_NOMEM : evaluate(mem, TEXT, &value, &problem);
        CHECK(status == PGC_OK || status == PGC_NOMEM);
        complete = status == PGC_OK;
        CHECK(!complete || value.v.boolean);
        arena_free(mem);
        CHECK_INT(plan.live, 0);
    }
    CHECK(complete);
}

TAP_MAIN(TAP("literals are read", literals_are_read),
         TAP("operators bind as the language says", operators_bind_as_defined),
         TAP("one side of && and || may decide", one_side_may_decide),
         TAP("fields, indexes and macros work", fields_and_macros_work),
         TAP("functions on text count characters", functions_on_text_count_characters),
         TAP("patterns match as those of RE2", patterns_match),
         TAP("mistakes have a place", mistakes_have_a_place),
         TAP("nesting and work are bounded", nesting_and_work_are_bounded),
         TAP("failed allocations are reported", survives_failed_allocations))
