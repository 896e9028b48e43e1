/* A folder of its own for a test, removed with everything in it by tmpdir_remove(). */
#ifndef TEST_TMPDIR_H
#define TEST_TMPDIR_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

typedef struct tmpdir {
    char path[64]; /* "" when it could not be made */
    int fd;        /* O_DIRECTORY descriptor, -1 when it could not be made */
} tmpdir;

static inline tmpdir tmpdir_make(void)
{
    tmpdir t;
    const char *base = getenv("TMPDIR");
    bool usable = base != NULL && base[0] == '/' && strlen(base) < sizeof t.path - 20;
    (void) snprintf(t.path, sizeof t.path, "%s/lum-test-XXXXXX", usable ? base : "/tmp");
    if (mkdtemp(t.path) == NULL) {
        t.path[0] = '\0';
    }
    t.fd = open(t.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return t;
}

static inline void tmpdir_remove(tmpdir *t)
{
    pgc_error err;
    if (t->fd >= 0) {
        (void) close(t->fd);
    }
    if (t->path[0] != '\0' && file_remove_tree(env_default(), AT_FDCWD, t->path, &err) != PGC_OK) {
        (void) printf("# %s\n", err.message);
    }
    t->fd = -1;
}

#endif
