/* Values of the corpus: what the generated functions give for the rows of schema.sql. */
#ifndef CORPUS_CHECKS_H
#define CORPUS_CHECKS_H

#include <pgc/conn.h>

/* Each check runs in a transaction that is rolled back. Returns how many failed; says which. */
int corpus_checks(pgc_conn *conn);

#endif
