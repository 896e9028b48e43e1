/* Bad input on the command line: exit code 1, nothing on stdout, one clear line on stderr and at
 * most a hint behind it. */
#include "base/prelude.h"

#include <pgc/error.h>

#include "person.h"
#include "program.h"
#include "tap.h"

#define UNKNOWN "01234567-89ab-7cde-8f01-23456789abcd"
#define OWN     "OWN"     /* becomes the id of an asset of the user's */
#define FOREIGN "FOREIGN" /* and this of somebody else's */

static test_library lib;
static char own_id[PGC_UUID_TEXT_SIZE], foreign_id[PGC_UUID_TEXT_SIZE];

static const char *word(const char *text)
{
    return strcmp(text, OWN) == 0 ? own_id : strcmp(text, FOREIGN) == 0 ? foreign_id : text;
}

/* "lumilio…: what" and nothing that a terminal obeys, a machine says, or a person would skip. */
static bool is_one_clear_line(const char *text)
{
    static const char *const MACHINE[] = { "violates", "syntax error", "relation ", "SQLSTATE",
                                           "parameter $" };
    const char *end = strchr(text, '\n');
    bool good = strncmp(text, "lumilio", 7) == 0 && end != NULL && end - text < 400 &&
                (end[1] == '\0' || (strncmp(end + 1, "hint: ", 6) == 0 &&
                                    strchr(end + 1, '\n') == strrchr(end + 1, '\n')));
    for (const char *at = text; *at != '\0'; at++) {
        good = good && (*at == '\n' || (unsigned char) *at >= ' ');
    }
    for (size_t i = 0; i < ARRAY_LEN(MACHINE); i++) {
        good = good && strstr(text, MACHINE[i]) == NULL;
    }
    return good && slice_is_utf8(pgc_text_from(text));
}

static const struct bad_line {
    const char *says;
    const char *words[8];
} LINES[] = {
    { "no such asset", { "show", UNKNOWN } },
    { "no such asset", { "show", FOREIGN } },
    { "", { "show", "not-an-id" } },
    { "no such asset", { "delete", FOREIGN } },
    { "no such asset", { "restore", FOREIGN } },
    { "no such asset", { "edit", FOREIGN, "rating=3" } },
    { "rating", { "edit", OWN, "rating=6" } },
    { "rating", { "edit", OWN, "rating=nan" } },
    { "latitude", { "edit", OWN, "latitude=91", "longitude=0" } },
    { "elephant", { "edit", OWN, "elephant=1" } },
    { "photo, video or audio", { "list", "--type", "\x1b[2Jgif" } },
    { "", { "list", "--limit", "-1" } },
    { "", { "list", "--limit", "5000" } },
    { "cursor", { "list", "--cursor", "nonsense" } },
    { "order", { "list", "--sort", "colour" } },
    { "iso", { "list", "--iso-min", "many" } },
    { "search", { "search", "" } },
    { "UTF-8", { "search", "\xff\xfe" } },
    { "photo, video or audio", { "search", "x", "--type", "gif" } },
    { "album", { "album", "show", "2000000000" } },
    { "", { "album", "show", "-1" } },
    { "album name", { "album", "create", "" } },
    { "UTF-8", { "album", "create", "a\xff" } },
    { "album", { "album", "add", "2000000000", OWN } },
    { "tag name", { "tag", "create", " x" } },
    { "from 0 to 1", { "tag", "add", "cat", OWN, "--confidence", "1.5" } },
    { "asset", { "tag", "add", "cat", FOREIGN } },
    { "user, clip or", { "tag", "add", "cat", OWN, "--source", "me" } },
    { "", { "repo", "show", UNKNOWN } },
    { "whole path", { "repo", "create", "relative", "--name", "n" } },
    { "date, flat or cas", { "repo", "create", "/tmp/x", "--strategy", "heap" } },
    { "asset", { "trash", "restore", FOREIGN } },
};

static void check_line(const char *user, const char *const *words, const char *says)
{
    int code = program_run_as(user, words);
    if (!CHECK(code == 1 || code == 2) || !CHECK_STR(program_out, "") ||
        !CHECK(is_one_clear_line(program_err)) || !CHECK(strstr(program_err, says) != NULL)) {
        (void) printf("#   %s %s: %d: %.300s\n", words[0], words[1] != NULL ? words[1] : "", code,
                      program_err);
    }
}

static void bad_input_is_one_clear_line(void)
{
    check_line("no/body", (const char *const[]) { "list", NULL }, "user name");
    for (size_t i = 0; i < ARRAY_LEN(LINES); i++) {
        const char *words[10] = { NULL };
        for (size_t j = 0; j < ARRAY_LEN(LINES[i].words) && LINES[i].words[j] != NULL; j++) {
            words[j] = word(LINES[i].words[j]);
        }
        check_line(program_user, words, LINES[i].says);
    }
}

/* The same words for what is somebody else's as for what is not there. */
static void foreign_is_as_unknown(void)
{
    static const char *const COMMANDS[] = { "show", "delete", "restore" };
    char first[1024];
    for (size_t i = 0; i < ARRAY_LEN(COMMANDS); i++) {
        int code = PROGRAM(COMMANDS[i], foreign_id);
        (void) snprintf(first, sizeof first, "%.1000s", program_err);
        char *id = strstr(first, foreign_id);
        if (id != NULL) {
            memcpy(id, UNKNOWN, strlen(UNKNOWN));
        }
        CHECK_INT(PROGRAM(COMMANDS[i], UNKNOWN), code);
        CHECK_STR(program_err, first);
    }
}

static const tap_case CASES[] = {
    TAP("cli: bad input is one clear line", bad_input_is_one_clear_line),
    TAP("cli: what is another's is as what is not there", foreign_is_as_unknown),
};

int main(void)
{
    pgc_error err;
    person owner = { .session = NULL };
    person other = { .session = NULL };
    pgc_error_clear(&err);
    if (!test_library_make(&lib) || !test_library_open(&lib, &err) ||
        !person_make(&lib, &owner, "tester") || !person_make(&lib, &other, "other")) {
        (void) printf("Bail out! %s\n", err.message);
        return 1;
    }
    pgc_uuid own = person_add(&owner, "own.jpg");
    pgc_uuid foreign = person_add(&other, "foreign.jpg");
    pgc_uuid_format(&own, own_id);
    pgc_uuid_format(&foreign, foreign_id);
    program_set_up(lib.home, lib.url, "tester");
    int code = tap_run(CASES, ARRAY_LEN(CASES));
    person_done(&owner);
    person_done(&other);
    test_library_remove(&lib);
    return code;
}
