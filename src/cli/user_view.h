/* What the commands of accounts and logins share: the open library with its auth service, and how
 * things are printed. */
#ifndef CLI_USER_VIEW_H
#define CLI_USER_VIEW_H

#include <jansson.h>

#include "cli/cli.h"
#include "service/auth.h"

/* A library with its auth service; zeroed is closed. */
typedef struct user_desk {
    lum_library *library;
    lum_library_auth service;
} user_desk;
pgc_status user_desk_open(user_desk *desk, pgc_error *err) PGC_MUST_CHECK;
void user_desk_close(user_desk *desk);

/* user_id of a name; PGC_NOT_FOUND. */
pgc_status user_id_of(user_desk *desk, const char *name, int32_t *out, pgc_error *err)
    PGC_MUST_CHECK;

/* The value, newline included, and free it; CLI_FAILED when there was no memory for it. */
int user_json_print(json_t *value);
/* A slice as a JSON string, an absent one as null. */
json_t *user_json_text(slice text);
#define USER_TIME_SIZE 24
/* "2026-11-23T13:07:45Z" */
const char *user_time(int64_t unix_us, char out[static USER_TIME_SIZE]);

#endif
