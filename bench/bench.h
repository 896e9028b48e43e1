/* Frame of the measurements: "ours" and "other" run in turn within one process, so that both meet
 * the same machine; medians decide. One program per area, bench/bench-NAME.c:
 *
 *     static const bench_case cases[] = { { .name = "insert", .unit = "s", ... } };
 *     int main(int argc, char **argv)
 *     {
 *         return bench_main(argc, argv, "insert", cases, 1);
 *     }
 *
 * Prints rows `name, ours, other, what the other is, ratio, goal, ok`; with --json one document.
 * Exit 0 when all rows are ok, 1 when one is not, 2 on wrong usage; skipped rows count for neither.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What could not be measured; isnan() tells it. */
#define BENCH_NONE ((double) NAN)

/* One measurement in the case's unit, such as seconds or files per second; BENCH_NONE when it could
 * not be made (the reason goes to stderr). */
typedef double (*bench_measure)(void *ctx);

typedef enum bench_goal {
    BENCH_AT_MOST,  /* ratio <= bound: times, bytes */
    BENCH_AT_LEAST, /* ratio >= bound: rates */
    BENCH_SHOWN     /* none: what others reach, to judge other rows by */
} bench_goal;

typedef struct bench_case {
    const char *name;
    const char *unit;
    const char *other_is; /* what stands on the other side */
    bench_measure ours, other;
    void *ctx;
    bench_goal goal;
    double bound;
    int rounds;       /* 0 means 5; --rounds N overrides */
    const char *skip; /* why the row is not measured here, such as "no Go"; NULL: it is */
} bench_case;

typedef struct bench_row {
    double ours, other;               /* medians; BENCH_NONE when no round could be measured */
    double ours_spread, other_spread; /* (highest - lowest) / median */
    double ratio;                     /* ours / other */
    bool ok;
} bench_row;

/* Middle of the values, mean of the middle two for an even count; sorts them. BENCH_NONE for none.
 */
double bench_median(double *values, size_t count);
/* The value that `percent` of the values are below; sorts them. BENCH_NONE for none. */
double bench_percentile(double *values, size_t count, unsigned percent);
/* Runs one case: a warm-up round that does not count, then `rounds` rounds, the order of the two
 * sides changing from round to round. */
bench_row bench_run(const bench_case *one, int rounds);
/* The goal as text, such as "<= 1.05". */
void bench_goal_text(const bench_case *one, char *out, size_t size);
/* What stands in the column ok: "ok", "NO", "shown" or "skipped: WHY". */
void bench_verdict_text(const bench_case *one, const bench_row *row, char *out, size_t size);
/* The whole program; `area` is the NAME of ./dev bench NAME. --only WORDS leaves the rows whose
 * name holds the words, which are an error when there are none. */
int bench_main(int argc, char **argv, const char *area, const bench_case *cases, size_t count);
/* The table or, with json, the document; `rows` has as many entries as `cases`. */
void bench_print(FILE *out, bool json, const char *area, const bench_case *cases,
                 const bench_row *rows, size_t count);

/* Monotonic, in seconds. */
double bench_now(void);
/* Runs a program to its end, its output thrown away; seconds it took, BENCH_NONE when it failed. */
double bench_command(const char *const argv[]);
/* Keeps this process and its children on one core; false when the system does not allow it. */
bool bench_one_core(void);

#endif
