/* What the commands share: options, usage errors, text for people. */
#include "cli/prelude.h"

#include "base/word_guess.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "tap.h"

/* The table of a program that has one command. */
static int nothing(int argc, char **argv)
{
    (void) argc;
    (void) argv;
    return CLI_OK;
}

const cli_command CLI_COMMANDS[] = { { "try", "Try something", "WHAT [--count N]", nothing } };
const size_t CLI_COMMAND_COUNT = 1;

static const char *name;
static uint32_t count;
static bool loud;

static const cli_option OPTIONS[] = {
    { "name", "TEXT", "a text", &name, CLI_TEXT },
    { "count", "N", "a number", &count, CLI_COUNT },
    { "loud", NULL, "a flag", &loud, CLI_FLAG },
};

/* Parse words with stdout and stderr closed to the eye; the operands stay in argv. */
static int parse(int *argc, char **argv, bool *done)
{
    name = NULL;
    count = 0;
    loud = false;
    cli_common_options = (cli_common) { 0 };
    (void) fflush(stdout);
    int out = dup(STDOUT_FILENO);
    int err = dup(STDERR_FILENO);
    CHECK(freopen("/dev/null", "w", stderr) != NULL);
    int null = dup(STDERR_FILENO);
    (void) dup2(null, STDOUT_FILENO);
    int code = cli_parse("try", OPTIONS, ARRAY_LEN(OPTIONS), argc, argv, done);
    (void) fflush(stdout);
    (void) fflush(stderr);
    (void) dup2(out, STDOUT_FILENO);
    (void) dup2(err, STDERR_FILENO);
    (void) close(out);
    (void) close(err);
    (void) close(null);
    return code;
}

#define WORDS(...)                                            \
    char *argv[] = { (char[]) { "try" }, __VA_ARGS__, NULL }; \
    int argc = (int) ARRAY_LEN(argv) - 1;                     \
    bool done = false;                                        \
    int code = parse(&argc, argv, &done)
#define W(text) ((char[]) { text })

static void options_may_stand_between_operands(void)
{
    WORDS(W("a"), W("--count"), W("7"), W("b"), W("--loud"), W("--name=x=y"));
    CHECK_INT(code, CLI_OK);
    CHECK_INT(argc, 2);
    CHECK_STR(argv[0], "a");
    CHECK_STR(argv[1], "b");
    CHECK_INT(count, 7);
    CHECK(loud);
    CHECK_STR(name, "x=y");
}

static void two_hyphens_end_the_options(void)
{
    WORDS(W("--loud"), W("--"), W("--count"), W("-x"));
    CHECK_INT(code, CLI_OK);
    CHECK_INT(argc, 2);
    CHECK_STR(argv[0], "--count");
    CHECK_STR(argv[1], "-x");
}

static void one_hyphen_is_an_operand(void)
{
    WORDS(W("-"));
    CHECK_INT(code, CLI_OK);
    CHECK_INT(argc, 1);
}

static void common_options_work_everywhere(void)
{
    WORDS(W("--json"), W("--verbose"), W("--home"), W("/h"), W("--user=u"));
    CHECK_INT(code, CLI_OK);
    CHECK(cli_common_options.json);
    CHECK(cli_common_options.verbose);
    CHECK_STR(cli_common_options.home, "/h");
    CHECK_STR(cli_common_options.user, "u");
}

static void help_is_an_answer_of_its_own(void)
{
    WORDS(W("--help"));
    CHECK_INT(code, CLI_OK);
    CHECK(done);
}

static void check_usage(char *first, char *second)
{
    WORDS(first, second);
    CHECK_INT(code, CLI_USAGE);
    CHECK(!done);
}

static void wrong_calls_are_usage_errors(void)
{
    check_usage(W("--nothing"), W("x"));
    check_usage(W("-x"), W("y"));
    check_usage(W("a"), W("--count"));
    check_usage(W("--count"), W("0"));
    check_usage(W("--count"), W("-1"));
    check_usage(W("--count"), W("4294967296"));
    check_usage(W("--count"), W("1x"));
    check_usage(W("--loud=yes"), W("x"));
}

static void check_safe(slice text, const char *want, size_t width)
{
    buf safe;
    buf_init(&safe, NULL, 1024);
    cli_add_safe(&safe, text);
    CHECK_STR(safe.ptr != NULL ? safe.ptr : "", want);
    CHECK_INT(cli_text_width(text), width);
    buf_done(&safe);
}

static void text_cannot_drive_the_terminal(void)
{
    check_safe(SLICE("plain caf\xc3\xa9"), "plain caf\xc3\xa9", 10);
    check_safe(SLICE("a\x1b[31mb\n"), "a\\x1b[31mb\\x0a", 14);
    check_safe(SLICE("bad\xff\xfe"), "bad\\xff\\xfe", 11);
    check_safe(SLICE("c1 \xc2\x9b"), "c1 \\xc2\\x9b", 11);
    check_safe(SLICE("cut \xe2\x82"), "cut \\xe2\\x82", 12);
    check_safe((slice) { NULL, 0 }, "", 0);
}

static void check_bytes(int64_t bytes, const char *want)
{
    char out[16];
    cli_format_bytes(bytes, out, sizeof out);
    CHECK_STR(out, want);
}

static void sizes_have_units(void)
{
    check_bytes(0, "0 B");
    check_bytes(999, "999 B");
    check_bytes(1000, "1.0 kB");
    check_bytes(1500000, "1.5 MB");
    check_bytes(999999, "1.0 MB");
    check_bytes(INT64_C(64000000000), "64.0 GB");
    check_bytes(INT64_MAX, "9223.4 PB");
}

static void progress_is_quiet_between_its_periods(void)
{
    progress_bar bar;
    progress_start(&bar, "working");
    CHECK(!bar.drawn);
    progress_update(&bar, 1, 10, true);
    CHECK(!bar.drawn); /* the first period has not passed */
    progress_clear(&bar);
    CHECK(progress_seconds(&bar) >= 0);
}

static void commands_have_help(void)
{
    FILE *null = fopen("/dev/null", "w");
    REQUIRE(null != NULL);
    CHECK(cli_help_command("try", null));
    CHECK(!cli_help_command("nothing", null));
    cli_help_all(null);
    (void) fclose(null);
}

/* The guess for a typed word among the names of some options. */
static const char *guess_for(const char *typed)
{
    static const char *const NAMES[] = { "home",    "camera-model", "camera-make", "limit",
                                         "iso-min", "iso-max",      "as" };
    static char best[64];
    word_guess guess = { .typed = pgc_text_from(typed) };
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        word_guess_try(&guess, pgc_text_from(NAMES[i]));
    }
    (void) snprintf(best, sizeof best, "%.*s", SLICE_ARG(guess.best));
    return best;
}

static void a_slip_is_understood(void)
{
    CHECK_STR(guess_for("hmoe"), "home");                 /* neighbours changed places */
    CHECK_STR(guess_for("limmit"), "limit");              /* one too many */
    CHECK_STR(guess_for("limt"), "limit");                /* one missing */
    CHECK_STR(guess_for("limot"), "limit");               /* one wrong */
    CHECK_STR(guess_for("camra-modell"), "camera-model"); /* two of many */
    CHECK_STR(guess_for("iso-mim"), "iso-min");           /* the nearer of two */
    CHECK_STR(guess_for("iso-may"), "iso-max");
}

static void what_is_far_is_not_guessed(void)
{
    CHECK_STR(guess_for("frobnicate"), "");
    CHECK_STR(guess_for(""), "");
    CHECK_STR(guess_for("xy"), "");
    CHECK_STR(guess_for("lxxxt"), "");
    CHECK_STR(guess_for("an-option-that-is-longer-than-any-name-of-ours-could-be"), "");
}

TAP_MAIN(TAP("cli: options may stand between operands", options_may_stand_between_operands),
         TAP("cli: -- ends the options", two_hyphens_end_the_options),
         TAP("cli: - is an operand", one_hyphen_is_an_operand),
         TAP("cli: common options work for every command", common_options_work_everywhere),
         TAP("cli: --help answers and ends the command", help_is_an_answer_of_its_own),
         TAP("cli: wrong calls are usage errors", wrong_calls_are_usage_errors),
         TAP("cli: text cannot drive the terminal", text_cannot_drive_the_terminal),
         TAP("cli: sizes have units", sizes_have_units),
         TAP("cli: progress is quiet between its periods", progress_is_quiet_between_its_periods),
         TAP("cli: commands have help", commands_have_help),
         TAP("cli: a slip of the finger is understood", a_slip_is_understood),
         TAP("cli: what is far from all names is not guessed", what_is_far_is_not_guessed))
