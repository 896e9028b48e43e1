/* Child processes: run a program to its end, or start one that stays. No shell is involved. */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include <pgc/error.h>

#include "base/buf.h"
#include "base/env.h"

typedef struct proc_options {
    const char *const *argv;     /* NULL-terminated; argv[0] is a path or looked up in PATH */
    const char *const *env_vars; /* NULL-terminated "K=V"; NULL: inherit ours */
    const char *dir;             /* working directory; NULL: ours */
    const char *user;            /* run as this system user (only root can); NULL: as we are */
    int in_fd, out_fd, err_fd;   /* 0 means /dev/null for each, else the descriptor to use */
    bool new_session;            /* setsid(): survives the terminal's signals */
    int64_t timeout_us;          /* proc_run: kill after this; 0 = none */
    buf *output;                 /* proc_run: collects stdout and stderr; NULL: as out_fd, err_fd */
} proc_options;

/* Run to the end. *exit_code is 0..255, or 128 + signal. PGC_NOT_FOUND: no such program. */
pgc_status proc_run(const env *env, const proc_options *options, int *exit_code, pgc_error *err)
    PGC_MUST_CHECK;
/* Start and return; the caller reaps with waitpid(). All descriptors but 0..2 are closed in it. */
pgc_status proc_spawn(const env *env, const proc_options *options, pid_t *out, pgc_error *err)
    PGC_MUST_CHECK;
/* True while a process of that id exists (also when we may not signal it). */
bool proc_alive(pid_t pid);

#endif
