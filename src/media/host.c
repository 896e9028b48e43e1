/* The host's side of the confined readers: owns the helper process, hands it one file at a time and
 * checks what comes back. Invariant: nothing of an answer is passed on before it was checked, and
 * no file can hold the caller longer than its deadline. One thread per host. */
#include "base/prelude.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/proc.h"
#include "media/answer.h"
#include "media/wire.h"

#define WALL_DEFAULT_US      (60LL * 1000000)
#define CPU_DEFAULT_S        30
#define MEMORY_DEFAULT_BYTES (2LL << 30)
#define OUTPUT_DEFAULT_BYTES (16LL << 20)
#define PIXELS_DEFAULT       150000000LL
#define START_US             (30LL * 1000000) /* loading some 200 libraries from a cold disk */
#define GRACE_US             (5LL * 1000000)  /* the helper stops late children; this is for it */

struct media_host {
    const env *env;
    char *helper_path;
    media_limits limits;
    pid_t pid;  /* -1: none runs */
    int socket; /* -1: none runs */
    uint64_t number;
};

/* Zero means default, also for a single member. */
static void fill_limits(media_limits *limits, const media_limits *given)
{
    *limits = given != NULL ? *given : (media_limits) { 0 };
    limits->wall_us = limits->wall_us > 0 ? limits->wall_us : WALL_DEFAULT_US;
    limits->cpu_seconds = limits->cpu_seconds > 0 ? limits->cpu_seconds : CPU_DEFAULT_S;
    limits->memory_bytes = limits->memory_bytes > 0 ? limits->memory_bytes : MEMORY_DEFAULT_BYTES;
    limits->output_bytes = limits->output_bytes > 0 ? limits->output_bytes : OUTPUT_DEFAULT_BYTES;
    limits->pixels_max = limits->pixels_max > 0 ? limits->pixels_max : PIXELS_DEFAULT;
}

/* End the helper, and with it the child it may have. */
static void stop(media_host *host)
{
    if (host->socket >= 0) {
        (void) close(host->socket);
        host->socket = -1;
    }
    if (host->pid > 0) {
        (void) kill(host->pid, SIGKILL);
        while (waitpid(host->pid, NULL, 0) < 0 && errno == EINTR) {
        }
        host->pid = -1;
    }
}

/* Wait until the helper has something to say. PGC_TIMEOUT; PGC_CLOSED when it is gone. */
static pgc_status wait_readable(media_host *host, int64_t deadline_us, pgc_error *err)
{
    const clock_ops *clock = host->env->clock;
    for (;;) {
        int64_t left_us = deadline_us - clock->mono_us(clock->ctx);
        if (left_us <= 0) {
            return pgc_error_set(err, PGC_TIMEOUT, "media helper does not answer");
        }
        int64_t left_ms = left_us / 1000 + 1;
        struct pollfd fd = { .fd = host->socket, .events = POLLIN };
        int ready = poll(&fd, 1, left_ms > INT_MAX ? INT_MAX : (int) left_ms);
        if (ready > 0) {
            return PGC_OK;
        }
        if (ready < 0 && errno != EINTR) {
            return pgc_error_errno(err, errno, "wait for the media helper");
        }
    }
}

/* One packet of exactly `size` bytes. */
static pgc_status receive(media_host *host, void *out, size_t size, int64_t deadline_us,
                          pgc_error *err)
{
    ssize_t got = -1;
    do {
        TRY(wait_readable(host, deadline_us, err));
        got = recv(host->socket, out, size, MSG_DONTWAIT | MSG_TRUNC);
    } while (got < 0 && (errno == EINTR || errno == EAGAIN));
    if (got == 0 || (got < 0 && errno == ECONNRESET)) {
        return pgc_error_set(err, PGC_CLOSED, "media helper ended");
    }
    if (got < 0) {
        return pgc_error_errno(err, errno, "read from the media helper");
    }
    uint32_t head[2];
    memcpy(head, out, sizeof head);
    if ((size_t) got != size || head[1] != size) {
        return pgc_error_set(err, PGC_PROTOCOL,
                             "media helper is of another version: answer of %zd bytes, not %zu",
                             got, size);
    }
    return PGC_OK;
}

/* The helper's first packet says whether its children can be confined here. No sandbox, no reading:
 * there is no fallback to an unconfined parser. */
static pgc_status greet(media_host *host, pgc_error *err)
{
    const clock_ops *clock = host->env->clock;
    wire_hello hello;
    TRY(receive(host, &hello, sizeof hello, clock->mono_us(clock->ctx) + START_US, err));
    if (hello.kind != WIRE_HELLO) {
        return pgc_error_set(err, PGC_PROTOCOL, "media helper is of another version");
    }
    hello.reason[sizeof hello.reason - 1] = '\0';
    if (hello.sandboxed != 1) {
        (void) pgc_error_set(err, PGC_UNSUPPORTED, "files cannot be read safely here: %s",
                             hello.reason);
        pgc_error_hint(err, "the kernel needs seccomp filters (CONFIG_SECCOMP_FILTER)");
        return PGC_UNSUPPORTED;
    }
    log_line(host->env->log, LOG_DEBUG, "media", "helper %d runs, Landlock level %d",
             (int) host->pid, (int) hello.landlock_abi);
    return PGC_OK;
}

/* One helper with its own socket. On failure nothing of it stays. */
static pgc_status start(media_host *host, pgc_error *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        return pgc_error_errno(err, errno, "make a socket for the media helper");
    }
    AUTO(fd_auto) int theirs = pair[1];
    host->socket = pair[0];
    const char *argv[] = { host->helper_path, NULL };
    /* VIPSHOME leads nowhere, so libvips loads none of its optional modules. */
    const char *vars[] = { "LC_ALL=C", "TZ=UTC0", "VIPSHOME=/nonexistent", NULL };
    proc_options options = { .argv = argv, .env_vars = vars, .in_fd = theirs };
    pgc_status status = proc_spawn(host->env, &options, &host->pid, err);
    if (status != PGC_OK) {
        host->pid = -1;
        stop(host);
        return pgc_error_wrap(err, status, "start the media helper %s", host->helper_path);
    }
    fd_auto(&theirs); /* so that its end is noticed */
    theirs = -1;
    status = greet(host, err);
    if (status != PGC_OK) {
        stop(host);
        return pgc_error_wrap(err, status, "start the media helper %s", host->helper_path);
    }
    return PGC_OK;
}

pgc_status media_host_open(const env *e, const char *helper_path, const media_limits *limits,
                           media_host **out, pgc_error *err)
{
    if (e == NULL || helper_path == NULL || out == NULL) {
        return pgc_error_set(err, PGC_INVALID, "media_host_open: missing argument");
    }
    media_host *host = MEM_NEW(e->alloc, media_host);
    if (host == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "open the media host");
    }
    host->env = e;
    host->pid = -1;
    host->socket = -1;
    fill_limits(&host->limits, limits);
    host->helper_path = mem_strdup(e->alloc, helper_path);
    pgc_status status = host->helper_path == NULL
                            ? pgc_error_set(err, PGC_NOMEM, "open the media host")
                            : start(host, err);
    if (status != PGC_OK) {
        media_host_close(host);
        return status;
    }
    *out = host;
    return PGC_OK;
}

void media_host_close(media_host *host)
{
    if (host == NULL) {
        return;
    }
    stop(host);
    const pgc_alloc *alloc = host->env->alloc;
    mem_free_str(alloc, host->helper_path);
    mem_free(alloc, host, sizeof *host);
}

/* The request and its descriptors in one packet. */
static pgc_status send_request(media_host *host, const wire_request *request, int source_fd,
                               const int *thumbnail_fds, pgc_error *err)
{
    int fds[1 + MEDIA_SIZE_COUNT] = { source_fd };
    size_t count = 1;
    for (size_t i = 0; thumbnail_fds != NULL && i < MEDIA_SIZE_COUNT; i++) {
        fds[count++] = thumbnail_fds[i];
    }
    assert(host->socket >= 0);
    wire_request copy = *request;
    struct iovec part = { &copy, sizeof copy };
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof fds)];
    } control;
    memset(&control, 0, sizeof control);
    struct msghdr message = { .msg_iov = &part,
                              .msg_iovlen = 1,
                              .msg_control = control.bytes,
                              .msg_controllen = CMSG_SPACE(count * sizeof fds[0]) };
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    assert(head != NULL);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(count * sizeof fds[0]);
    memcpy(CMSG_DATA(head), fds, count * sizeof fds[0]);
    for (;;) {
        if (sendmsg(host->socket, &message, MSG_NOSIGNAL) == (ssize_t) sizeof copy) {
            return PGC_OK;
        }
        if (errno == EPIPE || errno == ECONNRESET) {
            return pgc_error_set(err, PGC_CLOSED, "media helper ended");
        }
        if (errno != EINTR) {
            return pgc_error_errno(err, errno, "write to the media helper");
        }
    }
}

/* One request and its answer; starts the helper when none runs. */
static pgc_status ask(media_host *host, const wire_request *request, int source_fd,
                      const int *thumbnail_fds, wire_answer *answer, pgc_error *err)
{
    assert((host->pid < 0) == (host->socket < 0));
    if (host->pid < 0) {
        TRY(start(host, err));
    }
    const clock_ops *clock = host->env->clock;
    int64_t deadline_us = clock->mono_us(clock->ctx) + host->limits.wall_us + GRACE_US;
    TRY(send_request(host, request, source_fd, thumbnail_fds, err));
    TRY(receive(host, answer, sizeof *answer, deadline_us, err));
    if (answer->kind != WIRE_ANSWER || answer->number != request->number) {
        return pgc_error_set(err, PGC_PROTOCOL, "media helper answers another question");
    }
    return PGC_OK;
}

/* The source as the child may get it: a regular file that cannot be written through. */
static pgc_status check_source(const media_host *host, int source_fd, int64_t *size, pgc_error *err)
{
    struct stat facts;
    if (host->env->fs->fstat(host->env->fs->ctx, source_fd, &facts) < 0) {
        return pgc_error_errno(err, errno, "look at the file");
    }
    int flags = fcntl(source_fd, F_GETFL);
    if (!S_ISREG(facts.st_mode) || flags < 0 || (flags & O_ACCMODE) != O_RDONLY) {
        return pgc_error_set(err, PGC_INVALID,
                             "media_host_probe: source must be a regular file open for reading");
    }
    *size = facts.st_size;
    return PGC_OK;
}

/* Sizes are what the disk says, not what the child says. */
static pgc_status check_thumbnails(const media_host *host, const int *fds, media_report *report,
                                   pgc_error *err)
{
    for (size_t i = 0; i < MEDIA_SIZE_COUNT; i++) {
        media_thumbnail *made = &report->thumbnails[i];
        struct stat facts = { .st_size = 0 };
        if (fds != NULL && host->env->fs->fstat(host->env->fs->ctx, fds[i], &facts) < 0) {
            return pgc_error_errno(err, errno, "look at a thumbnail");
        }
        if (made->file_size != facts.st_size) {
            return pgc_error_set(
                err, LUM_MEDIA_CRASHED,
                "parser says its %s thumbnail has %" PRId64 " bytes, the file has %" PRId64,
                media_size_text((media_size) i), made->file_size, (int64_t) facts.st_size);
        }
    }
    return PGC_OK;
}

pgc_status media_host_probe(media_host *host, int source_fd, const int *thumbnail_fds,
                            media_report *out, pgc_error *err)
{
    if (host == NULL || source_fd < 0 || out == NULL) {
        return pgc_error_set(err, PGC_INVALID, "media_host_probe: missing argument");
    }
    wire_request request = { .kind = WIRE_REQUEST,
                             .size = sizeof request,
                             .number = ++host->number,
                             .thumbnails = thumbnail_fds != NULL ? 1 : 0,
                             .limits = host->limits };
    TRY(check_source(host, source_fd, &request.source_size, err));
    wire_answer answer;
    pgc_status status = ask(host, &request, source_fd, thumbnail_fds, &answer, err);
    if (status == PGC_CLOSED) {
        /* Something ended the helper, not the file's doing: files are read in its children. */
        log_line(host->env->log, LOG_WARN, "media", "helper ended, starting it again");
        stop(host);
        status = ask(host, &request, source_fd, thumbnail_fds, &answer, err);
    }
    if (status != PGC_OK) {
        stop(host);
        return status == PGC_CLOSED ? pgc_error_set(err, PGC_IO, "media helper ended twice")
                                    : status;
    }
    media_report report;
    TRY(media_answer_check(&answer, &host->limits, &report, err));
    TRY(check_thumbnails(host, thumbnail_fds, &report, err));
    *out = report;
    return PGC_OK;
}
