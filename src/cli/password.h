/* Reading passwords: from the terminal without showing them, from a file, or from standard input.
 * Never from argv, which every process of the machine can read. */
#ifndef CLI_PASSWORD_H
#define CLI_PASSWORD_H

#include <pgc/error.h>

#include "base/slice.h"

#define CLI_PASSWORD_MAX 1024 /* bytes of one line */

typedef struct cli_password {
    char text[CLI_PASSWORD_MAX];
    size_t len;
} cli_password;

/* Where the passwords of one command come from, a line each. */
typedef struct cli_passwords {
    int fd;
    bool terminal; /* ask, and do not echo */
    bool close_fd;
    char held[2 * CLI_PASSWORD_MAX]; /* read, not yet given */
    size_t used;
} cli_passwords;

/* file: a path, "-" for standard input, NULL for the terminal, or standard input when there is no
 * terminal there. */
pgc_status cli_passwords_open(const char *file, cli_passwords *out, pgc_error *err) PGC_MUST_CHECK;
/* The next one. repeat: a new one, which is asked for twice at a terminal. PGC_CANCELLED when the
 * person gave up (Ctrl-C), PGC_INVALID when there is no further line or it is too long. */
pgc_status cli_passwords_next(cli_passwords *from, const char *prompt, bool repeat,
                              cli_password *out, pgc_error *err) PGC_MUST_CHECK;
/* Wipes what was read. */
void cli_passwords_close(cli_passwords *from);
void cli_password_wipe(cli_password *password);
slice cli_password_view(const cli_password *password);

#endif
