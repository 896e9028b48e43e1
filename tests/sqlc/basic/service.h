/* Code over the generated functions, tested with and without a server. */
#ifndef BASIC_SERVICE_H
#define BASIC_SERVICE_H

#include <pgc/db.h>

/* Returns how many checks failed; says which. author_id: "Ann", one of two. */
int check_service(pgc_db *db, int64_t author_id);

#endif
