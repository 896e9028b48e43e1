/* The released sqlc as a peer program, version 1.31.1 by tests/interop/sqlc/go.mod. */
#ifndef TEST_SQLC_PEER_H
#define TEST_SQLC_PEER_H

#include "peer.h"

static peer sqlc_program;

/* First in a test that needs it: skips the test without. */
#define NEED_SQLC()                                    \
    do {                                               \
        if (!peer_build_kept(&sqlc_program, "sqlc")) { \
            TAP_SKIP(sqlc_program.why_not);            \
        }                                              \
    } while (0)

/* `sqlc COMMAND` in the folder of a config; output gets stdout and stderr. Gives the exit code. */
static inline int sqlc_run(const char *folder, const char *command, buf *output)
{
    const char *argv[] = { NULL, command, NULL };
    return peer_run_in(&sqlc_program, folder, argv, output);
}

/* Statements of a schema that upstream cannot read, by how they begin, become blanks, so that lines
 * keep their numbers. A statement ends with ";" at the end of a line. How many there were. */
static inline size_t sqlc_blank(char *schema, const char *begin)
{
    size_t count = 0;
    for (char *at = strstr(schema, begin); at != NULL; at = strstr(at, begin), count++) {
        const char *end = strstr(at, ";\n");
        end = end == NULL ? at + strlen(at) : end + 1;
        for (; at < end; at++) {
            *at = *at == '\n' ? '\n' : ' ';
        }
    }
    return count;
}

#endif
