/* Shared parts of the user commands. */
#include "cli/prelude.h"

#include "cli/user_view.h"

#include "service/user.h"

pgc_status user_desk_open(user_desk *desk, pgc_error *err)
{
    *desk = (user_desk) { .library = NULL };
    TRY(cli_open(&desk->library, NULL, err));
    return lum_library_auth_open(desk->library, &desk->service, err);
}

void user_desk_close(user_desk *desk)
{
    lum_library_auth_close(&desk->service);
    lum_library_close(TAKE(desk->library));
}

pgc_status user_id_of(user_desk *desk, const char *name, int32_t *out, pgc_error *err)
{
    return lum_user_find(lum_library_pool(desk->library), name, out, err);
}

int user_json_print(json_t *value)
{
    bool good = value != NULL && json_dumpf(value, stdout, JSON_INDENT(1)) == 0;
    (void) fputc('\n', stdout);
    json_decref(value);
    return good ? CLI_OK : CLI_FAILED;
}

json_t *user_json_text(slice text)
{
    return text.ptr != NULL ? json_stringn(text.ptr, text.len) : json_null();
}

const char *user_time(int64_t unix_us, char out[static USER_TIME_SIZE])
{
    time_t seconds = (time_t) (unix_us / 1000000);
    struct tm utc;
    if (gmtime_r(&seconds, &utc) == NULL ||
        strftime(out, USER_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0) {
        (void) snprintf(out, USER_TIME_SIZE, "-");
    }
    return out;
}
