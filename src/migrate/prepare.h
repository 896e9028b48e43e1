/* Pending files made ready to run: split, hashed, checked for what cannot be run. */
#ifndef MIGRATE_PREPARE_H
#define MIGRATE_PREPARE_H

#include "migrate/migrate.h"
#include "migrate/split.h"

typedef struct migrate_job {
    const migrate_file *file;
    migrate_stmts stmts;
    const char **hashes; /* of statements 0…i, as the revision table holds them: "h1:…" */
    migrate_tx_mode tx;  /* MIGRATE_TX_ALL only when the whole run is one transaction */
} migrate_job;

/* PGC_INVALID with the file's name for: a file left out of the sum, text that cannot be split, bad
 * txmode directives, COPY data, psql commands, transaction control inside a transaction. Lost
 * directives go to the warning callback. */
pgc_status migrate_prepare(const migrate_options *options, const migrate_file *file, arena *mem,
                           migrate_job *out, pgc_error *err) PGC_MUST_CHECK;

/* The transaction mode of a file under the run's mode. */
pgc_status migrate_file_tx_mode(const migrate_file *file, migrate_tx_mode run_mode,
                                migrate_tx_mode *out, pgc_error *err) PGC_MUST_CHECK;

/* Hash of each beginning of the statement list; NULL when memory is exhausted. */
const char **migrate_partial_hashes(const migrate_stmts *stmts, arena *mem);

#endif
