/* Checks of values, called by the program that runs every query. */
#ifndef CORPUS_CHECKS_H
#define CORPUS_CHECKS_H

#include <pgc/conn.h>

extern pgc_error last; /* of the last call */
void expect(bool good, const char *what, const char *file, int line);
#define EXPECT(condition) expect((condition), #condition, __FILE__, __LINE__)
#define EXPECT_OK(call)   expect((call) == PGC_OK, #call, __FILE__, __LINE__)

/* checks_nested.c */
void nested_values_are_read(pgc_db *db);
void nested_values_are_sent(pgc_db *db);
void nested_values_are_cloned(pgc_db *db);
void labels_inside_are_checked(pgc_db *db);
void overrides_are_followed(pgc_db *db);

/* checks_features.c */
void a_missing_row_is_no_null(pgc_db *db);
void statements_are_prepared_once(pgc_db *db);
void a_stream_may_end_early(pgc_db *db);
void functions_can_be_replaced(pgc_db *db);
void the_schema_fits(pgc_db *db);
void another_schema_is_noticed(pgc_db *db);

/* Number of failures; each prints a line. */
int corpus_checks(pgc_conn *conn);

#endif
