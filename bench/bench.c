/* The frame of the measurements: rounds in turn, medians, table and JSON.
 *
 * Invariant: a row is ok only when both sides were measured and the goal holds; what could not be
 * measured is never ok. Single-threaded. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { DEFAULT_ROUNDS = 5, MAX_ROUNDS = 1000 };

double bench_now(void)
{
    struct timespec now = { 0 };
    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

bool bench_one_core(void)
{
    cpu_set_t all, one;
    if (sched_getaffinity(0, sizeof all, &all) != 0) {
        return false;
    }
    CPU_ZERO(&one);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &all)) {
            CPU_SET(cpu, &one);
            return sched_setaffinity(0, sizeof one, &one) == 0;
        }
    }
    return false;
}

double bench_command(const char *const argv[])
{
    posix_spawn_file_actions_t actions;
    if (posix_spawn_file_actions_init(&actions) != 0) {
        return BENCH_NONE;
    }
    (void) posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    char **args = NULL;
    memcpy(&args, &argv, sizeof args); /* posix_spawn's argument is not const for history's sake */
    pid_t pid = 0;
    double began = bench_now();
    int failed = posix_spawnp(&pid, argv[0], &actions, NULL, args, environ);
    (void) posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) {
        (void) fprintf(stderr, "bench: %s: %s\n", argv[0], strerror(failed));
        return BENCH_NONE;
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return BENCH_NONE;
        }
    }
    double seconds = bench_now() - began;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        (void) fprintf(stderr, "bench: %s failed with status %d\n", argv[0],
                       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
        return BENCH_NONE;
    }
    return seconds;
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *) left, b = *(const double *) right;
    return (a > b) - (a < b);
}

double bench_median(double *values, size_t count)
{
    if (count == 0) {
        return BENCH_NONE;
    }
    qsort(values, count, sizeof *values, compare_doubles);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

double bench_percentile(double *values, size_t count, unsigned percent)
{
    if (count == 0) {
        return BENCH_NONE;
    }
    qsort(values, count, sizeof *values, compare_doubles);
    size_t at = count * percent / 100;
    return values[at < count ? at : count - 1];
}

static double spread(const double *sorted, size_t count, double median)
{
    return count == 0 || !(median > 0) ? BENCH_NONE : (sorted[count - 1] - sorted[0]) / median;
}

/* Adds the result of one measurement unless there is none. */
static void take(double value, double *values, size_t *count)
{
    if (!isnan(value)) {
        values[(*count)++] = value;
    }
}

bench_row bench_run(const bench_case *one, int rounds)
{
    double ours[MAX_ROUNDS], other[MAX_ROUNDS];
    size_t our_count = 0, other_count = 0;
    rounds = rounds > MAX_ROUNDS ? MAX_ROUNDS : rounds;
    (void) one->ours(one->ctx);
    (void) one->other(one->ctx);
    for (int round = 0; round < rounds; round++) {
        if (round % 2 == 0) {
            take(one->ours(one->ctx), ours, &our_count);
            take(one->other(one->ctx), other, &other_count);
        } else {
            take(one->other(one->ctx), other, &other_count);
            take(one->ours(one->ctx), ours, &our_count);
        }
    }
    bench_row row = { .ours = bench_median(ours, our_count),
                      .other = bench_median(other, other_count) };
    row.ours_spread = spread(ours, our_count, row.ours);
    row.other_spread = spread(other, other_count, row.other);
    row.ratio = row.other > 0 ? row.ours / row.other : BENCH_NONE;
    /* Comparisons with NAN are false: what was not measured is not ok. */
    switch (one->goal) {
    case BENCH_AT_MOST:
        row.ok = row.ratio <= one->bound;
        break;
    case BENCH_AT_LEAST:
        row.ok = row.ratio >= one->bound;
        break;
    case BENCH_SHOWN:
    default:
        row.ok = !isnan(row.ratio);
        break;
    }
    return row;
}

void bench_goal_text(const bench_case *one, char *out, size_t size)
{
    if (one->goal == BENCH_SHOWN) {
        (void) snprintf(out, size, "-");
    } else {
        (void) snprintf(out, size, "%s %.2f", one->goal == BENCH_AT_MOST ? "<=" : ">=", one->bound);
    }
}

void bench_verdict_text(const bench_case *one, const bench_row *row, char *out, size_t size)
{
    if (one->skip != NULL) {
        (void) snprintf(out, size, "skipped: %s", one->skip);
    } else {
        const char *good = one->goal == BENCH_SHOWN ? "shown" : "ok";
        (void) snprintf(out, size, "%s", row->ok ? good : "NO");
    }
}

static void print_number(FILE *out, const char *key, double value)
{
    if (isfinite(value)) {
        (void) fprintf(out, "\"%s\":%.6g,", key, value);
    } else {
        (void) fprintf(out, "\"%s\":null,", key);
    }
}

/* Names are ours: plain text, but a quote or backslash must not break the document. */
static void print_string(FILE *out, const char *key, const char *value)
{
    (void) fprintf(out, "\"%s\":\"", key);
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\') {
            (void) fputc('\\', out);
        }
        (void) fputc((unsigned char) *value < 0x20 ? ' ' : *value, out);
    }
    (void) fputs("\",", out);
}

static void print_json(FILE *out, const char *area, const bench_case *cases, const bench_row *rows,
                       size_t count)
{
    (void) fputc('{', out);
    print_string(out, "bench", area);
    (void) fputs("\"rows\":[", out);
    for (size_t i = 0; i < count; i++) {
        char goal[32];
        bench_goal_text(&cases[i], goal, sizeof goal);
        (void) fputs(i == 0 ? "{" : ",{", out);
        print_string(out, "name", cases[i].name);
        print_number(out, "ours", rows[i].ours);
        print_number(out, "other", rows[i].other);
        print_string(out, "unit", cases[i].unit);
        print_string(out, "other_is", cases[i].other_is);
        print_number(out, "ours_spread", rows[i].ours_spread);
        print_number(out, "other_spread", rows[i].other_spread);
        print_number(out, "ratio", rows[i].ratio);
        print_string(out, "goal", goal);
        if (cases[i].skip != NULL) {
            print_string(out, "skipped", cases[i].skip);
        }
        const char *verdict = rows[i].ok ? "true" : "false";
        (void) fprintf(out, "\"ok\":%s}", cases[i].skip != NULL ? "null" : verdict);
    }
    (void) fputs("]}\n", out);
}

static int widest(int width, const char *text)
{
    int length = (int) strlen(text);
    return length > width ? length : width;
}

/* Rates have no exponent: 56234 reads/s. */
static void number_text(double value, const char *unit, char *out, size_t size)
{
    (void) snprintf(out, size, value >= 1e4 ? "%.0f %s" : "%.4g %s", value, unit);
}

static void print_table(FILE *out, const bench_case *cases, const bench_row *rows, size_t count)
{
    int name_width = 24, other_width = 32;
    for (size_t i = 0; i < count; i++) {
        name_width = widest(name_width, cases[i].name);
        other_width = widest(other_width, cases[i].other_is);
    }
    (void) fprintf(out, "%-*s %16s %16s  %-*s %8s %9s  %s\n", name_width, "name", "ours", "other",
                   other_width, "what the other is", "ratio", "goal", "ok");
    for (size_t i = 0; i < count; i++) {
        char goal[32], ours[32], other[32], verdict[64];
        bench_goal_text(&cases[i], goal, sizeof goal);
        bench_verdict_text(&cases[i], &rows[i], verdict, sizeof verdict);
        if (cases[i].skip != NULL) {
            (void) fprintf(out, "%-*s %16s %16s  %-*s %8s %9s  %s\n", name_width, cases[i].name,
                           "-", "-", other_width, cases[i].other_is, "-", goal, verdict);
            continue;
        }
        number_text(rows[i].ours, cases[i].unit, ours, sizeof ours);
        number_text(rows[i].other, cases[i].unit, other, sizeof other);
        (void) fprintf(out, "%-*s %16s %16s  %-*s %8.3f %9s  %s\n", name_width, cases[i].name, ours,
                       other, other_width, cases[i].other_is, rows[i].ratio, goal, verdict);
        (void) fprintf(out, "  spread: ours %.1f %%, other %.1f %%\n", 100 * rows[i].ours_spread,
                       100 * rows[i].other_spread);
    }
}

void bench_print(FILE *out, bool json, const char *area, const bench_case *cases,
                 const bench_row *rows, size_t count)
{
    if (json) {
        print_json(out, area, cases, rows, count);
    } else {
        print_table(out, cases, rows, count);
    }
}

/* What the command line asks for. */
typedef struct bench_wish {
    bool json;
    int rounds;       /* 0: as the case says */
    const char *only; /* NULL: all rows */
} bench_wish;

static bool parse_wish(int argc, char **argv, bench_wish *out)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            out->json = true;
        } else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
            out->only = argv[++i];
        } else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc) {
            char *end = NULL;
            long rounds = strtol(argv[++i], &end, 10);
            if (*end != '\0' || rounds < 1 || rounds > MAX_ROUNDS) {
                return false;
            }
            out->rounds = (int) rounds;
        } else {
            return false;
        }
    }
    return true;
}

static bench_row run_one(const bench_case *one, int rounds)
{
    if (one->skip != NULL) {
        return (bench_row) { BENCH_NONE, BENCH_NONE, BENCH_NONE, BENCH_NONE, BENCH_NONE, false };
    }
    int usual = one->rounds > 0 ? one->rounds : DEFAULT_ROUNDS;
    return bench_run(one, rounds > 0 ? rounds : usual);
}

int bench_main(int argc, char **argv, const char *area, const bench_case *cases, size_t count)
{
    bench_wish wish = { .only = NULL };
    if (!parse_wish(argc, argv, &wish)) {
        (void) fprintf(stderr, "usage: %s [--json] [--rounds N] [--only WORDS]\n", argv[0]);
        return 2;
    }
    bench_case *chosen = calloc(count + 1, sizeof *chosen);
    bench_row *rows = calloc(count + 1, sizeof *rows);
    bool all_ok = chosen != NULL && rows != NULL;
    size_t chosen_count = 0;
    for (size_t i = 0; all_ok && i < count; i++) {
        if (wish.only == NULL || strstr(cases[i].name, wish.only) != NULL) {
            chosen[chosen_count++] = cases[i];
        }
    }
    if (!all_ok || chosen_count == 0) {
        (void) fprintf(stderr, all_ok ? "bench: no such row\n" : "bench: out of memory\n");
        free(rows);
        free(chosen);
        return all_ok ? 2 : 1;
    }
    for (size_t i = 0; i < chosen_count; i++) {
        rows[i] = run_one(&chosen[i], wish.rounds);
        all_ok = all_ok && (rows[i].ok || chosen[i].skip != NULL);
    }
    bench_print(stdout, wish.json, area, chosen, rows, chosen_count);
    free(rows);
    free(chosen);
    return all_ok ? 0 : 1;
}
