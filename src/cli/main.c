/* The program lumilio: finds the command in the table and runs it. */
#include "cli/prelude.h"

#include <locale.h>

#include "base/alloc.h"
#include "base/word_guess.h"
#include "cli/cli.h"
#include "cli/commands.h"

/* Room for the answer to a page or an export of 100,000 assets, kept for the next one. */
#define MEMORY_KEPT ((size_t) 64 << 20)

const cli_command CLI_COMMANDS[] = {
    { "import", "Copy photos, videos and recordings into the library",
      "PATH... [--strategy date|flat|cas] [--jobs N] [--later]", cmd_import },
    { "work", "Carry out the jobs that wait: metadata, thumbnails, embeddings",
      "[--queues A,B] [--max N] [--once]", cmd_work },
    { "reprocess", "Let `lumilio work` make metadata, thumbnails and embedding of an asset again",
      "ID [--reset-edits]", cmd_reprocess },
    { "list", "Show what is in the library, by filter and order",
      "[--type TYPE] [--from TIME] [--album ID] … [--sort ORDER] [--limit N] [--cursor CURSOR]",
      cmd_list },
    { "timeline", "Count months or days, or list the assets of one",
      "[PERIOD] [--days] [--limit N] [--cursor CURSOR]", cmd_timeline },
    { "show", "Show everything that is known of one asset", "ID", cmd_show },
    { "search", "Find assets by name, text and what they show",
      "TEXT | --similar ID [--by name|text|meaning|all] [FILTER...] [--limit N] "
      "[--cursor CURSOR]",
      cmd_search },
    { "duplicates", "Show groups of assets that are nearly the same, or keep the best of each",
      "[--distance D] [--similar] [--trash-others [--yes]] [--limit N] [--after ID]",
      cmd_duplicates },
    { "model list", "List embedding models and how many assets each describes", "", cmd_model },
    { "model fill", "Have the assets embedded that the configured model lacks", "", cmd_model },
    { "model graphs", "Make the graphs that owners of many vectors lack", "", cmd_model },
    { "model use", "Search by meaning with another model", "NAME [--force]", cmd_model },
    { "edit", "Change what is said about an asset: rating, description, place, …",
      "ID NAME=VALUE... | ID --from FILE", cmd_edit },
    { "delete", "Move an asset to the trash", "ID", cmd_delete },
    { "restore", "Take an asset back out of the trash", "ID", cmd_restore },
    { "trash list", "Show what is in the trash, the last deleted first",
      "[--limit N] [--cursor CURSOR]", cmd_trash_list },
    { "trash restore", "Take an asset back out of the trash", "ID", cmd_restore },
    { "trash empty", "Remove what is in the trash, or one asset of it, for good",
      "[ID] [--older-than DAYS] [--keep-files DAYS] [--yes]", cmd_trash_empty },
    { "album create", "Make an album", "NAME [--description TEXT] [--public | --filter JSON]",
      cmd_album },
    { "album list", "List albums, newest first", "[--trash] [--limit N] [--before ALBUM]",
      cmd_album },
    { "album show", "Show an album and what is in it", "ALBUM [--limit N] [--after CURSOR]",
      cmd_album },
    { "album update", "Change name, description, cover, or who sees it",
      "ALBUM [--name NAME] [--description TEXT] [--public|--private] [--cover ID|none] "
      "[--filter JSON]",
      cmd_album },
    { "album add", "Put assets into an album", "ALBUM ID... [--at N | --behind ID]", cmd_album },
    { "album move", "Move assets within an album", "ALBUM ID... [--at N | --behind ID]",
      cmd_album },
    { "album reorder", "Let assets of an album change places, to this order", "ALBUM ID...",
      cmd_album },
    { "album remove", "Take assets out of an album", "ALBUM ID...", cmd_album },
    { "album delete", "Move an album to the trash", "ALBUM", cmd_album },
    { "album restore", "Take an album back out of the trash", "ALBUM", cmd_album },
    { "album purge", "Delete an album that is in the trash for good", "ALBUM [--yes]", cmd_album },
    { "album public", "Show public albums of all users, or what is in one",
      "[ALBUM] [--limit N] [--after CURSOR]", cmd_album },
    { "tag create", "Make a tag, or show the one of this name", "NAME [--category NAME]", cmd_tag },
    { "tag list", "List tags by name", "[--category NAME] [--part TEXT] [--limit N] [--after NAME]",
      cmd_tag },
    { "tag of", "Show the tags of assets", "ID...", cmd_tag },
    { "tag add", "Give a tag to assets, each by itself",
      "TAG ID... [--confidence N] [--source user|clip|smart_classify]", cmd_tag },
    { "tag remove", "Take a tag away from assets, each by itself", "TAG ID...", cmd_tag },
    { "tag rename", "Give a tag another name", "TAG NAME", cmd_tag },
    { "tag update", "Change the category of a tag", "TAG --category NAME", cmd_tag },
    { "tag merge", "Let several tags become one", "TAG... --into TAG [--dry-run] [--yes]",
      cmd_tag },
    { "tag delete", "Take a tag away from everything", "TAG [--dry-run] [--yes]", cmd_tag },
    { "repo list", "List the folders where originals live", "", cmd_repo },
    { "repo show", "Show one of them", "ID", cmd_repo },
    { "repo create", "Make a repository of a folder",
      "PATH [--name NAME] [--strategy date|flat|cas] [--default]", cmd_repo },
    { "repo update", "Change name or strategy of a repository",
      "ID [--name NAME] [--strategy date|flat|cas]", cmd_repo },
    { "repo default", "Let imports go to a repository from now on", "ID", cmd_repo },
    { "repo move", "Say where the folder of a repository is now", "ID PATH", cmd_repo },
    { "repo delete", "Forget a repository that holds nothing", "ID [--yes]", cmd_repo },
    { "species list", "Count assets by species", "[--least N] [--limit N]", cmd_species },
    { "species of", "Show what species an asset shows", "ID", cmd_species },
    { "species assets", "List assets that show a species",
      "NAME [--least N] [--limit N] [--after ID]", cmd_species },
    { "stats totals", "Show the library at one glance", "", cmd_stats },
    { "stats cameras", "Count assets by camera", "[--limit N]", cmd_stats },
    { "stats lenses", "Count assets by lens", "[--limit N]", cmd_stats },
    { "stats years", "Count assets by year of capture", "", cmd_stats },
    { "stats tags", "Count assets by tag", "[--limit N]", cmd_stats },
    { "stats storage", "Show what lies on the disk, by repository", "", cmd_stats },
    { "stats recount", "Count kept numbers again and mend them", "", cmd_stats },
    { "user add", "Make an account that can log in",
      "[NAME] [--email ADDRESS] [--full-name TEXT] [--password-file FILE]", cmd_user_add },
    { "user register", "The same as user add",
      "[NAME] [--email ADDRESS] [--full-name TEXT] [--password-file FILE]", cmd_user_add },
    { "user list", "List the accounts", "", cmd_user_list },
    { "user passwd", "Change a password", "[NAME] [--reset] [--password-file FILE]",
      cmd_user_passwd },
    { "user login", "Log in and keep the login for this library", "[NAME] [--password-file FILE]",
      cmd_user_login },
    { "user logout", "End the login that is kept", "", cmd_user_logout },
    { "user whoami", "Say who is logged in", "", cmd_user_whoami },
    { "user token", "Print an access token of the login that is kept", "", cmd_user_token },
    { "user sessions list", "List your sessions", "", cmd_user_sessions_list },
    { "user sessions end", "End one of your sessions, or all others", "ID|others",
      cmd_user_sessions_end },
    { "user rotate-key", "Sign tokens with a new key from now on", "", cmd_user_rotate_key },
    { "migrate apply", "Apply pending migrations", "[AMOUNT] [--dir DIR] [--url URL]",
      cmd_migrate_apply },
    { "migrate status", "Compare the database with the migration directory",
      "[--dir DIR] [--url URL]", cmd_migrate_status },
    { "migrate set", "Record by hand which migrations are applied",
      "[VERSION] [--dir DIR] [--url URL]", cmd_migrate_set },
    { "migrate hash", "Write the sum file of a migration directory", "--dir DIR",
      cmd_migrate_hash },
    { "migrate validate", "Check the sum file of a migration directory", "--dir DIR",
      cmd_migrate_validate },
    { "river migrate-up", "Create or update the job queue's tables", "[--database-url URL]",
      cmd_river_migrate_up },
    { "river migrate-down", "Take back migrations of the job queue", "[--database-url URL]",
      cmd_river_migrate_down },
    { "river migrate-list", "List the job queue's migrations", "[--database-url URL]",
      cmd_river_migrate_list },
    { "river validate", "Check that the job queue's tables are up to date", "[--database-url URL]",
      cmd_river_validate },
    { "river migrate-get", "Print the SQL of one migration of the job queue",
      "--version N|--all --up|--down", cmd_river_migrate_get },
    { "river ext-migrate-up", "Create our own side tables of the job queue", "[--database-url URL]",
      cmd_river_ext_migrate_up },
    { "river ext-migrate-down", "Drop our own side tables of the job queue", "[--database-url URL]",
      cmd_river_ext_migrate_down },
    { "river insert", "Insert one job", "KIND [ARGS] [--queue QUEUE]", cmd_river_insert },
    { "river jobs list", "List jobs", "[--state STATE,…] [--kind KIND,…] [--limit N]",
      cmd_river_jobs_list },
    { "river jobs get", "Show everything that is known of one job", "ID", cmd_river_jobs_get },
    { "river jobs cancel", "Cancel a job, also while it runs", "ID", cmd_river_jobs_cancel },
    { "river jobs retry", "Make a job available now", "ID", cmd_river_jobs_retry },
    { "river jobs delete", "Delete a job that does not run", "ID", cmd_river_jobs_delete },
    { "river queues list", "List queues", "[--limit N]", cmd_river_queues_list },
    { "river queues pause", "Let nobody fetch from a queue, or from all", "QUEUE|*",
      cmd_river_queues_pause },
    { "river queues resume", "End a pause", "QUEUE|*", cmd_river_queues_resume },
    { "river queues update", "Replace the metadata of a queue", "QUEUE --metadata JSON",
      cmd_river_queues_update },
    { "river bench", "Measure jobs per second as River's own benchmark does",
      "[--num-total-jobs N] [--duration SECONDS]", cmd_river_bench },
    { "db url", "Print the connection string of the database", "", cmd_db_url },
    { "db start", "Start the private server and leave it running", "", cmd_db_start },
    { "db stop", "Stop the private server", "[--force]", cmd_db_stop },
    { "db status", "Say whether the private server runs", "", cmd_db_status },
    { "db psql", "Open psql on the database", "[-- PSQL-OPTIONS]", cmd_db_psql },
    { "db verify", "Compare rows and files of the library", "[--quick]", cmd_db_verify },
    { "version", "Print the version", "", cmd_version },
    { "help", "Show this text, or the help of one command", "[COMMAND]", cmd_help },
};
const size_t CLI_COMMAND_COUNT = ARRAY_LEN(CLI_COMMANDS);

int cmd_version(int argc, char **argv)
{
    bool done = false;
    int code = cli_parse("version", NULL, 0, &argc, argv, &done);
    if (code == CLI_OK && !done) {
        (void) printf(cli_common_options.json ? "{\"version\": \"%s\"}\n" : "lumilio %s\n",
                      LUM_VERSION);
    }
    return code;
}

/* The command that the first words name, at most three; *words is how many it took. */
static const cli_command *command_find(int argc, char **argv, int *words)
{
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        const char *rest = CLI_COMMANDS[i].name;
        int taken = 0;
        while (taken < argc && rest[0] != '\0') {
            size_t len = strcspn(rest, " ");
            if (strlen(argv[taken]) != len || strncmp(argv[taken], rest, len) != 0) {
                break;
            }
            taken++;
            rest += len + (rest[len] == ' ' ? 1 : 0);
        }
        if (rest[0] == '\0') {
            *words = taken;
            return &CLI_COMMANDS[i];
        }
    }
    return NULL;
}

/* "db" or "migrate": the command begins with this word and goes on. */
static bool in_group(const cli_command *command, const char *word)
{
    size_t length = strlen(word);
    return strncmp(command->name, word, length) == 0 && command->name[length] == ' ';
}

static bool group_is(const char *word)
{
    bool found = false;
    for (size_t i = 0; i < CLI_COMMAND_COUNT && !found; i++) {
        found = in_group(&CLI_COMMANDS[i], word);
    }
    return found;
}

static void group_print(const char *word, FILE *out)
{
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        if (in_group(&CLI_COMMANDS[i], word)) {
            (void) fprintf(out, "  %-20s %s\n", CLI_COMMANDS[i].name, CLI_COMMANDS[i].summary);
        }
    }
}

/* The command that the words were probably meant to name: all of a name, or how some begin. */
static slice command_guess(int argc, char **argv)
{
    char typed[128];
    bool two = argc > 1 && argv[1][0] != '-';
    (void) snprintf(typed, sizeof typed, "%s%s%s", argv[0], two ? " " : "", two ? argv[1] : "");
    word_guess whole = { .typed = pgc_text_from(typed) };
    word_guess begin = { .typed = pgc_text_from(argv[0]) };
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        slice name = pgc_text_from(CLI_COMMANDS[i].name);
        word_guess_try(&whole, name);
        word_guess_try(&begin, slice_sub(name, 0, strcspn(name.ptr, " ")));
    }
    return whole.best.ptr != NULL ? whole.best : begin.best;
}

/* argv[0] is the first word that should have named a command. */
static int command_unknown(int argc, char **argv)
{
    slice guess = command_guess(argc, argv);
    if (guess.ptr == NULL) {
        return cli_usage("", "there is no command \"%s\"", argv[0]);
    }
    return cli_usage("", "there is no command \"%s\"; did you mean \"%" SLICE_FMT "\"?", argv[0],
                     SLICE_ARG(guess));
}

/* "album", alone or with what is none of its commands. */
static int group_alone(int argc, char **argv)
{
    bool asked = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    int code = asked ? CLI_OK : CLI_USAGE;
    if (!asked && argc > 1) {
        slice guess = command_guess(argc, argv);
        (void) fprintf(stderr, "lumilio: there is no command \"%s %s\"", argv[0], argv[1]);
        if (guess.ptr != NULL && slice_find(guess, ' ', 0) != SIZE_MAX) {
            (void) fprintf(stderr, "; did you mean \"%" SLICE_FMT "\"?", SLICE_ARG(guess));
        }
        (void) fprintf(stderr, "\n");
    }
    group_print(argv[0], asked ? stdout : stderr);
    return code;
}

int cmd_help(int argc, char **argv)
{
    if (argc < 2 || argv[1][0] == '-') {
        cli_help_all(stdout);
        return CLI_OK;
    }
    int words = 0;
    const cli_command *command = command_find(argc - 1, argv + 1, &words);
    if (command != NULL && command->run != cmd_help) {
        char *help[] = { argv[words], (char[]) { "--help" }, NULL };
        return command->run(2, help);
    }
    if (!group_is(argv[1])) {
        return command_unknown(argc - 1, argv + 1);
    }
    group_print(argv[1], stdout);
    return CLI_OK;
}

/* Output that could not be written is a failure, whatever the command did. */
static int output_end(int code)
{
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        (void) fprintf(stderr, "lumilio: write the output: %s\n", strerror(errno));
        return CLI_FAILED;
    }
    return code;
}

int main(int argc, char **argv)
{
    (void) setlocale(LC_CTYPE, "C.UTF-8");
    (void) mem_keep_freed(MEMORY_KEPT);
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        cli_help_all(argc < 2 ? stderr : stdout);
        return argc < 2 ? CLI_USAGE : CLI_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void) printf("lumilio %s\n", LUM_VERSION);
        return CLI_OK;
    }
    int words = 0;
    const cli_command *command = command_find(argc - 1, argv + 1, &words);
    if (command != NULL) {
        return output_end(command->run(argc - words, argv + words));
    }
    return group_is(argv[1]) ? group_alone(argc - 1, argv + 1)
                             : command_unknown(argc - 1, argv + 1);
}
