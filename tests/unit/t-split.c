/* The statement splitter against the vectors of the Atlas format. */
#include "base/prelude.h"

#include "base/buf.h"
#include "migrate/split.h"

#include "tap.h"

#define MAX_PARTS 8

typedef struct vector {
    const char *input;
    const char *parts[MAX_PARTS]; /* NULL-terminated */
    const char *error;            /* wanted message; NULL: none */
} vector;

static const vector VECTORS[] = {
    { "", { NULL }, NULL },
    { "  \n\t\n", { NULL }, NULL },
    { "SELECT 1;\nSELECT 2", { "SELECT 1;", "SELECT 2" }, NULL },
    { "SELECT 1;\n-- done", { "SELECT 1;", "-- done" }, NULL },
    { "SELECT 1;\n-- done\n", { "SELECT 1;" }, NULL },
    { "SELECT 1;\n-- don't", { NULL }, "2:7: unclosed quote '" },
    { "-- don't\nSELECT 1;", { "SELECT 1;" }, NULL },
    { "SELECT 1 -- x; y\n, 2;", { "SELECT 1 -- x; y\n, 2;" }, NULL },
    { "SELECT (1;2);", { "SELECT (1;2);" }, NULL },
    { ";;", { ";", ";" }, NULL },
    { "/* a /* b */ c */ SELECT 1;", { "c */ SELECT 1;" }, NULL },
    { "BEGIN;\nSELECT 1;\nCOMMIT;", { "BEGIN;", "SELECT 1;", "COMMIT;" }, NULL },
    { "BEGIN WORK;\nSELECT 1;\nEND;\nSELECT 2;",
      { "BEGIN WORK;\nSELECT 1;\nEND;", "SELECT 2;" },
      NULL },
    { "BEGIN TRANSACTION;\nSELECT 1;\nCOMMIT;",
      { "BEGIN TRANSACTION;", "SELECT 1;", "COMMIT;" },
      NULL },
    { "CREATE FUNCTION f(a int) RETURNS int BEGIN ATOMIC SELECT a; SELECT a+1; END;\nSELECT 2;",
      { "CREATE FUNCTION f(a int) RETURNS int BEGIN ATOMIC SELECT a; SELECT a+1; END;",
        "SELECT 2;" },
      NULL },
    { "SELECT $a$ x; SELECT 2;", { "SELECT $a$ x; SELECT 2;" }, NULL },
    { "SELECT $a$ x; $a$; SELECT 2;", { "SELECT $a$ x; $a$;", "SELECT 2;" }, NULL },
    { "SELECT $$;$a$;$$; SELECT 2;", { "SELECT $$;$a$;$$;", "SELECT 2;" }, NULL },
    { "SELECT $\xC3\x9C$;$\xC3\x9C$; X", { "SELECT $\xC3\x9C$;$\xC3\x9C$;", "X" }, NULL },
    { "PREPARE p AS SELECT $1; SELECT 2;", { "PREPARE p AS SELECT $1;", "SELECT 2;" }, NULL },
    { "# note\nSELECT 1;", { "# note\nSELECT 1;" }, NULL },
    { "COPY t FROM stdin;\n1\ta\n\\.\nSELECT 1;",
      { "COPY t FROM stdin;", "1\ta\n\\.\nSELECT 1;" },
      NULL },
    { "-- atlas:delimiter \\n\\n\n\n\nSELECT 1;\nSELECT 2;\n\nSELECT 3",
      { "SELECT 1;\nSELECT 2;", "SELECT 3" },
      NULL },
    { "DELIMITER //\nSELECT 1//\nDELIMITER ;\nSELECT 2;", { "SELECT 1", "SELECT 2;" }, NULL },
    { "DELIMITER '//'\nSELECT 1;//", { "SELECT 1;" }, NULL },
    { "DELIMITER '\nSELECT 1;", { NULL }, "1:10: a lone quote cannot be a delimiter" },
    { "DELIMITER \nSELECT 1;", { NULL }, "1:10: empty delimiter" },
    { "SELECT 1;\r\nSELECT 2;\r\n", { "SELECT 1;", "SELECT 2;" }, NULL },
    { "SELECT (1", { NULL }, "1:8: unclosed '('" },
    { "SELECT 1);", { NULL }, "1:9: unexpected ')'" },
    { "SELECT 1;\nSELECT \"a", { NULL }, "2:8: unclosed quote \"" },
    { "-- atlas:delimiter\nSELECT 1;", { NULL }, "1:0: empty delimiter" },
    { "-- atlas:delimiter //", { NULL }, "1:0: no statements after the delimiter line" },
    { "-- atlas:delimiter //\nSELECT 1;//SELECT 2//", { "SELECT 1;", "SELECT 2" }, NULL },
    { "\xC2\xA0SELECT 1;\xE2\x80\x83", { "SELECT 1;" }, NULL },
    { "SELECT 1; /* open", { "SELECT 1;", "/* open" }, NULL },
    { "SELECT '\xFF;';x", { "SELECT '\xFF;';", "x" }, NULL },
    { "SELECT 'a''b;';x", { "SELECT 'a''b;';", "x" }, NULL },
    { "SELECT E'it\\'s';", { NULL }, "1:15: unclosed quote '" },
    { "BEGIN x; BEGIN y; END; END; z", { "BEGIN x; BEGIN y; END; END;", "z" }, NULL },
};

static void check_vector(const vector *v)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    migrate_stmts stmts = { NULL, 0 };
    pgc_error err;
    pgc_error_clear(&err);
    pgc_status status = migrate_split(pgc_text_from(v->input), mem, &stmts, &err);
    size_t want = 0;
    if (v->error != NULL) {
        CHECK_INT(status, PGC_INVALID);
        CHECK_STR(err.message, v->error);
        return;
    }
    REQUIRE_OK(status, &err);
    while (want < MAX_PARTS && v->parts[want] != NULL) {
        want++;
    }
    CHECK_INT(stmts.count, want);
    for (size_t i = 0; i < want && i < stmts.count; i++) {
        CHECK_STR(arena_copy(mem, stmts.items[i].text), v->parts[i]);
    }
}

static void cuts_like_the_vectors(void)
{
    for (size_t i = 0; i < ARRAY_LEN(VECTORS); i++) {
        int before = tap_failures;
        check_vector(&VECTORS[i]);
        if (tap_failures != before) {
            printf("# vector %zu: %s\n", i, VECTORS[i].input);
        }
    }
}

static void keeps_attached_comments(void)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    migrate_stmts stmts = { NULL, 0 };
    const char *text = "-- far\n\n-- a\n/* b */\nSELECT 1;\n-- c\nSELECT 2;";
    REQUIRE_OK(migrate_split(pgc_text_from(text), mem, &stmts, NULL), NULL);
    REQUIRE(stmts.count == 2);
    REQUIRE(stmts.items[0].comment_count == 2);
    CHECK_STR(arena_copy(mem, stmts.items[0].comments[0]), "-- a\n");
    CHECK_STR(arena_copy(mem, stmts.items[0].comments[1]), "/* b */");
    CHECK_INT(stmts.items[0].position, strstr(text, "SELECT 1") - text);
    CHECK_INT(stmts.items[1].comment_count, 1);
    CHECK_INT(stmts.items[1].position, strstr(text, "SELECT 2") - text);
}

/* Without memory of failed nested scans this takes 2^count steps. */
static void survives_many_unmatched_begins(void)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    AUTO(buf_auto) buf text;
    migrate_stmts stmts = { NULL, 0 };
    buf_init(&text, NULL, 1 << 20);
    for (int i = 0; i < 500; i++) {
        buf_add_str(&text, "BEGIN TRANSACTION; SELECT 1; COMMIT;\n");
    }
    REQUIRE_OK(migrate_split(buf_view(&text), mem, &stmts, NULL), NULL);
    CHECK_INT(stmts.count, 1500);
}

static void refuses_endless_nesting(void)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    AUTO(buf_auto) buf text;
    migrate_stmts stmts = { NULL, 0 };
    buf_init(&text, NULL, 1 << 20);
    for (int i = 0; i < 20000; i++) {
        buf_add_str(&text, "BEGIN ");
    }
    CHECK_INT(migrate_split(buf_view(&text), mem, &stmts, NULL), PGC_LIMIT);
}

typedef struct fail_plan {
    int calls, fail_at;
} fail_plan;

static void *fail_resize(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    fail_plan *plan = ctx;
    (void) old_size;
    return ++plan->calls == plan->fail_at ? NULL : realloc(ptr, new_size);
}

static void fail_release(void *ctx, void *ptr, size_t size)
{
    (void) ctx;
    (void) size;
    free(ptr);
}

static void survives_failing_allocations(void)
{
    const char *text = "-- a\n-- b\n-- c\n-- d\n-- e\nDELIMITER '//'\nSELECT 1//DELIMITER ;\n"
                       "BEGIN x; END; a; b; c; d; e; f; g; h; i; j; k; l; m; n; o; p; q; r;";
    bool complete = false;
    for (int fail_at = 1; !complete && fail_at < 1000; fail_at++) {
        fail_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = { &plan, fail_resize, fail_release };
        AUTO(arena_auto) arena *mem = arena_new(&alloc, 64, 0);
        migrate_stmts stmts = { NULL, 0 };
        pgc_status status =
            mem == NULL ? PGC_NOMEM : migrate_split(pgc_text_from(text), mem, &stmts, NULL);
        complete = status == PGC_OK;
        CHECK(complete || status == PGC_NOMEM);
        CHECK(complete || stmts.count == 0);
        CHECK(!complete || stmts.count == 20);
    }
    CHECK(complete);
}

TAP_MAIN(TAP("split: cuts files as the format's vectors say", cuts_like_the_vectors),
         TAP("split: comments right above a statement stay with it", keeps_attached_comments),
         TAP("split: many unmatched BEGINs take no exponential time",
             survives_many_unmatched_begins),
         TAP("split: endless nesting is an error, not a crash", refuses_endless_nesting),
         TAP("split: survives every failing allocation", survives_failing_allocations))
