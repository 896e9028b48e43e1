/* lumilio user login, logout, whoami, token, sessions: one login is kept for a library, in a file
 * of mode 0600 that holds its refresh token; access tokens are made when they are asked for. */
#include "cli/prelude.h"

#include <fcntl.h>
#include <lumilio/status.h>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/password.h"
#include "cli/user_view.h"
#include "service/user.h"

#define LOGIN_FILE "login"

/* Options without own ones; true when the command should go on with `operands` of them. */
static bool plain_parse(const char *name, int operands, int *argc, char **argv, int *code)
{
    bool done = false;
    *code = cli_parse(name, NULL, 0, argc, argv, &done);
    if (*code == CLI_OK && !done && *argc != operands) {
        *code = cli_usage(name, operands == 0 ? "takes no operands" : "give one id");
    }
    return *code == CLI_OK && !done;
}

static pgc_status login_path(const user_desk *desk, char out[static PATH_MAX], pgc_error *err)
{
    int length = snprintf(out, PATH_MAX, "%s/" LOGIN_FILE, lum_library_home(desk->library));
    return length > 0 && length < PATH_MAX
               ? PGC_OK
               : pgc_error_set(err, PGC_INVALID, "library folder: path is too long");
}

static pgc_status login_store(const user_desk *desk, const lum_tokens *tokens, pgc_error *err)
{
    char path[PATH_MAX];
    TRY(login_path(desk, path, err));
    return file_write_atomic(env_default(), AT_FDCWD, path, pgc_text_from(tokens->refresh), 0600,
                             err);
}

static void login_remove(const user_desk *desk)
{
    char path[PATH_MAX];
    const vfs *fs = env_default()->fs;
    if (login_path(desk, path, NULL) == PGC_OK) {
        (void) fs->unlinkat(fs->ctx, AT_FDCWD, path, 0);
    }
}

static pgc_status not_logged_in(pgc_error *err)
{
    pgc_status status = pgc_error_set(err, LUM_SESSION_ENDED, "you are not logged in");
    pgc_error_hint(err, "`lumilio user login NAME` logs in");
    return status;
}

/* The next tokens of the login that is kept; one that has ended is forgotten. */
static pgc_status login_refresh(const user_desk *desk, lum_tokens *out, pgc_error *err)
{
    char path[PATH_MAX];
    AUTO(buf_auto) buf text;
    buf_init(&text, NULL, LUM_REFRESH_TOKEN_SIZE + 1);
    TRY(login_path(desk, path, err));
    pgc_status status = file_read(env_default(), AT_FDCWD, path, &text, err);
    if (status == PGC_NOT_FOUND) {
        return not_logged_in(err);
    }
    if (status == PGC_OK) {
        status = lum_auth_refresh(desk->service.auth, buf_view(&text), NULL, out, err);
        explicit_bzero(text.ptr, text.len);
    }
    if (status == LUM_SESSION_ENDED || status == LUM_TOKEN_INVALID) {
        login_remove(desk);
        return not_logged_in(err);
    }
    TRY(status);
    return login_store(desk, out, err);
}

static pgc_status login_run(const char *name, const char *file, pgc_error *err)
{
    AUTO(user_desk_close) user_desk desk = { .library = NULL };
    AUTO(cli_passwords_close) cli_passwords from = { .fd = 0 };
    AUTO(cli_password_wipe) cli_password password = { .len = 0 };
    AUTO(lum_tokens_wipe) lum_tokens tokens;
    const lum_client client = { .user_agent = SLICE("lumilio " LUM_VERSION) };
    memset(&tokens, 0, sizeof tokens);
    TRY(cli_passwords_open(file, &from, err));
    TRY(cli_passwords_next(&from, "password", false, &password, err));
    TRY(user_desk_open(&desk, err));
    TRY(lum_auth_login(desk.service.auth, pgc_text_from(name), cli_password_view(&password),
                       &client, &tokens, NULL, err));
    TRY(login_store(&desk, &tokens, err));
    char id[PGC_UUID_TEXT_SIZE];
    char until[USER_TIME_SIZE];
    pgc_uuid_format(&tokens.session_id, id);
    (void) user_time(tokens.refresh_expires_us, until);
    if (cli_common_options.json) {
        (void) user_json_print(json_pack("{s:i, s:s, s:s, s:s}", "user_id", (int) tokens.user_id,
                                         "username", name, "session_id", id, "expires_at", until));
    } else {
        (void) printf("logged in as %s until %s\n", name, until);
    }
    return PGC_OK;
}

int cmd_user_login(int argc, char **argv)
{
    const char *file = NULL;
    const cli_option options[] = {
        { "password-file", "FILE", "read the password from its first line; - is stdin", &file,
          CLI_TEXT },
    };
    bool done = false;
    int code = cli_parse("user login", options, ARRAY_LEN(options), &argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (argc > 1) {
        return cli_usage("user login", "give one user name or e-mail address");
    }
    pgc_error err;
    pgc_error_clear(&err);
    return login_run(argc == 1 ? argv[0] : cli_user_name(), file, &err) == PGC_OK ? CLI_OK
                                                                                  : cli_fail(&err);
}

/* What a command does with the login that is kept. */
typedef pgc_status (*login_action)(const user_desk *desk, const lum_tokens *tokens, void *arg,
                                   pgc_error *err);

static int with_login(login_action action, void *arg)
{
    pgc_error err;
    AUTO(user_desk_close) user_desk desk = { .library = NULL };
    AUTO(lum_tokens_wipe) lum_tokens tokens;
    memset(&tokens, 0, sizeof tokens);
    pgc_error_clear(&err);
    pgc_status status = user_desk_open(&desk, &err);
    if (status == PGC_OK) {
        status = login_refresh(&desk, &tokens, &err);
    }
    if (status == PGC_OK) {
        status = action(&desk, &tokens, arg, &err);
    }
    return status == PGC_OK ? CLI_OK : cli_fail(&err);
}

static pgc_status logout_action(const user_desk *desk, const lum_tokens *tokens, void *arg,
                                pgc_error *err)
{
    (void) arg;
    TRY(lum_auth_end_session(desk->service.auth, tokens->user_id, tokens->session_id, err));
    login_remove(desk);
    (void) printf(cli_common_options.json ? "{\"logged_in\": false}\n" : "logged out\n");
    return PGC_OK;
}

static pgc_status whoami_action(const user_desk *desk, const lum_tokens *tokens, void *arg,
                                pgc_error *err)
{
    lum_identity identity;
    char id[PGC_UUID_TEXT_SIZE];
    (void) arg;
    TRY(lum_auth_validate_token(desk->service.auth, pgc_text_from(tokens->access), &identity, err));
    pgc_uuid_format(&identity.session_id, id);
    if (cli_common_options.json) {
        (void) user_json_print(json_pack("{s:i, s:s, s:s}", "user_id", (int) identity.user_id,
                                         "username", identity.username, "session_id", id));
    } else {
        (void) printf("%s\n", identity.username);
    }
    return PGC_OK;
}

static pgc_status token_action(const user_desk *desk, const lum_tokens *tokens, void *arg,
                               pgc_error *err)
{
    char until[USER_TIME_SIZE];
    (void) desk;
    (void) arg;
    (void) err;
    if (cli_common_options.json) {
        (void) user_json_print(json_pack("{s:s, s:s, s:s}", "access_token", tokens->access,
                                         "token_type", "Bearer", "expires_at",
                                         user_time(tokens->access_expires_us, until)));
    } else {
        (void) printf("%s\n", tokens->access);
    }
    return PGC_OK;
}

static json_t *session_json(const repo_auth_list_sessions_row *row, const char *id, bool current)
{
    char text[3][USER_TIME_SIZE];
    return json_pack(
        "{s:s, s:b, s:s, s:s, s:s, s:o, s:o}", "session_id", id, "current", current ? 1 : 0,
        "created_at", user_time(pgc_timestamptz_to_unix_us(row->created_at), text[0]),
        "last_used_at", user_time(pgc_timestamptz_to_unix_us(row->last_used_at), text[1]),
        "expires_at", user_time(pgc_timestamptz_to_unix_us(row->expires_at), text[2]), "address",
        user_json_text(row->address), "user_agent", user_json_text(row->user_agent));
}

static pgc_status sessions_action(const user_desk *desk, const lum_tokens *tokens, void *arg,
                                  pgc_error *err)
{
    repo_auth_list_sessions_row_set set = PGC_ZERO;
    json_t *array = cli_common_options.json ? json_array() : NULL;
    (void) arg;
    pgc_status status = lum_auth_list_sessions(desk->service.auth, tokens->user_id, &set, err);
    for (size_t i = 0; status == PGC_OK && i < set.count; i++) {
        const repo_auth_list_sessions_row *row = &set.rows[i];
        char id[PGC_UUID_TEXT_SIZE];
        char used[USER_TIME_SIZE];
        bool current = memcmp(&row->session_id, &tokens->session_id, sizeof row->session_id) == 0;
        pgc_uuid_format(&row->session_id, id);
        if (array != NULL) {
            (void) json_array_append_new(array, session_json(row, id, current));
            continue;
        }
        (void) printf("%s %s used %s  ", current ? "*" : " ", id,
                      user_time(pgc_timestamptz_to_unix_us(row->last_used_at), used));
        cli_print_safe(stdout, row->address);
        (void) printf(" ");
        cli_print_safe(stdout, row->user_agent);
        (void) printf("\n");
    }
    repo_auth_list_sessions_row_set_free(&set);
    if (status == PGC_OK && array != NULL) {
        (void) user_json_print(TAKE(array));
    }
    json_decref(array);
    return status;
}

/* arg: the id, or NULL for all but this one. */
static pgc_status end_action(const user_desk *desk, const lum_tokens *tokens, void *arg,
                             pgc_error *err)
{
    const pgc_uuid *session_id = arg;
    int64_t count = 1;
    if (session_id != NULL) {
        TRY(lum_auth_end_session(desk->service.auth, tokens->user_id, *session_id, err));
    } else {
        TRY(lum_auth_end_sessions(desk->service.auth, tokens->user_id, &tokens->session_id, &count,
                                  err));
    }
    (void) printf(cli_common_options.json ? "{\"ended\": %" PRId64 "}\n"
                                          : "%" PRId64 " session(s) ended\n",
                  count);
    return PGC_OK;
}

int cmd_user_logout(int argc, char **argv)
{
    int code = CLI_OK;
    return plain_parse("user logout", 0, &argc, argv, &code) ? with_login(logout_action, NULL)
                                                             : code;
}

int cmd_user_whoami(int argc, char **argv)
{
    int code = CLI_OK;
    return plain_parse("user whoami", 0, &argc, argv, &code) ? with_login(whoami_action, NULL)
                                                             : code;
}

int cmd_user_token(int argc, char **argv)
{
    int code = CLI_OK;
    return plain_parse("user token", 0, &argc, argv, &code) ? with_login(token_action, NULL) : code;
}

int cmd_user_sessions_list(int argc, char **argv)
{
    int code = CLI_OK;
    return plain_parse("user sessions list", 0, &argc, argv, &code)
               ? with_login(sessions_action, NULL)
               : code;
}

int cmd_user_sessions_end(int argc, char **argv)
{
    int code = CLI_OK;
    pgc_uuid session_id;
    if (!plain_parse("user sessions end", 1, &argc, argv, &code)) {
        return code;
    }
    bool others = strcmp(argv[0], "others") == 0;
    if (!others && !pgc_uuid_parse(pgc_text_from(argv[0]), &session_id)) {
        return cli_usage("user sessions end",
                         "give the id of one session, as `lumilio user sessions list` prints it, "
                         "or \"others\"");
    }
    return with_login(end_action, others ? NULL : &session_id);
}
