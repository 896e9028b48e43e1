/* The frame of the measurements: what it reports must be right before any figure is believed. */
#include <math.h>
#include <unistd.h>

#include "bench.h"
#include "tap.h"

typedef struct script {
    const double *ours, *other;
    size_t ours_at, other_at;
    char order[64];
} script;

static double play_ours(void *ctx)
{
    script *s = ctx;
    strncat(s->order, "a", sizeof s->order - strlen(s->order) - 1);
    return s->ours[s->ours_at++];
}

static double play_other(void *ctx)
{
    script *s = ctx;
    strncat(s->order, "b", sizeof s->order - strlen(s->order) - 1);
    return s->other[s->other_at++];
}

static bool close_to(double got, double want)
{
    return fabs(got - want) < 1e-9;
}

static void takes_the_median(void)
{
    double odd[] = { 9, 1, 5 }, even[] = { 4, 1, 3, 2 };
    CHECK(close_to(bench_median(odd, 3), 5));
    CHECK(close_to(bench_median(even, 4), 2.5));
    CHECK(isnan(bench_median(even, 0)));
    double many[200];
    for (size_t i = 0; i < 200; i++) {
        many[i] = (double) (199 - i);
    }
    CHECK(close_to(bench_percentile(many, 200, 99), 198));
    CHECK(close_to(bench_percentile(many, 200, 0), 0));
    CHECK(close_to(bench_percentile(many, 200, 100), 199));
    CHECK(isnan(bench_percentile(many, 0, 99)));
}

static void runs_in_turn_after_a_warm_up(void)
{
    const double values[] = { 100, 2, 4, 3 };
    script s = { .ours = values, .other = values };
    bench_case one = { .ours = play_ours, .other = play_other, .ctx = &s, .bound = 1.0 };
    bench_row row = bench_run(&one, 3);
    CHECK_STR(s.order, "ababbaab");
    CHECK(close_to(row.ours, 3));
    CHECK(close_to(row.ratio, 1));
    CHECK(close_to(row.ours_spread, 2.0 / 3));
    CHECK(row.ok);
}

static bench_row ratio_of(double ours, double other, bench_goal goal, double bound)
{
    const double left[] = { ours, ours }, right[] = { other, other };
    script s = { .ours = left, .other = right };
    bench_case one = {
        .ours = play_ours, .other = play_other, .ctx = &s, .goal = goal, .bound = bound
    };
    return bench_run(&one, 1);
}

static void holds_the_goal_in_both_directions(void)
{
    CHECK(ratio_of(1.05, 1, BENCH_AT_MOST, 1.06).ok);
    CHECK(!ratio_of(1.07, 1, BENCH_AT_MOST, 1.06).ok);
    CHECK(ratio_of(70, 100, BENCH_AT_LEAST, 0.7).ok);
    CHECK(!ratio_of(69, 100, BENCH_AT_LEAST, 0.7).ok);
}

static void what_could_not_be_measured_is_not_ok(void)
{
    CHECK(!ratio_of(BENCH_NONE, 1, BENCH_AT_MOST, 2).ok);
    CHECK(!ratio_of(1, BENCH_NONE, BENCH_AT_LEAST, 0).ok);
    CHECK(!ratio_of(1, 0, BENCH_AT_MOST, 2).ok);
    CHECK(ratio_of(3, 1, BENCH_SHOWN, 0).ok);
    CHECK(!ratio_of(BENCH_NONE, 1, BENCH_SHOWN, 0).ok);
    char text[32];
    const bench_row good = { .ok = true }, bad = { .ok = false };
    const bench_case shown = { .goal = BENCH_SHOWN };
    bench_goal_text(&shown, text, sizeof text);
    CHECK_STR(text, "-");
    bench_verdict_text(&shown, &good, text, sizeof text);
    CHECK_STR(text, "shown");
    bench_verdict_text(&shown, &bad, text, sizeof text);
    CHECK_STR(text, "NO");
}

static void printed(bool json, char *out, size_t size)
{
    const bench_case one = {
        .name = "a \"b\"", .unit = "s", .other_is = "that", .goal = BENCH_AT_MOST, .bound = 1.05
    };
    const bench_row row = { .ours = 1,
                            .other = 2,
                            .ours_spread = 0,
                            .other_spread = BENCH_NONE,
                            .ratio = 0.5,
                            .ok = true };
    FILE *file = fmemopen(out, size, "w");
    REQUIRE(file != NULL);
    bench_print(file, json, "x", &one, &row, 1);
    (void) fclose(file);
}

static void prints_one_document_with_json(void)
{
    char out[1024] = "";
    printed(true, out, sizeof out);
    CHECK_STR(out, "{\"bench\":\"x\",\"rows\":[{\"name\":\"a \\\"b\\\"\",\"ours\":1,\"other\":2,"
                   "\"unit\":\"s\",\"other_is\":\"that\",\"ours_spread\":0,\"other_spread\":null,"
                   "\"ratio\":0.5,\"goal\":\"<= 1.05\",\"ok\":true}]}\n");
}

static void prints_a_table(void)
{
    char out[1024] = "";
    printed(false, out, sizeof out);
    CHECK(strstr(out, "what the other is") != NULL);
    CHECK(strstr(out, "<= 1.05  ok") != NULL);
}

static double note_run(void *ctx)
{
    *(bool *) ctx = true;
    return 1;
}

/* Runs the program with its output in `out`; gives its exit status, -1 when it did not run. */
static int run_main(char **argv, int argc, const bench_case *cases, size_t count, char *out,
                    size_t size)
{
    FILE *file = tmpfile();
    (void) fflush(stdout);
    int kept = dup(STDOUT_FILENO);
    int code = -1;
    if (file != NULL && kept >= 0 && dup2(fileno(file), STDOUT_FILENO) >= 0) {
        code = bench_main(argc, argv, "x", cases, count);
        (void) fflush(stdout);
        (void) dup2(kept, STDOUT_FILENO);
        rewind(file);
        out[fread(out, 1, size - 1, file)] = '\0';
    }
    (void) (kept >= 0 ? close(kept) : 0);
    (void) (file != NULL ? fclose(file) : 0);
    return code;
}

static void a_row_with_a_reason_is_skipped(void)
{
    bool ran = false;
    char out[1024];
    char program[] = "bench";
    char *argv[] = { program };
    const bench_case one = { .name = "row",
                             .unit = "s",
                             .other_is = "that",
                             .ours = note_run,
                             .other = note_run,
                             .ctx = &ran,
                             .bound = 2,
                             .skip = "no Go" };
    CHECK_INT(run_main(argv, 1, &one, 1, out, sizeof out), 0);
    CHECK(strstr(out, "skipped: no Go") != NULL);
    CHECK(!ran);
}

static void only_the_named_rows_run(void)
{
    bool first = false, second = false;
    char out[1024];
    char program[] = "bench", option[] = "--only", one_name[] = "second", none[] = "third";
    char *named[] = { program, option, one_name };
    char *unknown[] = { program, option, none };
    const bench_case cases[] = {
        { .name = "the first",
          .unit = "s",
          .other_is = "that",
          .ours = note_run,
          .other = note_run,
          .ctx = &first,
          .bound = 2 },
        { .name = "the second",
          .unit = "s",
          .other_is = "that",
          .ours = note_run,
          .other = note_run,
          .ctx = &second,
          .bound = 2 },
    };
    CHECK_INT(run_main(named, 3, cases, 2, out, sizeof out), 0);
    CHECK(!first);
    CHECK(second);
    CHECK(strstr(out, "the first") == NULL);
    CHECK_INT(run_main(unknown, 3, cases, 2, out, sizeof out), 2);
}

static void times_commands_and_sees_them_fail(void)
{
    CHECK(bench_command((const char *const[]) { "true", NULL }) >= 0);
    CHECK(isnan(bench_command((const char *const[]) { "false", NULL })));
    CHECK(isnan(bench_command((const char *const[]) { "/nonexistent/program", NULL })));
}

static void refuses_wrong_usage(void)
{
    char *unknown[] = { strdup("bench"), strdup("--what") };
    char *no_number[] = { strdup("bench"), strdup("--rounds"), strdup("many") };
    CHECK_INT(bench_main(2, unknown, "x", NULL, 0), 2);
    CHECK_INT(bench_main(3, no_number, "x", NULL, 0), 2);
    for (size_t i = 0; i < 2; i++) {
        free(unknown[i]);
        free(no_number[i]);
    }
    free(no_number[2]);
}

TAP_MAIN(TAP("bench: the median of odd, even and no counts", takes_the_median),
         TAP("bench: both sides run in turn after a warm-up", runs_in_turn_after_a_warm_up),
         TAP("bench: goals hold in both directions", holds_the_goal_in_both_directions),
         TAP("bench: what could not be measured is not ok", what_could_not_be_measured_is_not_ok),
         TAP("bench: --json prints one document", prints_one_document_with_json),
         TAP("bench: a row with a reason is skipped and fails nothing",
             a_row_with_a_reason_is_skipped),
         TAP("bench: --only runs the rows of that name", only_the_named_rows_run),
         TAP("bench: the table names the goal", prints_a_table),
         TAP("bench: commands are timed and may fail", times_commands_and_sees_them_fail),
         TAP("bench: wrong usage is refused", refuses_wrong_usage))
