/* atlas.sum: the checksum file of a migration directory. */
#ifndef MIGRATE_SUM_H
#define MIGRATE_SUM_H

#include "base/buf.h"
#include "migrate/directory.h"

#define MIGRATE_HASH_SIZE 45 /* base64 of a SHA-256, and NUL */

typedef enum migrate_sum_reason {
    MIGRATE_SUM_UNLOCATED, /* the sum file contradicts itself */
    MIGRATE_SUM_ADDED,
    MIGRATE_SUM_EDITED,
    MIGRATE_SUM_REMOVED
} migrate_sum_reason;

/* Where directory and sum file part. */
typedef struct migrate_sum_problem {
    migrate_sum_reason reason;
    size_t line;      /* in atlas.sum, 1-based; 0 when not located */
    size_t position;  /* byte offset in atlas.sum */
    const char *file; /* lives as long as the directory's memory */
} migrate_sum_problem;

/* Fill the hash of every file, in order: one running SHA-256 over names and contents. */
pgc_status migrate_sum_fill(migrate_file *files, size_t count, arena *mem, pgc_error *err)
    PGC_MUST_CHECK;
/* Append the text of the sum file that belongs to the directory. */
pgc_status migrate_sum_write(const migrate_dir *dir, buf *out, pgc_error *err) PGC_MUST_CHECK;
/* Directory and sum file agree, or: PGC_NOT_FOUND (no sum file but migrations), PGC_INVALID (not
 * readable), PGC_CONFLICT (they differ; *problem says where). problem may be NULL. */
pgc_status migrate_sum_validate(const migrate_dir *dir, arena *mem, migrate_sum_problem *problem,
                                pgc_error *err) PGC_MUST_CHECK;
const char *migrate_sum_reason_text(migrate_sum_reason reason);

#endif
