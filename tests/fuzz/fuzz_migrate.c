/* What comes from a migration directory, as arbitrary bytes: statements, directives, the sum file.
 * The first byte chooses. Statements must lie inside the text, in order, without overlap. */
#include "base/prelude.h"

#include "fuzz.h"
#include "migrate/directive.h"
#include "migrate/split.h"
#include "migrate/sum.h"

static volatile size_t fuzz_sum; /* keeps the walks from being optimised away */

static void check_statements(slice text, const migrate_stmts *stmts)
{
    const char *end = text.ptr;
    for (size_t i = 0; i < stmts->count; i++) {
        slice stmt = stmts->items[i].text;
        if (stmt.ptr < end || stmt.ptr + stmt.len > text.ptr + text.len) {
            __builtin_trap();
        }
        end = stmt.ptr + stmt.len;
        for (size_t k = 0; k < stmts->items[i].comment_count; k++) {
            fuzz_sum += stmts->items[i].comments[k].len;
        }
    }
}

static void try_split(slice text, arena *mem)
{
    migrate_stmts stmts = { NULL, 0 };
    pgc_error err;
    pgc_status status = migrate_split(text, mem, &stmts, &err);
    if (status == PGC_OK) {
        check_statements(text, &stmts);
    } else if (status != PGC_INVALID && status != PGC_LIMIT) {
        __builtin_trap();
    }
}

static void try_directives(slice text)
{
    static const char *const NAMES[] = { "txmode", "checkpoint", "sum", "delimiter" };
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        slice first = SLICE("");
        fuzz_sum += migrate_header_find(text, pgc_text_from(NAMES[i]), &first);
        fuzz_sum += first.len + migrate_directive_lost(text, pgc_text_from(NAMES[i]));
    }
    fuzz_sum += migrate_directive_sum_ignored(text);
}

static void try_sum(slice text, arena *mem)
{
    static const migrate_embedded TABLE[] = { { "1_a.sql", "SELECT 1;", 9 },
                                              { "2_b.sql", "SELECT 2;", 9 } };
    const migrate_source source = { NULL, TABLE, ARRAY_LEN(TABLE) };
    migrate_sum_problem problem;
    migrate_dir dir;
    if (migrate_dir_load(env_default(), &source, mem, &dir, NULL) == PGC_OK) {
        dir.sum_text = text;
        fuzz_sum += (size_t) migrate_sum_validate(&dir, mem, &problem, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    if (size == 0 || mem == NULL) {
        return 0;
    }
    slice text = { (const char *) data + 1, size - 1 };
    switch (data[0] % 3) {
    case 0:
        try_split(text, mem);
        break;
    case 1:
        try_directives(text);
        break;
    default:
        try_sum(text, mem);
        break;
    }
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *data, size_t size)
{
    static const char *const SEEDS[] = {
        "\x03SELECT 1; -- c\nSELECT $a$;$a$, 'x;', \"y\", (1;2);\n/* d */ BEGIN x; END;\n",
        "\x03"
        "DELIMITER //\nSELECT 1//\nDELIMITER ;\nCREATE f BEGIN ATOMIC SELECT 1; END;",
        "\x03-- atlas:delimiter \\n\\n\n\nSELECT 1;\n\nSELECT 2",
        "\x03"
        "BEGIN BEGIN BEGIN a; END; b; BEGIN ATOMIC c; END",
        "\x01-- atlas:txmode none\n-- atlas:checkpoint v1\n# atlas:nolint a b\n\nSELECT 1;\n",
        "\x02h1:csrfizY5zAaWxcfKN11ledRJjP0fy4I2z9qGMWAr6Ms=\n"
        "1_a.sql h1:3VOeYrPuwcQCiXa7s3vHbvobqJUDbMKnUpX/tKbwVB4=\n",
        "\x02h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
    };
    if (index >= ARRAY_LEN(SEEDS)) {
        return 0;
    }
    size_t len = strlen(SEEDS[index]);
    len = len < size ? len : size;
    memcpy(data, SEEDS[index], len);
    return len;
}
