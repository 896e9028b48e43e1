/* Opening and closing around what a command does, questions before something goes for good, and
 * JSON in few words. No state. */
#include "cli/prelude.h"

#include "cli/action.h"

/* Opening takes the private server along: the first command of the day starts it. */
pgc_status cli_with_library(cli_library_action action, void *arg, pgc_error *err)
{
    lum_library *library = NULL;
    lum_session *session = NULL;
    TRY(cli_open(&library, &session, err));
    pgc_status status = action(library, session, arg, err);
    lum_session_close(session);
    lum_library_close(library);
    return status;
}

int cli_act_with_library(cli_library_action action, void *arg)
{
    pgc_error err;
    pgc_error_clear(&err);
    return cli_with_library(action, arg, &err) == PGC_OK ? CLI_OK : cli_fail(&err);
}

typedef struct actor_call {
    cli_action action;
    void *arg;
} actor_call;

static pgc_status act_as_user(lum_library *library, lum_session *session, void *arg, pgc_error *err)
{
    const actor_call *call = arg;
    (void) library;
    return call->action(lum_session_actor(session), call->arg, err);
}

int cli_act(cli_action action, void *arg)
{
    actor_call call = { action, arg };
    return cli_act_with_library(act_as_user, &call);
}

/* The table of main.c leads here with a word of the family only. */
static const cli_family_command *family_find(const cli_family *family, const char *word)
{
    size_t at = 0;
    while (at + 1 < family->command_count && strcmp(family->commands[at].word, word) != 0) {
        at++;
    }
    assert(strcmp(family->commands[at].word, word) == 0);
    return &family->commands[at];
}

int cli_family_run(const cli_family *family, int argc, char **argv)
{
    const cli_family_command *command = family_find(family, argv[0]);
    cli_option options[CLI_FAMILY_OPTIONS_MAX];
    size_t count = 0;
    char name[64];
    bool done = false;
    assert(family->option_count <= CLI_FAMILY_OPTIONS_MAX);
    for (size_t i = 0; i < family->option_count; i++) {
        if (strchr(command->options, family->options[i].letter) != NULL) {
            options[count++] = family->options[i].option;
        }
    }
    (void) snprintf(name, sizeof name, "%s %s", family->name, command->word);
    int code = cli_parse(name, options, count, &argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (!command->take(argc, argv, family->call)) {
        return cli_usage(name, "%s", command->operands_help);
    }
    return cli_act(command->action, family->call);
}

bool cli_take_nothing(int argc, char **argv, void *call)
{
    (void) argv;
    (void) call;
    return argc == 0;
}

/* Without a terminal nobody can answer, and silence is no consent. */
pgc_status cli_confirm(bool yes, const char *what, pgc_error *err)
{
    if (yes) {
        return PGC_OK;
    }
    char answer[16] = "";
    if (isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1) {
        (void) fprintf(stderr, "%s? [y/N] ", what);
        (void) fflush(stderr);
        if (fgets(answer, sizeof answer, stdin) != NULL &&
            (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0)) {
            return PGC_OK;
        }
    }
    (void) pgc_error_set(err, PGC_CANCELLED, "%s: not confirmed, nothing is changed", what);
    pgc_error_hint(err, "--yes does it without asking");
    return PGC_CANCELLED;
}

void cli_print_json(json_t *document)
{
    if (document != NULL && json_dumpf(document, stdout, JSON_INDENT(1)) == 0) {
        (void) fputc('\n', stdout);
    }
    json_decref(document);
}

void cli_json_text(json_t *object, const char *name, slice text)
{
    (void) json_object_set_new(object, name,
                               text.ptr == NULL ? json_null() : json_stringn(text.ptr, text.len));
}

void cli_json_int(json_t *object, const char *name, int64_t value)
{
    (void) json_object_set_new(object, name, json_integer((json_int_t) value));
}

void cli_json_bool(json_t *object, const char *name, bool value)
{
    (void) json_object_set_new(object, name, json_boolean(value));
}

void cli_json_id(json_t *object, const char *name, const pgc_uuid *id)
{
    char text[PGC_UUID_TEXT_SIZE];
    if (id != NULL) {
        pgc_uuid_format(id, text);
    }
    (void) json_object_set_new(object, name, id == NULL ? json_null() : json_string(text));
}

/* Seconds are enough for people and lists. */
void cli_json_time(json_t *object, const char *name, pgc_timestamptz value)
{
    char text[32] = "";
    time_t seconds = (time_t) (pgc_timestamptz_to_unix_us(value) / 1000000);
    struct tm parts;
    if (gmtime_r(&seconds, &parts) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0) {
        text[0] = '\0';
    }
    (void) json_object_set_new(object, name, json_string(text));
}

bool cli_take_id(const char *word, pgc_uuid *out)
{
    return pgc_uuid_parse(pgc_text_from(word), out);
}

bool cli_take_number(const char *word, int32_t *out)
{
    int64_t number = 0;
    if (!slice_to_i64(pgc_text_from(word), &number) || number < 1 || number > INT32_MAX) {
        return false;
    }
    *out = (int32_t) number;
    return true;
}

int32_t cli_i32(uint32_t count)
{
    return count > INT32_MAX ? INT32_MAX : (int32_t) count;
}
