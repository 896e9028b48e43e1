/* What River's clients refuse before they send anything. */
#ifndef RIVER_CHECK_H
#define RIVER_CHECK_H

#include <river/insert.h>

#include "base/slice.h"

#define CHECK_QUEUE_MAX  64  /* bytes */
#define CHECK_TAG_MAX    255 /* bytes */
#define CHECK_KIND_MAX   127 /* bytes; the table allows as many characters */
#define CHECK_CLIENT_MAX 100 /* bytes of a client's id */

pgc_status check_queue(const char *name, pgc_error *err) PGC_MUST_CHECK;
pgc_status check_kind(const char *kind, pgc_error *err) PGC_MUST_CHECK;
pgc_status check_tag(const char *tag, pgc_error *err) PGC_MUST_CHECK;
pgc_status check_client_id(const char *id, pgc_error *err) PGC_MUST_CHECK;
/* Everything about one job to insert, its unique options included. */
pgc_status check_insert(const river_insert *job, pgc_error *err) PGC_MUST_CHECK;

#endif
