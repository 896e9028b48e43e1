/* The program lumilio run to its end on a test's database: exit code, stdout and stderr.
 *
 *     program_set_up(lib.home, lib.url, "tester");
 *     CHECK_INT(PROGRAM("album", "create", "Summer"), 0);             as tester
 *     CHECK_INT(PROGRAM_AS("neighbour", "album", "list"), 0);         as somebody else
 *     CHECK_INT(PROGRAM_PLAIN("help", "album"), 0);                   these words and no others
 *     CHECK(program_says(program_out, "Summer")); */
#ifndef TEST_PROGRAM_H
#define TEST_PROGRAM_H

#include <fcntl.h>
#include <jansson.h>
#include <sys/wait.h>

#include "tap.h"

#define PROGRAM_PATH      TEST_BUILD_ROOT "/lumilio"
#define PROGRAM_WORDS_MAX 24

static char program_out[262144], program_err[65536]; /* of the last run */

static const char *program_user; /* whom PROGRAM() runs it as */

static inline void program_set_up(const char *home, const char *url, const char *user)
{
    program_user = user;
    CHECK(setenv("LUMILIO_HOME", home, 1) == 0 && setenv("DATABASE_URL", url, 1) == 0);
}

static inline void program_take(int fd, char *text, size_t size)
{
    ssize_t got = pread(fd, text, size - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    (void) close(fd);
}

/* The words, and --user with a name unless `user` is NULL. */
static inline int program_run_as(const char *user, const char *const *words)
{
    static char copies[PROGRAM_WORDS_MAX][1024];
    char *argv[PROGRAM_WORDS_MAX + 2] = { (char[]) { "lumilio" } };
    size_t count = 0;
    for (; words[count] != NULL && count < PROGRAM_WORDS_MAX - 1; count++) {
        (void) snprintf(copies[count], sizeof copies[count], "%s", words[count]);
        argv[count + 1] = copies[count];
    }
    if (user != NULL) {
        (void) snprintf(copies[count], sizeof copies[count], "--user=%s", user);
        argv[count + 1] = copies[count];
    }
    FILE *out = tmpfile();
    FILE *err = tmpfile();
    if (!CHECK(out != NULL && err != NULL)) {
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        (void) dup2(null, 0);
        (void) dup2(fileno(out), 1);
        (void) dup2(fileno(err), 2);
        (void) execv(PROGRAM_PATH, argv);
        _exit(127);
    }
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid);
    program_take(dup(fileno(out)), program_out, sizeof program_out);
    program_take(dup(fileno(err)), program_err, sizeof program_err);
    (void) fclose(out);
    (void) fclose(err);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#define PROGRAM_AS(user, ...) program_run_as(user, (const char *const[]) { __VA_ARGS__, NULL })
#define PROGRAM(...)          PROGRAM_AS(program_user, __VA_ARGS__)
#define PROGRAM_PLAIN(...)    PROGRAM_AS(NULL, __VA_ARGS__)

static inline bool program_says(const char *text, const char *part)
{
    bool found = strstr(text, part) != NULL;
    if (!found) {
        (void) printf("# no \"%s\" in: %.500s | %.300s\n", part, text, program_err);
    }
    return found;
}

/* stdout as one JSON document, for json_decref(); NULL after a diagnostic line. */
static inline json_t *program_json(void)
{
    json_error_t why;
    json_t *value = json_loads(program_out, 0, &why);
    if (value == NULL) {
        (void) printf("# %s in: %.500s | %.300s\n", why.text, program_out, program_err);
    }
    return value;
}

static inline void program_json_auto(json_t **value)
{
    json_decref(*value);
}

static inline const char *program_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "(none)";
}

static inline long long program_number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

#endif
