/* How the migrate commands talk: Atlas' words for people, Atlas' keys in JSON. */
#ifndef CLI_MIGRATE_VIEW_H
#define CLI_MIGRATE_VIEW_H

#include <stdio.h>

#include "migrate/migrate.h"
#include "migrate/sum.h"

/* What stands in front of every JSON report. */
typedef struct migrate_view_env {
    const char *url; /* as given; credentials are not printed */
    const char *dir; /* "file://…", or "embedded" */
} migrate_view_env;

/* Duration as Go prints it: "1.234ms"; text needs 32 bytes. */
const char *migrate_view_duration(int64_t us, char text[static 32]);
/* RFC 3339 in UTC with microseconds; text needs 40 bytes. */
const char *migrate_view_time(int64_t unix_us, char text[static 40]);

/* Progress of an apply as text on stdout; arg is a migrate_options. */
migrate_events migrate_view_events(void);
/* The last lines of an apply. */
void migrate_view_apply_end(const migrate_apply_report *report);
void migrate_view_status(const migrate_status_report *report);
void migrate_view_set(const migrate_set_report *report);
/* What to do about a sum file that does not fit. */
void migrate_view_checksum(pgc_status status, const migrate_sum_problem *problem);

/* One JSON document on stdout; false when memory ran out. err NULL: it went well. */
bool migrate_view_apply_json(const migrate_view_env *env, const migrate_apply_report *report,
                             const pgc_error *err);
bool migrate_view_status_json(const migrate_view_env *env, const migrate_status_report *report);

#endif
