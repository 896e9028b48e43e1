/* Reading passwords. At a terminal we edit the line ourselves, key by key: the terminal's own line
 * editing would need its signals and its echo. What was read is wiped. */
#include "cli/prelude.h"

#include "cli/password.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <termios.h>

#include "base/env.h"

#define KEY_CTRL_C    3
#define KEY_CTRL_D    4
#define KEY_CTRL_H    8
#define KEY_CTRL_U    21
#define KEY_BACKSPACE 127

pgc_status cli_passwords_open(const char *file, cli_passwords *out, pgc_error *err)
{
    const vfs *fs = env_default()->fs;
    memset(out, 0, sizeof *out);
    if (file == NULL) {
        out->terminal = isatty(STDIN_FILENO) == 1;
    } else if (strcmp(file, "-") != 0) {
        out->fd = fs->openat(fs->ctx, AT_FDCWD, file, O_RDONLY, 0);
        out->close_fd = out->fd >= 0;
        if (out->fd < 0) {
            return pgc_error_errno(err, errno, "open password file %s", file);
        }
    }
    return PGC_OK;
}

void cli_passwords_close(cli_passwords *from)
{
    const vfs *fs = env_default()->fs;
    if (from->close_fd) {
        (void) fs->close(fs->ctx, from->fd);
    }
    explicit_bzero(from, sizeof *from);
}

void cli_password_wipe(cli_password *password)
{
    explicit_bzero(password, sizeof *password);
}

slice cli_password_view(const cli_password *password)
{
    return (slice) { password->text, password->len };
}

/* Bytes as they come; 0 at the end. */
static ssize_t read_some(int fd, void *bytes, size_t count, pgc_error *err)
{
    const vfs *fs = env_default()->fs;
    ssize_t got = 0;
    do {
        got = fs->read(fs->ctx, fd, bytes, count);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        (void) pgc_error_errno(err, errno, "read a password");
    }
    return got;
}

/* The first line of what is held; the rest moves up. */
static pgc_status line_take(cli_passwords *from, size_t length, size_t skip, cli_password *out,
                            pgc_error *err)
{
    size_t shown = length > 0 && from->held[length - 1] == '\r' ? length - 1 : length;
    if (shown > sizeof out->text) {
        return pgc_error_set(err, PGC_INVALID, "password: the line is too long");
    }
    memcpy(out->text, from->held, shown);
    out->len = shown;
    memmove(from->held, from->held + skip, from->used - skip);
    from->used -= skip;
    return PGC_OK;
}

static pgc_status line_read(cli_passwords *from, cli_password *out, pgc_error *err)
{
    for (;;) {
        const char *end = memchr(from->held, '\n', from->used);
        if (end != NULL) {
            size_t length = (size_t) (end - from->held);
            return line_take(from, length, length + 1, out, err);
        }
        if (from->used == sizeof from->held) {
            return pgc_error_set(err, PGC_INVALID, "password: the line is too long");
        }
        ssize_t got =
            read_some(from->fd, from->held + from->used, sizeof from->held - from->used, err);
        if (got < 0) {
            return PGC_IO;
        }
        if (got == 0 && from->used == 0) {
            return pgc_error_set(err, PGC_INVALID, "password: there is none to be read");
        }
        if (got == 0) {
            return line_take(from, from->used, from->used, out, err);
        }
        from->used += (size_t) got;
    }
}

/* Take back one character, which may be several bytes. */
static void erase_one(cli_password *out)
{
    while (out->len > 0 && ((unsigned char) out->text[--out->len] & 0xc0) == 0x80) {
    }
}

/* One key; *done at the end of the line. */
static pgc_status key_take(unsigned char key, cli_password *out, bool *done, pgc_error *err)
{
    if (key == KEY_CTRL_C || (key == KEY_CTRL_D && out->len == 0)) {
        return pgc_error_set(err, PGC_CANCELLED, "password: not given");
    }
    if (key == '\n' || key == '\r' || key == KEY_CTRL_D) {
        *done = true;
    } else if (key == KEY_BACKSPACE || key == KEY_CTRL_H) {
        erase_one(out);
    } else if (key == KEY_CTRL_U) {
        out->len = 0;
    } else if (out->len == sizeof out->text) {
        return pgc_error_set(err, PGC_INVALID, "password: the line is too long");
    } else {
        out->text[out->len++] = (char) key;
    }
    return PGC_OK;
}

/* The prompt goes to stderr: stdout is for what the command prints. */
static pgc_status terminal_read(int fd, const char *prompt, cli_password *out, pgc_error *err)
{
    struct termios before;
    bool done = false;
    out->len = 0;
    if (tcgetattr(fd, &before) != 0) {
        return pgc_error_errno(err, errno, "ask for a password: look at the terminal");
    }
    struct termios quiet = before;
    quiet.c_lflag &= ~(tcflag_t) (ECHO | ECHONL | ICANON | ISIG);
    quiet.c_cc[VMIN] = 1;
    quiet.c_cc[VTIME] = 0;
    if (tcsetattr(fd, TCSAFLUSH, &quiet) != 0) {
        return pgc_error_errno(err, errno, "ask for a password: silence the terminal");
    }
    (void) fprintf(stderr, "%s: ", prompt);
    (void) fflush(stderr);
    pgc_status status = PGC_OK;
    while (status == PGC_OK && !done) {
        unsigned char key = 0;
        ssize_t got = read_some(fd, &key, 1, err);
        status = got < 0    ? PGC_IO
                 : got == 0 ? pgc_error_set(err, PGC_CANCELLED, "password: not given")
                            : key_take(key, out, &done, err);
    }
    (void) tcsetattr(fd, TCSAFLUSH, &before);
    (void) fprintf(stderr, "\n");
    return status;
}

pgc_status cli_passwords_next(cli_passwords *from, const char *prompt, bool repeat,
                              cli_password *out, pgc_error *err)
{
    if (!from->terminal) {
        return line_read(from, out, err);
    }
    TRY(terminal_read(from->fd, prompt, out, err));
    if (!repeat) {
        return PGC_OK;
    }
    AUTO(cli_password_wipe) cli_password again = { .len = 0 };
    TRY(terminal_read(from->fd, "the same again", &again, err));
    bool same =
        again.len == out->len && CRYPTO_memcmp(again.text, out->text, sizeof again.text) == 0;
    return same ? PGC_OK : pgc_error_set(err, PGC_INVALID, "password: the two are not the same");
}
