/* Migration reports as text. One thread; writes to stdout only. */
#include "cli/prelude.h"

#include "cli/migrate_view.h"

#include "cli/cli.h"

/* The unit follows the size, so that three or four digits tell it. */
const char *migrate_view_duration(int64_t us, char text[static 32])
{
    if (us < 1000) {
        (void) snprintf(text, 32, "%" PRId64 "µs", us);
    } else if (us < 1000000) {
        (void) snprintf(text, 32, "%.3fms", (double) us / 1e3);
    } else {
        (void) snprintf(text, 32, "%.3fs", (double) us / 1e6);
    }
    return text;
}

/* UTC, whatever the zone of the machine. */
const char *migrate_view_time(int64_t unix_us, char text[static 40])
{
    int64_t part = unix_us % 1000000;
    part += part < 0 ? 1000000 : 0;
    time_t seconds = (time_t) ((unix_us - part) / 1000000);
    struct tm parts;
    char date[24] = "";
    if (gmtime_r(&seconds, &parts) != NULL) {
        (void) strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
    }
    (void) snprintf(text, 40, "%s.%06" PRId64 "Z", date, part);
    return text;
}

/* Text of several lines: those behind the first are indented to stand below it. */
static void print_indented(slice text, const char *indent)
{
    for (bool first = true; text.ptr != NULL; first = false) {
        slice line = slice_next(&text, '\n');
        if (!first) {
            (void) printf("%s", indent);
        }
        cli_print_safe(stdout, line);
        (void) printf("\n");
    }
}

/* "migrations" is always plural, as in Atlas. */
static void on_begin(void *arg, const migrate_apply_report *report)
{
    (void) arg;
    (void) printf("Migrating to version %s", report->target);
    if (report->current != NULL) {
        (void) printf(" from %s", report->current);
    }
    (void) printf(" (%zu migrations in total):\n", report->pending_count);
}

/* An earlier run may have done part of the file. */
static void on_file_begin(void *arg, const migrate_file *file, size_t skipped)
{
    (void) arg;
    (void) printf("\n  -- migrating version %s\n", file->version);
    if (skipped > 0) {
        (void) printf("  -- %zu statements were applied by an earlier run\n", skipped);
    }
}

/* Flushed at once: the next output may be hours away. */
static void on_statement(void *arg, slice text)
{
    (void) arg;
    (void) printf("    -> ");
    print_indented(text, "       ");
    (void) fflush(stdout);
}

/* The error stands where "ok" would. */
static void on_file_end(void *arg, const migrate_file_run *run)
{
    char text[32];
    (void) arg;
    if (run->error == NULL) {
        (void) printf("  -- ok (%s)\n", migrate_view_duration(run->end_us - run->start_us, text));
    } else {
        (void) printf("    ");
        print_indented(pgc_text_from(run->error), "    ");
    }
}

/* On stderr: stdout is the report. */
static void on_warning(void *arg, const char *text)
{
    (void) arg;
    (void) fprintf(stderr, "Warning: %s\n", text);
}

migrate_events migrate_view_events(void)
{
    return (migrate_events) { .begin = on_begin,
                              .file_begin = on_file_begin,
                              .statement = on_statement,
                              .file_end = on_file_end,
                              .warning = on_warning };
}

/* "1 migration", "3 migrations", "1 migration ok, 1 with errors", "1 migration with errors". */
static void print_count(size_t ok, size_t failed, const char *noun)
{
    (void) printf("  -- ");
    if (ok > 0 || failed == 0) {
        (void) printf("%zu %s%s%s", ok, noun, ok == 1 ? "" : "s", failed > 0 ? " ok, " : "");
    }
    if (failed > 0 && ok > 0) {
        (void) printf("%zu with errors", failed);
    } else if (failed > 0) {
        (void) printf("%zu %s%s with errors", failed, noun, failed == 1 ? "" : "s");
    }
    (void) printf("\n");
}

/* Also printed after a failure: then it says how far the run got. */
void migrate_view_apply_end(const migrate_apply_report *report)
{
    char text[32];
    size_t files_failed = 0;
    size_t stmts_ok = 0;
    size_t stmts_failed = 0;
    if (report->run_count == 0) { /* no file was begun: there is no header to close */
        if (report->baseline != NULL) {
            (void) printf("Baseline version is %s\n", report->baseline);
        }
        if (report->pending_count == 0) {
            (void) printf("No migration files to execute\n");
        }
        return;
    }
    for (size_t i = 0; i < report->run_count; i++) {
        files_failed += report->runs[i].error != NULL ? 1 : 0;
        stmts_ok += report->runs[i].applied_count;
        stmts_failed += report->runs[i].failed.ptr != NULL ? 1 : 0;
    }
    (void) printf("\n  -------------------------\n  -- %s\n",
                  migrate_view_duration(report->end_us - report->start_us, text));
    print_count(report->run_count - files_failed, files_failed, "migration");
    print_count(stmts_ok, stmts_failed, "sql statement");
}

/* Values begin in one column. */
static void print_row(const char *label, const char *value, const char *extra)
{
    (void) printf("  -- %-16s ", label);
    cli_print_safe(stdout, pgc_text_from(value));
    (void) printf("%s\n", extra);
}

/* Executed and pending files; those out of order count as pending. */
static void print_numbers(const migrate_status_report *report)
{
    char number[32];
    char extra[64] = "";
    (void) snprintf(number, sizeof number, "%zu", report->applied_count);
    print_row("Executed Files:", number, report->partial ? " (last one partially)" : "");
    size_t pending = report->pending_count + report->out_of_order_count;
    (void) snprintf(number, sizeof number, "%zu", pending);
    if (report->out_of_order_count > 0 && report->pending_count == 0) {
        (void) snprintf(extra, sizeof extra, " (out of order)");
    } else if (report->out_of_order_count > 0) {
        (void) snprintf(extra, sizeof extra, " (%zu out of order)", report->out_of_order_count);
    }
    print_row("Pending Files:", number, extra);
}

/* Labels and their order are Atlas'; notes are ours and stand at the end. */
void migrate_view_status(const migrate_status_report *report)
{
    char extra[64] = "";
    (void) printf("Migration Status: %s\n", report->up_to_date ? "OK" : "PENDING");
    if (report->partial) {
        (void) snprintf(extra, sizeof extra, " (%zu statements applied)", report->count);
    }
    print_row("Current Version:", report->current, extra);
    extra[0] = '\0';
    /* A repair may have cut off the tail; then there is nothing left to count. */
    if (report->partial && report->total >= report->count) {
        (void) snprintf(extra, sizeof extra, " (%zu statements left)",
                        report->total - report->count);
    } else if (report->next_is_checkpoint) {
        (void) snprintf(extra, sizeof extra, " (checkpoint)");
    }
    print_row("Next Version:", report->next, extra);
    print_numbers(report);
    if (report->partial) {
        (void) printf("\nLast migration attempt had errors:\n  -- SQL:   ");
        cli_print_safe(stdout, pgc_text_from(report->sql));
        (void) printf("\n  -- ERROR: ");
        cli_print_safe(stdout, pgc_text_from(report->error));
        (void) printf("\n");
    }
    if (report->out_of_order_count > 0) {
        bool one = report->out_of_order_count == 1;
        (void) printf("\n  ERROR: migration file%s ", one ? "" : "s");
        for (size_t i = 0; i < report->out_of_order_count; i++) {
            (void) printf("%s%s", i > 0 ? ", " : "", report->out_of_order[i]->name);
        }
        (void) printf(" %s added out of order\n", one ? "was" : "were");
    }
    for (size_t i = 0; i < report->note_count; i++) {
        (void) printf("%s  Note: %s\n", i == 0 ? "\n" : "", report->notes[i]);
    }
}

/* Rows that were set (+) or removed (-). */
static void print_marked(char mark, const migrate_revision *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void) printf("  %c %s%s%s%s\n", mark, rows[i].version,
                      rows[i].description[0] != '\0' ? " (" : "", rows[i].description,
                      rows[i].description[0] != '\0' ? ")" : "");
    }
}

void migrate_view_set(const migrate_set_report *report)
{
    if (report->current == NULL) {
        (void) printf("All revisions deleted (%zu in total):\n\n", report->removed_count);
    } else {
        (void) printf("Current version is %s (%zu set, %zu removed):\n\n", report->current,
                      report->set_count, report->removed_count);
    }
    print_marked('+', report->set, report->set_count);
    print_marked('-', report->removed, report->removed_count);
    (void) printf("\n");
}

/* Three parts, as in Atlas: what is wrong, where, and what to do. */
void migrate_view_checksum(pgc_status status, const migrate_sum_problem *problem)
{
    if (status == PGC_NOT_FOUND) {
        (void) printf("The migration directory has no checksum file: its integrity cannot be "
                      "checked.\n");
    } else {
        (void) printf("The migration directory does not fit its checksum file.\n");
    }
    if (problem->line > 0) {
        (void) printf("\n\tL%zu: %s was %s\n\n", problem->line, problem->file,
                      migrate_sum_reason_text(problem->reason));
    }
    (void) printf("Look at the changes. If they are meant, write the checksums anew with:\n"
                  "\tlumilio migrate hash --dir file://DIR\n");
}
