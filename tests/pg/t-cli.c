/* The program lumilio as a person runs it: exit codes, what stands on stdout and on stderr, text
 * and JSON, on the private server of a library of its own. The cases build on one another. */
#include "base/prelude.h"

#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <utime.h>

#include "base/buf.h"
#include "image.h"
#include "tap.h"
#include "tmpdir.h"

#define PROGRAM    TEST_BUILD_ROOT "/lumilio"
#define OUTPUT_MAX 262144 /* bytes of one stream that are kept */
#define WORDS_MAX  16
#define WORD_SIZE  512 /* bytes of one word */

static tmpdir folder;
static char home[128], photos[128];

/* What the last call printed. */
static char out_text[OUTPUT_MAX], err_text[OUTPUT_MAX];

static int temp_file(const char *name)
{
    return openat(folder.fd, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

static void take_text(int fd, char *text)
{
    ssize_t got = pread(fd, text, OUTPUT_MAX - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    fd_auto(&fd);
}

/* Start the program with words up to NULL. */
static pid_t start(const char *const *words, int out, int err)
{
    static char text[WORDS_MAX][WORD_SIZE];
    char *argv[WORDS_MAX + 2] = { (char[]) { "lumilio" } };
    for (size_t i = 0; words[i] != NULL && i < WORDS_MAX; i++) {
        (void) snprintf(text[i], sizeof text[i], "%s", words[i]);
        argv[i + 1] = text[i];
    }
    pid_t pid = fork();
    if (pid == 0) {
        (void) setpgid(0, 0); /* signals reach the program and its helpers, as from a terminal */
        int null = open("/dev/null", O_RDONLY);
        (void) dup2(null, 0);
        (void) dup2(out, 1);
        (void) dup2(err, 2);
        (void) execv(PROGRAM, argv);
        _exit(127);
    }
    return pid;
}

static int finish(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Run to the end; the exit code. Output is in out_text and err_text. */
static int run_words(const char *const *words)
{
    int out = temp_file("stdout");
    int err = temp_file("stderr");
    int code = finish(start(words, out, err));
    take_text(out, out_text);
    take_text(err, err_text);
    return code;
}

#define RUN(...) run_words((const char *const[]) { __VA_ARGS__, NULL })

static unsigned line_count(const char *text)
{
    unsigned count = 0;
    for (; *text != '\0'; text++) {
        count += *text == '\n' ? 1 : 0;
    }
    return count;
}

static bool has(const char *text, const char *part)
{
    bool found = strstr(text, part) != NULL;
    if (!found) {
        (void) printf("# no \"%s\" in: %.500s\n", part, text);
    }
    return found;
}

/* stdout as one JSON document; NULL after a diagnostic line. */
static json_t *document(void)
{
    json_error_t why;
    json_t *value = json_loads(out_text, 0, &why);
    if (value == NULL) {
        (void) printf("# %s in: %.500s\n", why.text, out_text);
    }
    return value;
}

static void json_auto(json_t **value)
{
    json_decref(*value);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "(none)";
}

static json_int_t number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static const char *photo(const char *name, uint32_t number)
{
    static char path[256];
    (void) snprintf(path, sizeof path, "%s/%s", photos, name);
    CHECK(image_write(path, 64, 48, number));
    return path;
}

/* Words before there is a library. */

static void help_is_there_for_everything(void)
{
    CHECK_INT(RUN("help"), 0);
    CHECK(has(out_text, "import"));
    CHECK(has(out_text, "db verify"));
    CHECK_STR(err_text, "");
    CHECK_INT(RUN("--help"), 0);
    CHECK_INT(RUN("help", "import"), 0);
    CHECK(has(out_text, "--strategy"));
    CHECK(has(out_text, "--database-url"));
    CHECK_INT(RUN("import", "--help"), 0);
    CHECK(has(out_text, "Usage: lumilio import PATH..."));
    CHECK_INT(RUN("help", "db"), 0);
    CHECK(has(out_text, "db start"));
    CHECK_INT(RUN("help", "db", "stop"), 0);
    CHECK(has(out_text, "--force"));
}

static void wrong_calls_are_told_and_exit_2(void)
{
    static const struct {
        const char *words[5]; /* NULL behind the last one */
        const char *says;
    } CALLS[] = {
        { { "nonsense" }, "no command \"nonsense\"" },
        { { "help", "nonsense" }, "no command \"nonsense\"" },
        { { "serach", "x" }, "did you mean \"search\"?" },
        { { "help", "improt" }, "did you mean \"import\"?" },
        { { "albun", "list" }, "did you mean \"album list\"?" },
        { { "list", "--limmit", "3" }, "did you mean --limit?" },
        { { "import" }, "at least one file or folder" },
        { { "import", "--jobs", "0", "x" }, "--jobs" },
        { { "import", "--jobs=many", "x" }, "many" },
        { { "import", "--strategy", "odd", "x" }, "date, flat or cas" },
        { { "import", "x", "--strategy" }, "needs a value" },
        { { "list", "--limit", "1001" }, "1000" },
        { { "list", "operand" }, "no operands" },
        { { "list", "--bogus" }, "unknown option --bogus" },
        { { "list", "-x" }, "unknown option -x" },
        { { "list", "--json=yes" }, "takes no value" },
        { { "search" }, "one text" },
        { { "search", "a", "b" }, "one text" },
        { { "show", "1234" }, "id of one asset" },
        { { "delete" }, "id of one asset" },
        { { "db", "url", "x" }, "no operands" },
        { { "migrate", "apply", "x" }, "amount" },
        { { "river", "migrate-up", "--max-steps", "x" }, "numbers" },
    };
    for (size_t i = 0; i < ARRAY_LEN(CALLS); i++) {
        CHECK_INT(run_words(CALLS[i].words), 2);
        CHECK_STR(out_text, "");
        CHECK(has(err_text, CALLS[i].says));
        CHECK(line_count(err_text) <= 2);
    }
    CHECK_INT(run_words((const char *const[]) { NULL }), 2);
    CHECK(has(err_text, "Commands:"));
    CHECK_INT(RUN("db"), 2);
    CHECK(has(err_text, "db start"));
    CHECK_INT(RUN("db", "sart"), 2);
    CHECK(has(err_text, "no command \"db sart\"; did you mean \"db start\"?\n"));
    CHECK(has(err_text, "  db stop"));
    CHECK_INT(RUN("db", "--help"), 0);
    CHECK(has(out_text, "db start"));
}

static void version_is_text_or_json(void)
{
    CHECK_INT(RUN("version"), 0);
    CHECK_STR(out_text, "lumilio " LUM_VERSION "\n");
    CHECK_INT(RUN("--version"), 0);
    CHECK_STR(out_text, "lumilio " LUM_VERSION "\n");
    CHECK_INT(RUN("version", "--json"), 0);
    AUTO(json_auto) json_t *value = document();
    CHECK_STR(text_of(value, "version"), LUM_VERSION);
}

static void output_that_cannot_be_written_fails(void)
{
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    int err = temp_file("stderr");
    REQUIRE(CHECK(full >= 0));
    CHECK_INT(finish(start((const char *const[]) { "version", NULL }, full, err)), 1);
    take_text(err, err_text);
    CHECK(has(err_text, "No space left on device"));
    fd_auto(&full);
}

static void unusable_homes_and_urls_are_told(void)
{
    CHECK_INT(RUN("list", "--database-url", "postgresql:///?host=/nonexistent"), 1);
    CHECK_STR(out_text, "");
    CHECK(has(err_text, "lumilio: "));
    CHECK(has(err_text, "/nonexistent"));
    CHECK(line_count(err_text) <= 2);
    CHECK_INT(RUN("list", "--home", "/dev/null/x"), 1);
    CHECK(has(err_text, "/dev/null"));
    CHECK_INT(RUN("list", "--user", "../x"), 1);
    CHECK(has(err_text, "user name \"../x\""));
    CHECK_INT(RUN("db", "start", "--database-url", "postgresql:///x"), 2);
}

/* The private server, before and behind the migrations. */

static void status_of_nothing(void)
{
    CHECK_INT(RUN("db", "status"), 0);
    CHECK(has(out_text, "no database yet"));
    CHECK_INT(RUN("db", "status", "--json"), 0);
    AUTO(json_auto) json_t *value = document();
    CHECK(json_is_false(json_object_get(value, "exists")));
    CHECK_INT(RUN("db", "stop"), 0);
}

static void migrate_and_river_use_the_private_server(void)
{
    CHECK_INT(RUN("migrate", "status"), 0);
    CHECK(has(out_text, "PENDING"));
    CHECK(has(out_text, "No migration applied yet")); /* looking has changed nothing */
    CHECK_INT(RUN("migrate", "status", "--exit-code"), 2);
    CHECK_INT(RUN("river", "validate"), 1);
    CHECK(has(err_text, "river migrate-up"));
    CHECK_INT(RUN("migrate", "apply", "--to-version", "005"), 0);
    CHECK_INT(RUN("migrate", "status", "--json"), 0);
    AUTO(json_auto) json_t *value = document();
    CHECK_STR(text_of(value, "Status"), "PENDING");
    CHECK_STR(text_of(value, "Current"), "005");
    CHECK_INT(RUN("river", "migrate-list"), 0);
    CHECK(has(out_text, "initial schema"));
}

static void start_and_stop(void)
{
    CHECK_INT(RUN("db", "start"), 0);
    CHECK(has(out_text, "running: postgresql://"));
    CHECK_INT(RUN("db", "status"), 0);
    CHECK(has(out_text, "running (PostgreSQL "));
    CHECK_INT(RUN("db", "url"), 0);
    CHECK(strncmp(out_text, "postgresql://", 13) == 0);
    CHECK_INT(line_count(out_text), 1);
    CHECK_INT(RUN("migrate", "status"), 0);
    CHECK(has(out_text, "Migration Status: OK"));
    CHECK_INT(RUN("river", "validate"), 0);
    CHECK_INT(RUN("db", "status", "--json"), 0);
    AUTO(json_auto) json_t *value = document();
    CHECK(json_is_true(json_object_get(value, "running")));
    CHECK(number_of(value, "pid") > 0);
}

/* Assets. */

static char ids[3][PGC_UUID_TEXT_SIZE]; /* of a.png, b.png and the one with a terrible name */

#define TERRIBLE "c\x1b[31m\xff.png"

static void an_empty_library_says_so(void)
{
    CHECK_INT(RUN("list"), 0);
    CHECK(has(out_text, "lumilio import"));
    CHECK_INT(RUN("list", "--json"), 0);
    CHECK_STR(out_text, "[]\n");
    CHECK_INT(RUN("search", "x"), 0);
    CHECK_STR(out_text, "nothing found\n");
}

static void import_streams_json(void)
{
    char text[OUTPUT_MAX];
    char *rest = NULL;
    unsigned lines = 0;
    (void) photo("a.png", 1);
    (void) photo("b.png", 2);
    (void) photo(TERRIBLE, 3);
    CHECK_INT(RUN("import", photos, "--json", "--jobs", "1"), 0);
    memcpy(text, out_text, sizeof text);
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        AUTO(json_auto) json_t *value = json_loads(line, 0, NULL);
        if (!CHECK(value != NULL)) {
            break;
        }
        if (lines < 3) {
            CHECK_STR(text_of(value, "outcome"), "imported");
            (void) snprintf(ids[lines], sizeof ids[lines], "%s", text_of(value, "asset_id"));
        } else {
            CHECK_STR(text_of(value, "type"), "summary");
            CHECK_INT(number_of(value, "imported"), 3);
            CHECK_INT(number_of(value, "failed"), 0);
        }
        lines++;
    }
    CHECK_INT(lines, 4);
    CHECK(has(out_text, "c\\\\x1b[31m\\\\xff.png"));
}

static void import_again_says_that_nothing_is_new(void)
{
    CHECK_INT(RUN("import", photos), 0);
    CHECK(has(out_text, "imported 0, duplicate 3, skipped 0, failed 0"));
    CHECK(has(out_text, "nothing new"));
    CHECK_STR(err_text, "");
}

static void import_of_an_absent_path_fails(void)
{
    CHECK_INT(RUN("import", "/nonexistent/photos"), 1);
    CHECK(has(out_text, "failed   /nonexistent/photos: No such file or directory"));
    CHECK(has(err_text, "lumilio: 1 of 1 could not be imported"));
    CHECK_INT(line_count(err_text), 1);
    CHECK_INT(RUN("import", "/nonexistent/photos", "--json"), 1);
    CHECK(has(out_text, "\"reason\""));
}

static void list_and_search_find_them(void)
{
    CHECK_INT(RUN("list"), 0);
    CHECK(has(out_text, "a.png"));
    CHECK(has(out_text, ids[0]));
    CHECK(strchr(out_text, '\x1b') == NULL); /* no way to play with the terminal */
    CHECK_INT(RUN("list", "--json"), 0);
    {
        AUTO(json_auto) json_t *list = document();
        CHECK_INT(json_array_size(list), 3);
        const json_t *last = json_array_get(list, 2); /* newest first */
        CHECK_STR(text_of(last, "asset_id"), ids[0]);
        CHECK_STR(text_of(last, "original_filename"), "a.png");
        CHECK_STR(text_of(last, "asset_type"), "photo");
        CHECK_INT(number_of(last, "width"), 64);
        CHECK_INT(number_of(last, "height"), 48);
    }
    CHECK_INT(RUN("list", "--limit", "1"), 0);
    CHECK(has(out_text, "go on with --cursor "));
    CHECK_INT(RUN("list", "--limit", "2", "--sort", "name", "--page", "--total", "--json"), 0);
    char next[512];
    {
        AUTO(json_auto) json_t *page = document();
        CHECK_INT(json_array_size(json_object_get(page, "assets")), 2);
        CHECK_INT(number_of(page, "total"), 3);
        (void) snprintf(next, sizeof next, "%s", text_of(page, "next"));
    }
    CHECK_INT(RUN("list", "--limit", "2", "--sort", "name", "--cursor", next, "--json"), 0);
    {
        AUTO(json_auto) json_t *page = document();
        CHECK_INT(json_array_size(json_object_get(page, "assets")), 1);
        CHECK(json_is_null(json_object_get(page, "next")));
    }
    CHECK_INT(RUN("list", "--limit", "2", "--cursor", next), 1);
    CHECK(has(err_text, "the cursor does not belong to this list"));
    CHECK_INT(RUN("list", "--name-contains", "a.P", "--type", "photo", "--liked", "no", "--json"),
              0);
    {
        AUTO(json_auto) json_t *list = document();
        CHECK_INT(json_array_size(list), 1);
        CHECK_STR(text_of(json_array_get(list, 0), "asset_id"), ids[0]);
    }
    CHECK_INT(RUN("list", "--from", "2999"), 1);
    CHECK(has(err_text, "filter from: \"2999\""));
    CHECK_INT(RUN("list", "--sort", "colour"), 1);
    CHECK(has(err_text, "taken, uploaded, name, size or rating"));
    CHECK_INT(RUN("list", "--type", "video"), 0);
    CHECK(has(out_text, "no assets"));
    CHECK_INT(RUN("list", "--type", "gif"), 1);
    CHECK(has(err_text, "photo, video or audio"));
    CHECK_INT(RUN("search", "B.PNG", "--json"), 0);
    {
        AUTO(json_auto) json_t *list = document();
        CHECK_INT(json_array_size(list), 1);
        CHECK_STR(text_of(json_array_get(list, 0), "asset_id"), ids[1]);
    }
    CHECK_INT(RUN("search", "--", "-nothing-"), 0);
    CHECK_STR(out_text, "nothing found\n");
    CHECK_INT(RUN("search", " "), 1);
    CHECK(has(err_text, "the text is empty"));
}

static void show_tells_everything(void)
{
    CHECK_INT(RUN("show", ids[0]), 0);
    CHECK(has(out_text, "a.png"));
    CHECK(has(out_text, "64"));
    CHECK(has(out_text, "thumbnails"));
    CHECK(has(out_text, "sha256:"));
    CHECK_INT(RUN("show", ids[0], "--json"), 0);
    AUTO(json_auto) json_t *value = document();
    CHECK_STR(text_of(value, "mime_type"), "image/png");
    CHECK_INT(json_array_size(json_object_get(value, "thumbnails")), 3);
    CHECK_INT(RUN("show", "00000000-0000-7000-8000-000000000000"), 1);
    CHECK(has(err_text, "there is no such asset"));
    CHECK_STR(out_text, "");
}

static void edit_changes_what_is_said(void)
{
    CHECK_INT(RUN("edit", ids[0], "rating=4", "camera_model=7", "taken_at=2023-05-06T07:08:09",
                  "description=a \"quoted\" sea", "--json"),
              0);
    {
        AUTO(json_auto) json_t *asset = document();
        CHECK_INT(number_of(asset, "rating"), 4);
        CHECK_STR(text_of(asset, "camera_model"), "7");
        CHECK_STR(text_of(asset, "taken_local"), "2023-05-06T07:08:09");
        CHECK_STR(text_of(asset, "description"), "a \"quoted\" sea");
    }
    CHECK_INT(RUN("edit", ids[0], "camera_model="), 0);
    CHECK(strstr(out_text, "camera ") == NULL);
    CHECK_INT(RUN("edit", ids[0], "rating=6"), 1);
    CHECK(has(err_text, "rating: 6; it goes from 0 to 5"));
    CHECK_INT(RUN("edit", ids[0], "colour=red"), 1);
    CHECK(has(err_text, "there is no \"colour\""));
    CHECK_INT(RUN("edit", ids[0], "rating"), 1);
    CHECK(has(err_text, "NAME=VALUE"));
    CHECK_INT(RUN("edit", ids[0]), 2);
    char path[256];
    (void) snprintf(path, sizeof path, "%s/change.json", folder.path);
    int file = temp_file("change.json");
    CHECK(dprintf(file, "{\"liked\": true,\n \"rating\": }") > 0);
    fd_auto(&file);
    CHECK_INT(RUN("edit", ids[0], "--from", path), 1);
    CHECK(has(err_text, "line 2"));
    file = temp_file("change.json");
    CHECK(dprintf(file, "{\"liked\": true}") > 0);
    fd_auto(&file);
    CHECK_INT(RUN("edit", ids[0], "--from", path), 0);
    CHECK(has(out_text, "liked         true"));
}

static void timeline_counts_and_lists(void)
{
    CHECK_INT(RUN("timeline"), 0);
    CHECK(has(out_text, "2023-05           1 photos"));
    CHECK_INT(RUN("timeline", "2023", "--days", "--json"), 0);
    {
        AUTO(json_auto) json_t *days = document();
        CHECK_INT(json_array_size(days), 1);
        CHECK_STR(text_of(json_array_get(days, 0), "day"), "2023-05-06");
    }
    CHECK_INT(RUN("timeline", "2023-05", "--json"), 0);
    {
        AUTO(json_auto) json_t *page = document();
        const json_t *assets = json_object_get(page, "assets");
        CHECK_INT(json_array_size(assets), 1);
        CHECK_STR(text_of(json_array_get(assets, 0), "asset_id"), ids[0]);
    }
    CHECK_INT(RUN("timeline", "--repair"), 0);
    CHECK_STR(out_text, "0 days were counted wrong and are mended\n");
    CHECK_INT(RUN("timeline", "yesterday"), 2);
    CHECK_INT(RUN("timeline", "--days"), 2);
}

/* A photo of its own, in the library only: later cases import the folder. */
static void import_doomed(const char *name, uint32_t number, char id[static 64])
{
    const char *source = photo(name, number);
    CHECK_INT(RUN("import", source), 0);
    CHECK_INT(unlink(source), 0);
    CHECK_INT(RUN("list", "--name-prefix", name, "--json"), 0);
    AUTO(json_auto) json_t *list = document();
    const json_t *asset = json_array_get(list, 0);
    (void) snprintf(id, 64, "%s", text_of(asset, "asset_id"));
}

/* Files of the repository, none of them without row. */
static json_int_t files_now(void)
{
    CHECK_INT(RUN("db", "verify", "--json"), 0);
    AUTO(json_auto) json_t *found = document();
    return number_of(found, "files");
}

static void trash_is_listed_and_emptied(void)
{
    char id[64];
    json_int_t files = files_now();
    import_doomed("doomed.png", 77, id);
    CHECK_INT(files_now(), files + 4);
    CHECK_INT(RUN("trash", "list"), 0);
    CHECK_STR(out_text, "the trash is empty\n");
    CHECK_INT(RUN("trash", "empty", id, "--yes"), 1);
    CHECK(has(err_text, "the asset is not in it"));
    CHECK_INT(RUN("delete", id), 0);
    CHECK_INT(RUN("trash", "list", "--json"), 0);
    CHECK(has(out_text, id));
    CHECK_INT(RUN("trash", "empty"), 1);
    CHECK(has(err_text, "not confirmed, nothing is changed"));
    CHECK_INT(RUN("trash", "empty", "--older-than", "2", "--yes"), 0);
    CHECK(has(out_text, "0 assets"));
    CHECK_INT(RUN("trash", "restore", id), 0);
    CHECK_INT(RUN("delete", id), 0);
    CHECK_INT(RUN("trash", "empty", "--yes", "--json"), 0);
    {
        AUTO(json_auto) json_t *done = document();
        CHECK_INT(number_of(done, "assets"), 1);
        CHECK_INT(number_of(done, "files"), 4);
    }
    CHECK_INT(RUN("restore", id), 1);
    CHECK_INT(files_now(), files);
    import_doomed("kept.png", 78, id);
    CHECK_INT(RUN("delete", id), 0);
    CHECK_INT(RUN("trash", "empty", id, "--keep-files", "30", "--yes"), 0);
    CHECK(has(out_text, "1 assets"));
    CHECK_INT(files_now(), files + 4); /* they wait for their day */
}

static void delete_and_restore(void)
{
    CHECK_INT(RUN("delete", ids[0]), 0);
    CHECK(has(out_text, "in the trash"));
    CHECK_INT(RUN("show", ids[0]), 1);
    CHECK_INT(RUN("delete", ids[0]), 1);
    CHECK(has(err_text, ids[0]));
    CHECK_INT(RUN("list", "--json"), 0);
    {
        AUTO(json_auto) json_t *list = document();
        CHECK_INT(json_array_size(list), 2);
    }
    CHECK_INT(RUN("restore", ids[0], "--json"), 0);
    AUTO(json_auto) json_t *value = document();
    CHECK_STR(text_of(value, "asset_id"), ids[0]);
    CHECK_INT(RUN("show", ids[0]), 0);
}

static void verify_finds_what_is_missing(void)
{
    char path[512];
    CHECK_INT(RUN("db", "verify"), 0);
    CHECK(has(out_text, "3 assets"));
    CHECK_INT(RUN("show", ids[1], "--json"), 0);
    AUTO(json_auto) json_t *value = document();
    CHECK_INT(RUN("list", "--user", "somebody", "--json"), 0);
    CHECK_STR(out_text, "[]\n"); /* others see nothing */
    CHECK_INT(RUN("db", "psql", "--", "-Atc", "SELECT path FROM repositories LIMIT 1"), 0);
    out_text[strcspn(out_text, "\n")] = '\0';
    (void) snprintf(path, sizeof path, "%.200s/%.200s", out_text, text_of(value, "file_path"));
    CHECK(unlink(path) == 0);
    CHECK_INT(RUN("db", "verify", "--json"), 1);
    AUTO(json_auto) json_t *found = document();
    CHECK_INT(number_of(found, "rows_without_file"), 1);
    CHECK_INT(number_of(found, "files_without_row"), 0);
}

/* A signal in the middle: the first new asset is awaited, then SIGINT. */
static void an_interrupt_ends_after_what_is_begun(void)
{
    char name[32];
    int pipes[2];
    char text[OUTPUT_MAX];
    size_t length = 0;
    ssize_t got = 1;
    int err = temp_file("stderr");
    for (uint32_t i = 0; i < 40; i++) {
        (void) snprintf(name, sizeof name, "more%02u.png", i);
        (void) photo(name, 100 + i);
    }
    REQUIRE(CHECK(pipe2(pipes, O_CLOEXEC) == 0));
    const char *const words[] = { "import", photos, "--json", "--jobs", "1", NULL };
    pid_t pid = start(words, pipes[1], err);
    fd_auto(&pipes[1]);
    for (bool asked = false; got > 0 && length + 1 < sizeof text; length += (size_t) got) {
        text[length] = '\0';
        if (!asked && strstr(text, "\"imported\"") != NULL) {
            asked = CHECK(kill(-pid, SIGINT) == 0);
        }
        got = read(pipes[0], text + length, sizeof text - 1 - length);
    }
    CHECK_INT(finish(pid), 1);
    CHECK(strstr(text, "\"failed\",") == NULL); /* the file at work went in all the same */
    take_text(err, err_text);
    CHECK(has(err_text, "stopped; what was begun is finished"));
    fd_auto(&pipes[0]);
    CHECK_INT(RUN("import", photos), 0);
    CHECK(strstr(out_text, "imported 40,") == NULL); /* one at least was there */
    CHECK(strstr(out_text, "imported 0,") == NULL);  /* and one at least was left */
    CHECK_INT(RUN("list", "--json"), 0);
    AUTO(json_auto) json_t *list = document();
    CHECK_INT(json_array_size(list), 43);
}

static void stopped_it_is_started_when_needed(void)
{
    CHECK_INT(RUN("db", "stop"), 0);
    CHECK_STR(out_text, "stopped\n");
    CHECK_INT(RUN("db", "status"), 0);
    CHECK(has(out_text, "stopped (PostgreSQL "));
    CHECK_INT(RUN("show", ids[2]), 0);
    CHECK_INT(RUN("db", "status"), 0);
    CHECK(has(out_text, "stopped (PostgreSQL ")); /* whoever started it has stopped it */
}

static const tap_case CASES[] = {
    TAP("cli: there is help for everything", help_is_there_for_everything),
    TAP("cli: wrong calls are told in a line and exit 2", wrong_calls_are_told_and_exit_2),
    TAP("cli: version as text and JSON", version_is_text_or_json),
    TAP("cli: output that cannot be written is a failure", output_that_cannot_be_written_fails),
    TAP("cli: unusable homes, URLs and users are told", unusable_homes_and_urls_are_told),
    TAP("cli: db status before there is a database", status_of_nothing),
    TAP("cli: migrate and river look at the private server as it is",
        migrate_and_river_use_the_private_server),
    TAP("cli: db start, url, status; the schema is complete then", start_and_stop),
    TAP("cli: an empty library says so", an_empty_library_says_so),
    TAP("cli: import streams a line of JSON for each file", import_streams_json),
    TAP("cli: a second import says that nothing is new", import_again_says_that_nothing_is_new),
    TAP("cli: import of an absent path exits 1", import_of_an_absent_path_fails),
    TAP("cli: list and search find them, in text and JSON", list_and_search_find_them),
    TAP("cli: show tells everything", show_tells_everything),
    TAP("cli: edit changes what is said, by words and by document", edit_changes_what_is_said),
    TAP("cli: timeline counts months and days and lists them", timeline_counts_and_lists),
    TAP("cli: delete and restore", delete_and_restore),
    TAP("cli: the trash is listed and emptied, files included", trash_is_listed_and_emptied),
    TAP("cli: db verify finds what is missing", verify_finds_what_is_missing),
    TAP("cli: an interrupt ends after what is begun", an_interrupt_ends_after_what_is_begun),
    TAP("cli: db stop; the next command starts it again", stopped_it_is_started_when_needed),
};

int main(void)
{
    folder = tmpdir_make();
    if (folder.fd < 0 || chmod(folder.path, 0711) != 0) {
        (void) printf("Bail out! no folder\n");
        return 1;
    }
    (void) snprintf(home, sizeof home, "%s/home", folder.path);
    (void) snprintf(photos, sizeof photos, "%s/photos", folder.path);
    (void) mkdir(photos, 0700);
    (void) setenv("LUMILIO_HOME", home, 1);
    (void) unsetenv("DATABASE_URL");
    int code = tap_run(CASES, ARRAY_LEN(CASES));
    (void) RUN("db", "stop", "--force");
    tmpdir_remove(&folder);
    return code;
}
