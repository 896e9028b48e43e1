/* Secrets as canaries: passwords, tokens, signing keys, the key of an embedding server and the
 * password of a database go through the programs, the services and the worker, on a private server
 * that logs all it can, parameters included. Then everything that somebody might read is looked
 * through: logs, activity and statistics of the server, its data directory, a dump, arguments and
 * errors of jobs, what the programs said, and, while they run, every process's arguments and every
 * child's environment. */
#include "base/prelude.h"

#include <dirent.h>
#include <ftw.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <lumilio/status.h>

#include "base/buf.h"
#include "base/proc.h"
#include "embedding_server.h"
#include "image.h"
#include "program.h"
#include "schema.h"
#include "tap.h"
#include "tmpdir.h"

#define CANARIES_MAX 24
#define FILE_MAX_    (INT64_C(256) << 20)

#define PASSWORD  "canary-first-password-8101"
#define PASSWORD2 "canary-second-password-8102"
#define WRONG     "canary-wrong-password-8103"
#define ML_KEY    "canary-embedding-key-8104"
#define DB_SECRET "canary-database-password-8105"

static tmpdir folder;
static char home[96], url[512];
static buf said; /* all that the programs wrote */

static struct canary {
    char name[32];
    char text[1100];
} canaries[CANARIES_MAX];
static size_t canary_count;

static struct {
    pthread_t thread;
    int stop;
    unsigned long processes, environments;
    char found[256];
} watcher;

static void canary_add(const char *name, slice text)
{
    if (CHECK(text.len >= 16 && text.len < sizeof canaries[0].text &&
              canary_count < CANARIES_MAX)) {
        struct canary *c = &canaries[canary_count];
        (void) snprintf(c->name, sizeof c->name, "%s", name);
        (void) snprintf(c->text, sizeof c->text, "%" SLICE_FMT, SLICE_ARG(text));
        canary_count++;
    }
}

/* The first canary in some bytes; NULL: none. */
static const char *canary_in(slice bytes)
{
    for (size_t i = 0; i < canary_count && bytes.len > 0; i++) {
        if (memmem(bytes.ptr, bytes.len, canaries[i].text, strlen(canaries[i].text)) != NULL) {
            return canaries[i].name;
        }
    }
    return NULL;
}

static bool clean(const char *where, slice bytes)
{
    const char *name = canary_in(bytes);
    if (!CHECK(name == NULL)) {
        (void) printf("# %s: %s\n", where, name);
    }
    return name == NULL;
}

/* A file of /proc; what cannot be read is empty. */
static slice proc_read(const char *pid, const char *name, char *room, size_t size)
{
    char path[64];
    (void) snprintf(path, sizeof path, "/proc/%.16s/%s", pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, room, size);
    if (fd >= 0) {
        (void) close(fd);
    }
    return (slice) { room, got > 0 ? (size_t) got : 0 };
}

/* The program itself gets its settings by its environment, and psql cannot get a password in
 * another way; nothing else that is started may have one. */
static void look_at(const char *pid)
{
    static char room[131072];
    char name[32];
    slice comm = proc_read(pid, "comm", name, sizeof name);
    const char *found = canary_in(proc_read(pid, "cmdline", room, sizeof room));
    watcher.processes++;
    bool may = slice_eq_str(comm, "lumilio\n") || slice_eq_str(comm, "psql\n");
    if (found == NULL && comm.len > 0 && !may && !slice_starts(comm, SLICE("t-pg-secrets"))) {
        found = canary_in(proc_read(pid, "environ", room, sizeof room));
        watcher.environments++;
    }
    if (found != NULL) {
        (void) snprintf(watcher.found, sizeof watcher.found, "%s in %" SLICE_FMT, found,
                        SLICE_ARG(comm));
    }
}

static void *watch(void *arg)
{
    (void) arg;
    while (__atomic_load_n(&watcher.stop, __ATOMIC_ACQUIRE) == 0) {
        DIR *processes = opendir("/proc");
        struct dirent *entry;
        while (processes != NULL && (entry = readdir(processes)) != NULL) {
            if (isdigit((unsigned char) entry->d_name[0])) {
                look_at(entry->d_name);
            }
        }
        if (processes != NULL) {
            (void) closedir(processes);
        }
        (void) usleep(2000); /* leaves the processor to those who are watched */
    }
    return NULL;
}

/* With `input` as a file of passwords; what is said is kept for later, but for tokens that were
 * asked for. */
static int run(const char *input, const char *const *words)
{
    pgc_error err;
    char path[PATH_MAX];
    const char *all[PROGRAM_WORDS_MAX];
    size_t count = 0;
    (void) snprintf(path, sizeof path, "%s/input", folder.path);
    for (; words[count] != NULL; count++) {
        all[count] = words[count];
    }
    if (input != NULL) {
        CHECK_STATUS(
            file_write_atomic(env_default(), AT_FDCWD, path, pgc_text_from(input), 0600, &err),
            PGC_OK, &err);
        all[count++] = "--password-file";
        all[count++] = path;
    }
    if (words[1] == NULL || strcmp(words[1], "psql") != 0) {
        all[count++] = "--verbose";
    }
    all[count] = NULL;
    int code = program_run_as(NULL, all);
    if (words[1] == NULL || strcmp(words[1], "token") != 0) {
        buf_add_str(&said, program_out);
    }
    buf_add_str(&said, program_err);
    if (code != 0) {
        (void) printf("# %s: %d: %.200s", words[0], code, program_err);
    }
    return code;
}

#define RUN(input, ...) run((input), (const char *const[]) { __VA_ARGS__, NULL })

static void keep_file(const char *name, const char *what)
{
    pgc_error err;
    char path[PATH_MAX];
    AUTO(buf_auto) buf text;
    buf_init(&text, NULL, 65536);
    (void) snprintf(path, sizeof path, "%s/%s", home, name);
    if (!CHECK_STATUS(file_read(env_default(), AT_FDCWD, path, &text, &err), PGC_OK, &err)) {
        return;
    }
    slice rest = buf_view(&text);
    while (rest.ptr != NULL) { /* the last word of each line: what is secret of it */
        slice line = slice_trim(slice_next(&rest, '\n'));
        slice word = line;
        while (line.ptr != NULL) {
            word = slice_next(&line, ' ');
        }
        if (word.len >= 32) {
            canary_add(what, word);
        }
    }
}

static bool everything_is_logged(void)
{
    static const char *const SETTINGS[] = {
        "log_statement = 'all'",           "log_min_duration_statement = 0",
        "log_parameter_max_length = -1",   "log_parameter_max_length_on_error = -1",
        "log_error_verbosity = verbose",   "log_min_messages = debug1",
        "track_activity_query_size = 8192"
    };
    char sql[128];
    char got[64];
    char state[6];
    pgc_conn *conn = schema_connect(url);
    if (!CHECK(conn != NULL)) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(SETTINGS); i++) {
        (void) snprintf(sql, sizeof sql, "ALTER SYSTEM SET %s", SETTINGS[i]);
        schema_ask(conn, sql, got, sizeof got, state);
        CHECK_STR(state, "");
    }
    schema_ask(conn, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements", got, sizeof got, state);
    CHECK_SQL(conn, "SELECT pg_reload_conf()", "t");
    pgc_conn_close(conn);
    return true;
}

static bool set_up(void)
{
    folder = tmpdir_make();
    buf_init(&said, NULL, 64 << 20);
    (void) snprintf(home, sizeof home, "%s/home", folder.path);
    CHECK(folder.fd >= 0 && chmod(folder.path, 0711) == 0);
    CHECK(setenv("LUMILIO_HOME", home, 1) == 0 && unsetenv("DATABASE_URL") == 0);
    if (!CHECK(embedding_server_open()) || !CHECK_INT(PROGRAM_PLAIN("db", "start"), 0) ||
        !CHECK_INT(PROGRAM_PLAIN("db", "url"), 0)) {
        return false;
    }
    (void) snprintf(url, sizeof url, "%.511s", program_out);
    url[strcspn(url, "\n")] = '\0';
    canary_add("password", SLICE(PASSWORD));
    canary_add("new password", SLICE(PASSWORD2));
    canary_add("wrong password", SLICE(WRONG));
    canary_add("embedding key", SLICE(ML_KEY));
    canary_add("database password", SLICE(DB_SECRET));
    return everything_is_logged() &&
           CHECK_INT(pthread_create(&watcher.thread, NULL, watch, NULL), 0);
}

/* Accounts and logins, good and bad. */
static void accounts(void)
{
    CHECK_INT(RUN(PASSWORD "\n", "user", "add", "ann", "--email", "ann@example.org"), 0);
    CHECK_INT(RUN(PASSWORD "\n", "user", "add", "ann"), 1);
    CHECK_INT(RUN(WRONG "\n", "user", "login", "ann"), 1);
    CHECK_INT(RUN(WRONG "\n", "user", "login", "nobody"), 1);
    CHECK_INT(RUN(PASSWORD "\n", "user", "login", "ann@example.org"), 0);
    keep_file("login", "refresh token");
    keep_file("auth.keys", "signing key");
    CHECK_INT(RUN(NULL, "user", "token"), 0);
    canary_add("access token", slice_trim(pgc_text_from(program_out)));
    const char *signature = strrchr(program_out, '.');
    if (CHECK(signature != NULL)) {
        canary_add("its signature", slice_trim(pgc_text_from(signature + 1)));
    }
    keep_file("login", "next refresh token");
    CHECK_INT(RUN(NULL, "user", "whoami"), 0);
    CHECK_INT(RUN(NULL, "user", "rotate-key"), 0);
    keep_file("auth.keys", "next signing key");
    CHECK_INT(RUN(PASSWORD "\n" PASSWORD2 "\n", "user", "passwd", "ann"), 0);
    CHECK_INT(RUN(PASSWORD2 "\n", "user", "login", "ann"), 0);
    keep_file("login", "last refresh token");
    CHECK_INT(RUN(NULL, "user", "sessions", "list"), 0);
    CHECK_INT(RUN(NULL, "user", "logout"), 0);
}

/* Photos, their jobs, and an embedding server that quotes its key when it refuses. */
static void photos(void)
{
    char path[160];
    char source[128];
    (void) snprintf(source, sizeof source, "%s/source", folder.path);
    CHECK(mkdir(source, 0700) == 0);
    for (uint32_t i = 0; i < 4; i++) {
        (void) snprintf(path, sizeof path, "%s/%u.png", source, i);
        CHECK(image_write(path, 64, 48, i));
    }
    CHECK(setenv("LUMILIO_ML_URL", embedding_server.url, 1) == 0 &&
          setenv("LUMILIO_ML_API", "openai", 1) == 0 &&
          setenv("LUMILIO_ML_MODEL", "test/model", 1) == 0 &&
          setenv("LUMILIO_ML_KEY", ML_KEY, 1) == 0);
    CHECK_INT(RUN(NULL, "import", source, "--later"), 0);
    embedding_code = 401;
    embedding_garbage = "{\"error\": \"Authorization: Bearer " ML_KEY " is not known\"}";
    (void) RUN(NULL, "work", "--once");
    CHECK(strstr(embedding_server.request, ML_KEY) != NULL); /* it was there to be told on */
    (void) RUN(NULL, "search", "beach", "--by", "meaning");
    CHECK(unsetenv("LUMILIO_ML_KEY") == 0 && unsetenv("LUMILIO_ML_URL") == 0);
}

/* A URL with a password, to a server that is there and to one that is not. */
static void databases(void)
{
    char with[700];
    bool uri = strstr(url, "://") != NULL;
    (void) snprintf(with, sizeof with, "%s%spassword=%s", url,
                    !uri                       ? " "
                    : strchr(url, '?') != NULL ? "&"
                                               : "?",
                    DB_SECRET);
    CHECK(setenv("DATABASE_URL", with, 1) == 0);
    CHECK_INT(RUN(NULL, "list"), 0);
    CHECK_INT(RUN(NULL, "migrate", "status"), 0);
    CHECK_INT(RUN(NULL, "db", "psql", "--", "-c", "select pg_sleep(0.2)"), 0);
    CHECK(setenv("DATABASE_URL", "postgresql://me:" DB_SECRET "@127.0.0.1:9/none", 1) == 0);
    CHECK_INT(RUN(NULL, "list"), 1);
    CHECK(setenv("DATABASE_URL", "postgresql://me:" DB_SECRET "@[::1/none?what=is", 1) == 0);
    CHECK(RUN(NULL, "list") != 0);
    CHECK(unsetenv("DATABASE_URL") == 0);
}

static void secrets_are_used(void)
{
    REQUIRE(CHECK(set_up()));
    accounts();
    photos();
    databases();
    CHECK(canary_count >= 11);
    (void) printf("# %zu canaries, %zu bytes said\n", canary_count, buf_view(&said).len);
}

static void nobody_hears_them(void)
{
    REQUIRE(canary_count > 0);
    __atomic_store_n(&watcher.stop, 1, __ATOMIC_RELEASE);
    (void) pthread_join(watcher.thread, NULL);
    CHECK_STR(watcher.found, "");
    CHECK(watcher.processes > 100 && watcher.environments > 100);
    (void) printf("# %lu looks at processes, %lu at environments\n", watcher.processes,
                  watcher.environments);
    CHECK(!said.failed);
    (void) clean("what the programs said", buf_view(&said));
}

/* Rows of a question as one text. */
static void clean_rows(pgc_conn *conn, const char *where, const char *sql, bool must)
{
    pgc_error err;
    pgc_result *result = NULL;
    pgc_reader reader;
    pgc_status status = pgc_conn_script(conn, sql, 0, &result, &err);
    if (status != PGC_OK) {
        CHECK(!must);
        (void) printf("# %s: not there\n", where);
        return;
    }
    pgc_reader_init(&reader, result, NULL);
    size_t rows = pgc_result_rows(result);
    for (size_t i = 0; i < rows; i++) {
        slice cell = pgc_read_opt_text(&reader, i, 0);
        (void) clean(where, cell);
    }
    CHECK(!must || rows > 0);
    (void) printf("# %s: %zu rows\n", where, rows);
    pgc_result_free(result);
}

static void no_session_or_job_tells_them(void)
{
    REQUIRE(canary_count > 0);
    pgc_conn *conn = schema_connect(url);
    REQUIRE(CHECK(conn != NULL));
    clean_rows(conn, "pg_stat_activity", "SELECT query FROM pg_stat_activity", true);
    clean_rows(conn, "pg_stat_statements", "SELECT query FROM pg_stat_statements", false);
    clean_rows(conn, "jobs", "SELECT to_jsonb(j)::text FROM river_job j", true);
    CHECK_SQL(conn,
              "SELECT count(*) > 0 FROM river_job WHERE errors::text LIKE '%the server answers "
              "401%'",
              "t"); /* the quotation came as far as here */
    pgc_conn_close(conn);
}

static void no_dump_has_them(void)
{
    REQUIRE(canary_count > 0);
    char path[PATH_MAX];
    pgc_error err;
    AUTO(buf_auto) buf text;
    buf_init(&text, NULL, 64 << 20);
    (void) snprintf(path, sizeof path, "%s/dump", folder.path);
    const char *const argv[] = { "pg_dump", "-f", path, "-d", url, NULL };
    const proc_options options = { .argv = argv };
    int code = 1;
    pgc_status status = proc_run(env_default(), &options, &code, &err);
    if (status == PGC_NOT_FOUND) {
        TAP_SKIP("no pg_dump");
    }
    CHECK_INT(code, 0);
    REQUIRE_OK(file_read(env_default(), AT_FDCWD, path, &text, &err), &err);
    CHECK(memmem(text.ptr, text.len, "$2", 2) != NULL); /* hashes are in it */
    (void) clean("the dump", buf_view(&text));
}

static unsigned long files_looked_at;

/* Where secrets of the library belong; each is 0600. */
static bool belongs(const char *path, const struct stat *info)
{
    const char *name = strrchr(path, '/') + 1;
    bool known = strcmp(name, "auth.keys") == 0 || strcmp(name, "login") == 0;
    CHECK(!known || (info->st_mode & 0777) == 0600);
    return known;
}

static int look_into(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void) at;
    if (kind != FTW_F || belongs(path, info) || info->st_size == 0 || info->st_size > FILE_MAX_) {
        return 0;
    }
    pgc_error err;
    AUTO(buf_auto) buf text;
    buf_init(&text, NULL, FILE_MAX_);
    if (file_read(env_default(), AT_FDCWD, path, &text, &err) == PGC_OK) {
        files_looked_at++;
        (void) clean(path + strlen(home), buf_view(&text));
    }
    return 0;
}

/* The server's log, its tables and its write-ahead log, our own files. */
static void no_file_of_the_library_has_them(void)
{
    char path[PATH_MAX];
    struct stat info;
    REQUIRE(canary_count > 0);
    CHECK_INT(PROGRAM_PLAIN("db", "stop"), 0); /* all is written */
    (void) snprintf(path, sizeof path, "%s/postgres/server.log", home);
    CHECK(stat(path, &info) == 0 && info.st_size > 100000);
    (void) printf("# server.log: %lld bytes\n", (long long) info.st_size);
    CHECK_INT(nftw(home, look_into, 32, FTW_PHYS), 0);
    CHECK(files_looked_at > 500);
    (void) printf("# %lu files\n", files_looked_at);
    http_server_close(&embedding_server);
    buf_done(&said);
    tmpdir_remove(&folder);
}

TAP_MAIN(TAP("secrets: are used by programs and worker", secrets_are_used),
         TAP("secrets: no process shows them and no program says them", nobody_hears_them),
         TAP("secrets: no session, statistic, job or error of one has them",
             no_session_or_job_tells_them),
         TAP("secrets: no dump has them", no_dump_has_them),
         TAP("secrets: no log, table or file of the library has them",
             no_file_of_the_library_has_them))
