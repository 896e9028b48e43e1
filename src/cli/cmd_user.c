/* lumilio user add, list, passwd, rotate-key: accounts, as the operator of the library sees them.
 */
#include "cli/prelude.h"

#include "cli/commands.h"
#include "cli/password.h"
#include "cli/user_view.h"
#include "service/user.h"

#define LIST_PAGE 500

/* Options and one name. CLI_OK with a name means: go on. */
static int name_parse(const char *command, const cli_option *options, size_t count, int argc,
                      char **argv, const char **name)
{
    bool done = false;
    int code = cli_parse(command, options, count, &argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (argc > 1) {
        return cli_usage(command, "give one user name");
    }
    *name = argc == 1 ? argv[0] : cli_user_name();
    return CLI_OK;
}

typedef struct add_call {
    const char *name, *email, *full_name, *password_file;
} add_call;

static void added_print(const add_call *call, int32_t user_id)
{
    if (cli_common_options.json) {
        (void) user_json_print(
            json_pack("{s:i, s:s}", "user_id", (int) user_id, "username", call->name));
    } else {
        (void) printf("%s has an account now (user %" PRId32 ")\n", call->name, user_id);
    }
}

/* The password is read before a server is started for it. */
static pgc_status add_run(const add_call *call, pgc_error *err)
{
    AUTO(user_desk_close) user_desk desk = { .library = NULL };
    AUTO(cli_passwords_close) cli_passwords from = { .fd = 0 };
    AUTO(cli_password_wipe) cli_password password = { .len = 0 };
    char email[128];
    int32_t user_id = 0;
    TRY(lum_user_check_name(call->name, err));
    TRY(cli_passwords_open(call->password_file, &from, err));
    TRY(cli_passwords_next(&from, "new password", true, &password, err));
    TRY(user_desk_open(&desk, err));
    (void) snprintf(email, sizeof email, "%s@localhost", call->name);
    const lum_registration registration = {
        .username = pgc_text_from(call->name),
        .email = pgc_text_from(call->email != NULL ? call->email : email),
        .full_name = pgc_text_from(call->full_name),
        .password = cli_password_view(&password),
    };
    pgc_status status = lum_auth_register(desk.service.auth, &registration, NULL, &user_id, err);
    if (status == PGC_CONFLICT) {
        pgc_error_hint(err, "`lumilio user passwd --reset NAME` gives an account a password");
    }
    TRY(status);
    added_print(call, user_id);
    return PGC_OK;
}

int cmd_user_add(int argc, char **argv)
{
    add_call call = { .name = NULL };
    const cli_option options[] = {
        { "email", "ADDRESS", "of the person (default: NAME@localhost)", &call.email, CLI_TEXT },
        { "full-name", "TEXT", "of the person", &call.full_name, CLI_TEXT },
        { "password-file", "FILE", "read the password from its first line; - is stdin",
          &call.password_file, CLI_TEXT },
    };
    int code = name_parse("user add", options, ARRAY_LEN(options), argc, argv, &call.name);
    if (code != CLI_OK || call.name == NULL) {
        return code;
    }
    pgc_error err;
    pgc_error_clear(&err);
    return add_run(&call, &err) == PGC_OK ? CLI_OK : cli_fail(&err);
}

static json_t *user_json(const repo_auth_list_users_row *row)
{
    char created[USER_TIME_SIZE];
    char login[USER_TIME_SIZE];
    return json_pack("{s:i, s:o, s:o, s:o, s:s, s:s?, s:b}", "user_id", (int) row->user_id,
                     "username", user_json_text(row->username), "email", user_json_text(row->email),
                     "full_name", user_json_text(row->full_name), "created_at",
                     user_time(pgc_timestamptz_to_unix_us(row->created_at), created), "last_login",
                     row->last_login.has
                         ? user_time(pgc_timestamptz_to_unix_us(row->last_login.v), login)
                         : NULL,
                     "has_password", row->has_password ? 1 : 0);
}

static void user_print(const repo_auth_list_users_row *row)
{
    char login[USER_TIME_SIZE];
    (void) printf("%6" PRId32 "  ", row->user_id);
    cli_print_safe(stdout, row->username);
    size_t width = cli_text_width(row->username);
    (void) printf("%*s  %-20s  ", (int) (width < 20 ? 20 - width : 0), "",
                  !row->has_password ? "local, no password"
                  : row->last_login.has
                      ? user_time(pgc_timestamptz_to_unix_us(row->last_login.v), login)
                      : "never logged in");
    cli_print_safe(stdout, row->email);
    (void) printf("\n");
}

/* Page by page, so that many users cost no memory beyond the JSON. */
static pgc_status list_run(json_t *array, pgc_error *err)
{
    AUTO(user_desk_close) user_desk desk = { .library = NULL };
    char after[256] = "";
    size_t count = LIST_PAGE;
    TRY(user_desk_open(&desk, err));
    while (count == LIST_PAGE) {
        repo_auth_list_users_row_set set = PGC_ZERO;
        TRY(lum_auth_list_users(desk.service.auth, pgc_text_from(after), LIST_PAGE, &set, err));
        count = set.count;
        for (size_t i = 0; i < set.count; i++) {
            if (array != NULL) {
                (void) json_array_append_new(array, user_json(&set.rows[i]));
            } else {
                user_print(&set.rows[i]);
            }
        }
        if (count > 0) {
            (void) snprintf(after, sizeof after, "%" SLICE_FMT,
                            SLICE_ARG(set.rows[count - 1].username));
        }
        repo_auth_list_users_row_set_free(&set);
    }
    return PGC_OK;
}

int cmd_user_list(int argc, char **argv)
{
    bool done = false;
    int code = cli_parse("user list", NULL, 0, &argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (argc != 0) {
        return cli_usage("user list", "takes no operands");
    }
    pgc_error err;
    pgc_error_clear(&err);
    json_t *array = cli_common_options.json ? json_array() : NULL;
    if (list_run(array, &err) != PGC_OK) {
        json_decref(array);
        return cli_fail(&err);
    }
    return array != NULL ? user_json_print(array) : CLI_OK;
}

/* The current one first, unless an operator sets a new one. */
static pgc_status passwd_run(const char *name, const char *file, bool reset, pgc_error *err)
{
    AUTO(user_desk_close) user_desk desk = { .library = NULL };
    AUTO(cli_passwords_close) cli_passwords from = { .fd = 0 };
    AUTO(cli_password_wipe) cli_password current = { .len = 0 };
    AUTO(cli_password_wipe) cli_password fresh = { .len = 0 };
    int32_t user_id = 0;
    TRY(cli_passwords_open(file, &from, err));
    if (!reset) {
        TRY(cli_passwords_next(&from, "current password", false, &current, err));
    }
    TRY(cli_passwords_next(&from, "new password", true, &fresh, err));
    TRY(user_desk_open(&desk, err));
    TRY(user_id_of(&desk, name, &user_id, err));
    TRY(lum_auth_set_password(desk.service.auth, user_id,
                              reset ? (pgc_text) { NULL, 0 } : cli_password_view(&current),
                              cli_password_view(&fresh), NULL, err));
    if (cli_common_options.json) {
        (void) user_json_print(json_pack("{s:i, s:s}", "user_id", (int) user_id, "username", name));
    } else {
        (void) printf("%s has a new password; all sessions have ended\n", name);
    }
    return PGC_OK;
}

int cmd_user_passwd(int argc, char **argv)
{
    const char *name = NULL;
    const char *file = NULL;
    bool reset = false;
    const cli_option options[] = {
        { "reset", NULL, "set a new one without asking for the current one", &reset, CLI_FLAG },
        { "password-file", "FILE",
          "read the current and the new one from two lines (--reset: one); - is stdin", &file,
          CLI_TEXT },
    };
    int code = name_parse("user passwd", options, ARRAY_LEN(options), argc, argv, &name);
    if (code != CLI_OK || name == NULL) {
        return code;
    }
    pgc_error err;
    pgc_error_clear(&err);
    return passwd_run(name, file, reset, &err) == PGC_OK ? CLI_OK : cli_fail(&err);
}

static pgc_status rotate_run(pgc_error *err)
{
    AUTO(user_desk_close) user_desk desk = { .library = NULL };
    TRY(user_desk_open(&desk, err));
    TRY(lum_auth_rotate_key(desk.service.auth, err));
    (void) printf(cli_common_options.json ? "{\"rotated\": true}\n"
                                          : "tokens are signed with a new key\n");
    return PGC_OK;
}

int cmd_user_rotate_key(int argc, char **argv)
{
    bool done = false;
    int code = cli_parse("user rotate-key", NULL, 0, &argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (argc != 0) {
        return cli_usage("user rotate-key", "takes no operands");
    }
    pgc_error err;
    pgc_error_clear(&err);
    return rotate_run(&err) == PGC_OK ? CLI_OK : cli_fail(&err);
}
