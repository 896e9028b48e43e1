/* lumilio user …, as a person and as a script run it, on the private server of a library of its
 * own: passwords come from a terminal, a file or standard input, and are shown nowhere. The cases
 * build on one another. */
#include "base/prelude.h"

#include <fcntl.h>
#include <jansson.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

#include "tap.h"
#include "tmpdir.h"

#define PROGRAM    TEST_BUILD_ROOT "/lumilio"
#define OUTPUT_MAX 65536
#define WORDS_MAX  12
#define SECRET     "correct horse"
#define SECRET2    "battery staple"

static tmpdir folder;
static char home[128];
static char out_text[OUTPUT_MAX], err_text[OUTPUT_MAX];

static int temp_file(const char *name)
{
    return openat(folder.fd, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

static void take_text(int fd, char *text)
{
    ssize_t got = pread(fd, text, OUTPUT_MAX - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    (void) close(fd);
}

/* The program with "user" and words up to NULL; in, out and err become its standard files. */
static pid_t start(const char *const *words, int in, int out, int err)
{
    static char text[WORDS_MAX][256];
    char *argv[WORDS_MAX + 4] = { (char[]) { "lumilio" }, (char[]) { "user" } };
    size_t count = 2;
    for (size_t i = 0; words[i] != NULL && i < WORDS_MAX; i++) {
        (void) snprintf(text[i], sizeof text[i], "%s", words[i]);
        argv[count++] = text[i];
    }
    pid_t pid = fork();
    if (pid == 0) {
        (void) setenv("LUMILIO_HOME", home, 1);
        (void) unsetenv("DATABASE_URL");
        (void) dup2(in, 0);
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

/* Run with `input` as standard input. */
static int run_words(const char *input, const char *const *words)
{
    int in = temp_file("stdin");
    int out = temp_file("stdout");
    int err = temp_file("stderr");
    (void) !write(in, input, strlen(input));
    (void) lseek(in, 0, SEEK_SET);
    int code = finish(start(words, in, out, err));
    (void) close(in);
    take_text(out, out_text);
    take_text(err, err_text);
    if (code != 0) {
        (void) printf("# %s %s: %d: %.300s", words[0], words[1] != NULL ? words[1] : "", code,
                      err_text);
    }
    return code;
}

#define RUN(input, ...) run_words((input), (const char *const[]) { __VA_ARGS__, NULL })

static json_t *document(void)
{
    json_t *value = json_loads(out_text, JSON_DECODE_ANY, NULL);
    if (value == NULL) {
        (void) printf("# no JSON: %.300s\n", out_text);
    }
    return value;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "(none)";
}

static bool no_secret_shown(void)
{
    return strstr(out_text, SECRET) == NULL && strstr(err_text, SECRET) == NULL &&
           strstr(out_text, SECRET2) == NULL && strstr(err_text, SECRET2) == NULL;
}

static bool set_up(void)
{
    folder = tmpdir_make();
    (void) snprintf(home, sizeof home, "%s/home", folder.path);
    /* A server that stays up: each command would start one of its own. */
    return folder.fd >= 0 && chmod(folder.path, 0711) == 0;
}

/* 0 when the shell says so. $1: the program, $2: the library's folder. */
static int shell(const char *command)
{
    pid_t pid = fork();
    if (pid == 0) {
        (void) setenv("LUMILIO_HOME", home, 1);
        (void) unsetenv("DATABASE_URL");
        (void) execl("/bin/sh", "sh", "-c", command, "sh", PROGRAM, home, (char *) NULL);
        _exit(127);
    }
    return finish(pid);
}

static void other_command(const char *group, const char *word)
{
    pid_t pid = fork();
    if (pid == 0) {
        (void) setenv("LUMILIO_HOME", home, 1);
        (void) unsetenv("DATABASE_URL");
        int null = open("/dev/null", O_RDWR);
        (void) dup2(null, 1);
        (void) execl(PROGRAM, "lumilio", group, word, (char *) NULL);
        _exit(127);
    }
    CHECK_INT(finish(pid), 0);
}

static void an_account_is_made_with_a_password_from_stdin(void)
{
    REQUIRE(CHECK(set_up()));
    other_command("db", "start");
    CHECK_INT(shell("\"$1\" db psql -- -qc \"ALTER SYSTEM SET log_statement = 'all'\" -c \"SELECT "
                    "pg_reload_conf()\" >/dev/null"),
              0);
    CHECK_INT(RUN(SECRET "\n", "add", "ann", "--json"), 0);
    json_t *made = document();
    CHECK_STR(text_of(made, "username"), "ann");
    CHECK(json_integer_value(json_object_get(made, "user_id")) > 0);
    json_decref(made);
    CHECK(no_secret_shown());
    CHECK_INT(RUN(SECRET "\n", "add", "ann"), 1);
    CHECK(strstr(err_text, "name is taken") != NULL);
    CHECK(strstr(err_text, "--reset") != NULL);
    CHECK_INT(RUN("", "add", "nobody"), 1);
    CHECK_INT(RUN("short\n", "add", "nobody"), 1);
    CHECK_INT(RUN(SECRET "\n", "add", "no/body"), 1);
    CHECK_INT(RUN("", "add", "a", "b"), 2);
}

static void a_password_file_is_read(void)
{
    char path[128];
    int fd = temp_file("pw");
    (void) !write(fd, SECRET2 "\r\nsecond line", 27);
    (void) close(fd);
    (void) snprintf(path, sizeof path, "%s/pw", folder.path);
    CHECK_INT(RUN("", "register", "bob", "--email", "bob@example.org", "--full-name", "Bob B",
                  "--password-file", path),
              0);
    CHECK_INT(RUN(SECRET2 "\n", "login", "bob@example.org", "--password-file", "-"), 0);
    CHECK_INT(RUN("", "login", "bob", "--password-file", "/nowhere/pw"), 1);
    CHECK(strstr(err_text, "/nowhere/pw") != NULL);
}

static void a_login_is_kept_and_gives_tokens(void)
{
    struct stat info;
    char path[160];
    CHECK_INT(RUN("wrong horse\n", "login", "ann"), 1);
    CHECK(strstr(err_text, "user name or password is wrong") != NULL);
    CHECK_INT(RUN(SECRET "\n", "login", "ann", "--json"), 0);
    CHECK(strstr(out_text, "token") == NULL);
    (void) snprintf(path, sizeof path, "%s/login", home);
    REQUIRE(CHECK(stat(path, &info) == 0));
    CHECK_INT(info.st_mode & 07777, 0600);
    CHECK_INT(RUN("", "whoami"), 0);
    CHECK_STR(out_text, "ann\n");
    CHECK_INT(RUN("", "whoami", "--json"), 0);
    json_t *who = document();
    CHECK_STR(text_of(who, "username"), "ann");
    json_decref(who);
    CHECK_INT(RUN("", "token"), 0);
    CHECK(strncmp(out_text, "eyJ", 3) == 0);
    CHECK_INT(RUN("", "token", "--json"), 0);
    json_t *token = document();
    CHECK_STR(text_of(token, "token_type"), "Bearer");
    CHECK(strncmp(text_of(token, "access_token"), "eyJ", 3) == 0);
    json_decref(token);
    CHECK_INT(RUN("", "rotate-key"), 0);
    CHECK_INT(RUN("", "whoami"), 0);
}

static void sessions_are_listed_and_ended(void)
{
    char first[64];
    CHECK_INT(RUN("", "sessions", "list", "--json"), 0);
    json_t *list = document();
    REQUIRE(CHECK(json_array_size(list) == 1));
    CHECK(json_is_true(json_object_get(json_array_get(list, 0), "current")));
    (void) snprintf(first, sizeof first, "%s", text_of(json_array_get(list, 0), "session_id"));
    json_decref(list);
    CHECK_INT(RUN(SECRET "\n", "login", "ann"), 0);
    CHECK_INT(RUN("", "sessions", "list"), 0);
    CHECK(strstr(out_text, first) != NULL);
    CHECK_INT(RUN("", "sessions", "end", first), 0);
    CHECK_INT(RUN("", "sessions", "end", first), 1);
    CHECK_INT(RUN("", "sessions", "end", "nonsense"), 2);
    CHECK_INT(RUN("", "sessions", "end", "others", "--json"), 0);
    CHECK_STR(out_text, "{\"ended\": 0}\n");
    CHECK_INT(RUN("", "logout"), 0);
    CHECK_INT(RUN("", "whoami"), 1);
    CHECK(strstr(err_text, "not logged in") != NULL);
}

static void passwords_are_changed_and_reset(void)
{
    CHECK_INT(RUN("wrong horse\n" SECRET2 "\n", "passwd", "ann"), 1);
    CHECK_INT(RUN(SECRET "\n" SECRET2 "\n", "passwd", "ann"), 0);
    CHECK_INT(RUN(SECRET "\n", "login", "ann"), 1);
    CHECK_INT(RUN(SECRET2 "\n", "login", "ann"), 0);
    CHECK_INT(RUN(SECRET "\n", "passwd", "ann", "--reset", "--json"), 0);
    CHECK_INT(RUN("", "whoami"), 1); /* the reset ended the session */
    CHECK_INT(RUN(SECRET "\n", "login", "ann"), 0);
    CHECK_INT(RUN(SECRET "\n", "passwd", "nobody", "--reset"), 1);
    CHECK(no_secret_shown());
}

static void accounts_are_listed(void)
{
    CHECK_INT(RUN("", "list", "--json"), 0);
    json_t *list = document();
    CHECK_INT(json_array_size(list), 2);
    const json_t *bob = json_array_get(list, 1);
    CHECK_STR(text_of(bob, "username"), "bob");
    CHECK_STR(text_of(bob, "email"), "bob@example.org");
    CHECK_STR(text_of(bob, "full_name"), "Bob B");
    CHECK(json_is_true(json_object_get(bob, "has_password")));
    CHECK(json_object_get(bob, "password_hash") == NULL);
    json_decref(list);
    CHECK_INT(RUN("", "list"), 0);
    CHECK(strstr(out_text, "ann@localhost") != NULL);
    CHECK(strstr(out_text, "$2") == NULL);
}

/* Read from the terminal's other end until `part` has come; false at its end. */
static bool await(int fd, const char *part, char *seen, size_t size)
{
    size_t used = strlen(seen);
    while (strstr(seen, part) == NULL && used + 1 < size) {
        ssize_t got = read(fd, seen + used, size - used - 1);
        if (got <= 0) {
            return false;
        }
        used += (size_t) got;
        seen[used] = '\0';
    }
    return strstr(seen, part) != NULL;
}

static void type(int fd, const char *keys)
{
    CHECK(write(fd, keys, strlen(keys)) == (ssize_t) strlen(keys));
}

/* A program on a terminal of its own; *fd is the person's end. */
static pid_t start_on_terminal(const char *const *words, int *fd)
{
    *fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (*fd < 0 || grantpt(*fd) != 0 || unlockpt(*fd) != 0) {
        return -1;
    }
    int line = open(ptsname(*fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
    pid_t pid = start(words, line, line, line);
    (void) close(line);
    return pid;
}

static void a_terminal_shows_no_password(void)
{
    char seen[4096] = "";
    int fd = -1;
    const char *const words[] = { "passwd", "bob", NULL };
    pid_t pid = start_on_terminal(words, &fd);
    if (pid < 0) {
        TAP_SKIP("no pseudo-terminals here");
    }
    CHECK(await(fd, "current password: ", seen, sizeof seen));
    type(fd, "nonsense\x15" SECRET2 "x\x7f\r");
    CHECK(await(fd, "new password: ", seen, sizeof seen));
    type(fd, "third sec\xc3\xa9\x7fret\r");
    CHECK(await(fd, "again: ", seen, sizeof seen));
    type(fd, "third secret\r");
    CHECK(await(fd, "new password; all", seen, sizeof seen));
    CHECK_INT(finish(pid), 0);
    CHECK(strstr(seen, "battery") == NULL && strstr(seen, "third") == NULL);
    (void) close(fd);
    CHECK_INT(RUN("third secret\n", "login", "bob"), 0);
}

static void a_person_may_give_up(void)
{
    char seen[4096] = "";
    int fd = -1;
    const char *const words[] = { "login", "bob", NULL };
    pid_t pid = start_on_terminal(words, &fd);
    if (pid < 0) {
        TAP_SKIP("no pseudo-terminals here");
    }
    CHECK(await(fd, "password: ", seen, sizeof seen));
    type(fd, "half of it\x03");
    CHECK(await(fd, "not given", seen, sizeof seen));
    CHECK_INT(finish(pid), 1);
    (void) close(fd);
}

static void two_spellings_are_refused(void)
{
    char seen[4096] = "";
    int fd = -1;
    const char *const words[] = { "passwd", "bob", "--reset", NULL };
    pid_t pid = start_on_terminal(words, &fd);
    if (pid < 0) {
        TAP_SKIP("no pseudo-terminals here");
    }
    CHECK(await(fd, "new password: ", seen, sizeof seen));
    type(fd, "one spelling\r");
    CHECK(await(fd, "again: ", seen, sizeof seen));
    type(fd, "one spelling.\r");
    CHECK(await(fd, "not the same", seen, sizeof seen));
    CHECK_INT(finish(pid), 1);
    (void) close(fd);
}

/* Neither the library's files (the server's log among them) nor a dump hold what was typed. */
/* The server has logged each statement of all cases before this one. */
static void secrets_are_in_no_file(void)
{
    CHECK_INT(shell("! grep -rlaE '" SECRET "|" SECRET2 "|third secret' \"$2\" --include='*.log' "
                    "--include='*.conf' --include=login --include=auth.keys"),
              0);
    CHECK_INT(shell("grep -qa 'name: AuthOpenSession' \"$2/postgres/server.log\""), 0);
    /* Neither tokens, hashes nor any other parameter. */
    CHECK_INT(shell("! grep -aE 'eyJ|[$]2[aby][$]|parameters:' \"$2/postgres/server.log\""), 0);
    CHECK_INT(shell("refresh=$(cat \"$2/login\") && [ ${#refresh} -gt 20 ] && "
                    "! grep -qaF \"$refresh\" \"$2/postgres/server.log\""),
              0);
}

static void secrets_are_in_no_dump(void)
{
    CHECK_INT(
        shell("pg_dump \"$(\"$1\" db url)\" >\"$2/dump\" && grep -q auth_sessions \"$2/dump\""), 0);
    CHECK_INT(shell("! grep -aE '" SECRET "|" SECRET2 "|third secret|eyJ' \"$2/dump\""), 0);
    CHECK_INT(shell("refresh=$(cat \"$2/login\") && ! grep -qaF \"$refresh\" \"$2/dump\""), 0);
    other_command("db", "stop");
    tmpdir_remove(&folder);
}

TAP_MAIN(TAP("user: an account is made with a password from stdin",
             an_account_is_made_with_a_password_from_stdin),
         TAP("user: a password file is read", a_password_file_is_read),
         TAP("user: a login is kept and gives tokens", a_login_is_kept_and_gives_tokens),
         TAP("user: sessions are listed and ended", sessions_are_listed_and_ended),
         TAP("user: passwords are changed and reset", passwords_are_changed_and_reset),
         TAP("user: accounts are listed", accounts_are_listed),
         TAP("user: a terminal shows no password", a_terminal_shows_no_password),
         TAP("user: a person may give up", a_person_may_give_up),
         TAP("user: two spellings of a new password are refused", two_spellings_are_refused),
         TAP("user: secrets are in no file, whatever the server logs", secrets_are_in_no_file),
         TAP("user: secrets are in no dump", secrets_are_in_no_dump))
