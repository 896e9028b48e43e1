/* lumilio repo …: the folders where originals live. */
#include "cli/prelude.h"

#include "cli/action.h"
#include "cli/commands.h"
#include "service/repository.h"

/* Everything that a command of this family may be given. */
typedef struct repo_call {
    pgc_uuid id;
    const char *path, *name, *strategy;
    bool make_default, yes;
} repo_call;

static json_t *repository_json(const repo_repository *row)
{
    json_t *object = json_object();
    cli_json_id(object, "repo_id", &row->repo_id);
    cli_json_text(object, "name", row->name);
    cli_json_text(object, "path", row->path);
    cli_json_text(object, "storage_strategy", row->storage_strategy);
    cli_json_bool(object, "is_default", row->is_default);
    return object;
}

static void repository_print(const repo_repository *row)
{
    char id[PGC_UUID_TEXT_SIZE];
    pgc_uuid_format(&row->repo_id, id);
    (void) printf("%s  %-4" SLICE_FMT "  %s  ", id, SLICE_ARG(row->storage_strategy),
                  row->is_default ? "default" : "       ");
    cli_print_safe(stdout, row->name);
    (void) printf("  ");
    cli_print_safe(stdout, row->path);
    (void) printf("\n");
}

/* One repository as it is now. */
static pgc_status show(lum_actor actor, pgc_uuid id, pgc_error *err)
{
    repo_repository_set set = PGC_ZERO;
    TRY(lum_repository_get(actor, id, &set, err));
    if (cli_common_options.json) {
        cli_print_json(repository_json(&set.rows[0]));
    } else {
        repository_print(&set.rows[0]);
    }
    repo_repository_set_free(&set);
    return PGC_OK;
}

static pgc_status list_action(lum_actor actor, void *arg, pgc_error *err)
{
    (void) arg;
    repo_repository_set set = PGC_ZERO;
    TRY(lum_repository_list(actor, &set, err));
    json_t *array = cli_common_options.json ? json_array() : NULL;
    for (size_t i = 0; i < set.count; i++) {
        if (array == NULL) {
            repository_print(&set.rows[i]);
        } else {
            (void) json_array_append_new(array, repository_json(&set.rows[i]));
        }
    }
    if (array != NULL) {
        cli_print_json(array);
    } else if (set.count == 0) {
        (void) printf("no repositories; the first import makes one\n");
    }
    repo_repository_set_free(&set);
    return PGC_OK;
}

/* The last part of the path is a good name when none is given. */
static pgc_status create_action(lum_actor actor, void *arg, pgc_error *err)
{
    const repo_call *call = arg;
    const char *base = strrchr(call->path, '/');
    repo_repository_set set = PGC_ZERO;
    lum_repository_new repository = {
        .name = pgc_text_from(call->name != NULL ? call->name
                              : base != NULL     ? base + 1
                                                 : call->path),
        .path = call->path,
        .make_default = call->make_default,
    };
    if (call->strategy != NULL) {
        TRY(lum_strategy_parse(call->strategy, &repository.strategy, err));
    }
    TRY(lum_repository_create(actor, env_default(), &repository, &set, err));
    pgc_uuid id = set.rows[0].repo_id;
    repo_repository_set_free(&set);
    return show(actor, id, err);
}

static pgc_status show_action(lum_actor actor, void *arg, pgc_error *err)
{
    const repo_call *call = arg;
    return show(actor, call->id, err);
}

static pgc_status update_action(lum_actor actor, void *arg, pgc_error *err)
{
    const repo_call *call = arg;
    lum_strategy strategy = LUM_STRATEGY_DATE;
    if (call->strategy != NULL) {
        TRY(lum_strategy_parse(call->strategy, &strategy, err));
    }
    TRY(lum_repository_update(actor, call->id, pgc_text_from(call->name),
                              call->strategy != NULL ? &strategy : NULL, err));
    return show(actor, call->id, err);
}

static pgc_status default_action(lum_actor actor, void *arg, pgc_error *err)
{
    const repo_call *call = arg;
    TRY(lum_repository_set_default(actor, call->id, err));
    return show(actor, call->id, err);
}

static pgc_status move_action(lum_actor actor, void *arg, pgc_error *err)
{
    const repo_call *call = arg;
    TRY(lum_repository_move(actor, env_default(), call->id, call->path, err));
    return show(actor, call->id, err);
}

static pgc_status delete_action(lum_actor actor, void *arg, pgc_error *err)
{
    const repo_call *call = arg;
    char id[PGC_UUID_TEXT_SIZE];
    char what[96];
    pgc_uuid_format(&call->id, id);
    (void) snprintf(what, sizeof what, "forget repository %s, but not its folder", id);
    TRY(cli_confirm(call->yes, what, err));
    TRY(lum_repository_delete(actor, call->id, err));
    if (cli_common_options.json) {
        (void) printf("{\"repo_id\": \"%s\", \"deleted\": true}\n", id);
    } else {
        (void) printf("%s is forgotten; its folder stays\n", id);
    }
    return PGC_OK;
}

static bool take_path(int argc, char **argv, void *arg)
{
    repo_call *call = arg;
    call->path = argc == 1 ? argv[0] : NULL;
    return argc == 1;
}

static bool take_id(int argc, char **argv, void *arg)
{
    repo_call *call = arg;
    return argc == 1 && cli_take_id(argv[0], &call->id);
}

static bool take_id_and_path(int argc, char **argv, void *arg)
{
    repo_call *call = arg;
    call->path = argc == 2 ? argv[1] : NULL;
    return argc == 2 && cli_take_id(argv[0], &call->id);
}

#define ID_HELP "give the id of one repository, as `lumilio repo list` prints it"

static const cli_family_command COMMANDS[] = {
    { "list", "", cli_take_nothing, "takes no operands", list_action },
    { "show", "", take_id, ID_HELP, show_action },
    { "create", "nsd", take_path, "give the whole path of one folder", create_action },
    { "update", "ns", take_id, ID_HELP, update_action },
    { "default", "", take_id, ID_HELP, default_action },
    { "move", "", take_id_and_path, "give a repository and the path where its folder is now",
      move_action },
    { "delete", "y", take_id, ID_HELP, delete_action },
};

int cmd_repo(int argc, char **argv)
{
    repo_call call = PGC_ZERO;
    const cli_family_option options[] = {
        { 'n', { "name", "NAME", "what it is called", &call.name, CLI_TEXT } },
        { 's', { "strategy", "NAME", "date (default), flat or cas", &call.strategy, CLI_TEXT } },
        { 'd', { "default", NULL, "imports go there from now on", &call.make_default, CLI_FLAG } },
        { 'y', { "yes", NULL, "do not ask", &call.yes, CLI_FLAG } },
    };
    const cli_family family = { "repo",  COMMANDS,           ARRAY_LEN(COMMANDS),
                                options, ARRAY_LEN(options), &call };
    return cli_family_run(&family, argc, argv);
}
