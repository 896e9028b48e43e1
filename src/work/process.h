/* The processors: what the import and the jobs do with an original. "metadata" writes what the file
 * says into the asset's row; "thumbnails" makes three pictures, their files and their rows. */
#ifndef WORK_PROCESS_H
#define WORK_PROCESS_H

#include "media/media.h"
#include "repo/assets.h"
#include "service/session.h"

struct import_target;

/* Three nameless files for thumbnails, and what was put into them. */
typedef struct process_thumbnails {
    int fds[MEDIA_SIZE_COUNT]; /* -1: none */
    media_report report;
} process_thumbnails;

/* Storage for the digits of the decimal numbers of one row. */
typedef struct process_numbers {
    uint16_t digits[6][PGC_NUMERIC_DIGITS_MAX];
} process_numbers;

/* Parse a durable or staged original in the sandbox; thumbnails go into nameless files. */
pgc_status process_probe(const struct import_target *target, media_host *host, int fd,
                         process_thumbnails *out, pgc_error *err) PGC_MUST_CHECK;
/* Facts alone, which is much cheaper. */
pgc_status process_probe_facts(const struct import_target *target, media_host *host, int fd,
                               media_report *out, pgc_error *err) PGC_MUST_CHECK;
/* No thumbnails and no facts yet. */
void process_thumbnails_none(process_thumbnails *out);
void process_thumbnails_close(const struct import_target *target, process_thumbnails *thumbnails);

/* The columns that a file decides. mtime_us: of the file, since 1970, when the file itself does not
 * tell when it was taken. Texts are borrowed from facts, digits from numbers. */
void process_facts(const media_facts *facts, int64_t mtime_us, process_numbers *numbers,
                   repo_set_asset_facts_params *out);
/* Metadata: write them to an asset's row. What a person gave stays, unless `reset`. PGC_NOT_FOUND:
 * it is gone. */
pgc_status process_facts_row(lum_actor actor, pgc_uuid asset_id, const media_facts *facts,
                             bool reset, pgc_error *err) PGC_MUST_CHECK;

/* Thumbnails, in this order: bytes durable, names, names durable, rows. */
pgc_status process_thumbnails_sync(const struct import_target *target,
                                   const process_thumbnails *thumbnails, pgc_error *err)
    PGC_MUST_CHECK;
/* *report gets the sizes of the files that stand there in the end. */
pgc_status process_thumbnails_place(const struct import_target *target, const char *hash_hex,
                                    const process_thumbnails *thumbnails, media_report *report,
                                    pgc_error *err) PGC_MUST_CHECK;
pgc_status process_names_sync(const struct import_target *target, const char *hash_hex,
                              const media_report *report, pgc_error *err) PGC_MUST_CHECK;
pgc_status process_thumbnail_rows(lum_actor actor, pgc_uuid asset_id, const char *hash_hex,
                                  const media_report *report, pgc_error *err) PGC_MUST_CHECK;

#endif
