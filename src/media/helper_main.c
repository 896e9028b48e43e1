/* The program lumilio-media: reads untrusted media files for the host that started it. It loads the
 * libraries once and forks a confined child for each file, so a file can hurt no more than its own
 * child. Invariant: this process itself never looks at a byte of a source. One thread.
 *
 * Descriptor 0 is the socket to the host; when the host is gone, so is the helper. */
#define PRELUDE_ALLOW_EXIT
#define PRELUDE_NO_POISON
#include "base/prelude.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <lumilio/status.h>

#include "base/clock.h"
#include "base/file.h"
#include "media/helper.h"

#define FDS_MAX       (1 + MEDIA_SIZE_COUNT)
#define SAFE_FD       64 /* above every place that a child uses */
#define POLL_STEP_MS  20 /* only where the kernel has no pidfd_open() */
#define CHECK_WALL_US (10LL * 1000000)

/* What arrived with a request. */
typedef struct request_fds {
    int fds[FDS_MAX];
    size_t count;
} request_fds;

/* The helper keeps nothing of a request. */
static void close_all(request_fds *given)
{
    for (size_t i = 0; i < given->count; i++) {
        (void) close(given->fds[i]);
    }
    given->count = 0;
}

/* All descriptors from `first` on; the slow way where a container knows no close_range(). */
static void close_from(unsigned first)
{
    if (syscall(SYS_close_range, first, ~0U, 0U) == 0) {
        return;
    }
    long limit = sysconf(_SC_OPEN_MAX);
    for (long fd = (long) first; fd < (limit > 0 && limit < 65536 ? limit : 65536); fd++) {
        (void) close((int) fd);
    }
}

/* In the child: descriptors to their places, all others closed. False: not possible. */
static bool place_fds(const request_fds *given, int reply)
{
    int moved[FDS_MAX + 1];
    size_t count = 0;
    for (size_t i = 0; i < given->count; i++) {
        moved[count++] = fcntl(given->fds[i], F_DUPFD, SAFE_FD);
    }
    moved[count++] = fcntl(reply, F_DUPFD, SAFE_FD);
    bool ok = dup2(STDOUT_FILENO, WIRE_FD_CONTROL) >= 0;
    for (size_t i = 0; i < count; i++) {
        int place = i + 1 == count ? (int) WIRE_FD_REPLY : WIRE_FD_SOURCE + (int) i;
        ok = ok && moved[i] >= 0 && dup2(moved[i], place) >= 0;
    }
    /* Places that got nothing must not keep something of the helper's. */
    for (int place = WIRE_FD_SOURCE + (int) given->count; place < WIRE_FD_REPLY; place++) {
        (void) close(place);
    }
    close_from(WIRE_FD_END);
    return ok;
}

/* Wait for the child's end until the deadline; false when it did not end in time. Ends this process
 * when the host goes away meanwhile. */
static bool wait_child(pid_t child, int64_t deadline_us)
{
    const clock_ops *clock = clock_os();
    AUTO(fd_auto) int pidfd = (int) syscall(SYS_pidfd_open, child, 0U);
    for (;;) {
        siginfo_t info = { .si_pid = 0 };
        if (waitid(P_PID, (id_t) child, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            info.si_pid == child) {
            return true;
        }
        int64_t left_us = deadline_us - clock->mono_us(clock->ctx);
        if (left_us <= 0) {
            return false;
        }
        int64_t left_ms = left_us / 1000 + 1;
        left_ms = left_ms > INT_MAX ? INT_MAX : left_ms;
        left_ms = pidfd < 0 && left_ms > POLL_STEP_MS ? POLL_STEP_MS : left_ms;
        struct pollfd fds[2] = { { .fd = WIRE_FD_CONTROL, .events = 0 },
                                 { .fd = pidfd, .events = POLLIN } };
        (void) poll(fds, 2, (int) left_ms);
        if ((fds[0].revents & (POLLHUP | POLLERR)) != 0) {
            (void) kill(child, SIGKILL);
            _exit(0);
        }
    }
}

/* What the child left in the pipe and how it ended, into the answer. */
static void read_end(pid_t child, int pipe_fd, bool in_time, wire_answer *answer)
{
    int state = 0;
    (void) kill(child, SIGKILL);
    while (waitpid(child, &state, 0) < 0 && errno == EINTR) {
    }
    union {
        wire_reply reply;
        wire_policy policy;
    } said;
    memset(&said, 0, sizeof said);
    ssize_t size = read(pipe_fd, &said, sizeof said);
    answer->signal = WIFSIGNALED(state) ? WTERMSIG(state) : WEXITSTATUS(state);
    if (!in_time) {
        answer->outcome = WIRE_TIMED_OUT;
    } else if (WIFSIGNALED(state) && WTERMSIG(state) == SIGSYS) {
        answer->outcome = WIRE_REFUSED_CALL;
        (void) snprintf(answer->detail, sizeof answer->detail, "of the strictly forbidden kind");
    } else if (WIFSIGNALED(state)) {
        answer->outcome = WIRE_SIGNALLED;
    } else if (size == (ssize_t) sizeof said.policy && said.policy.kind == WIRE_POLICY) {
        answer->outcome = WIRE_REFUSED_CALL;
        confine_call_name(said.policy.system_call, answer->detail, sizeof answer->detail);
    } else if (size == (ssize_t) sizeof said.reply && WEXITSTATUS(state) == 0) {
        answer->outcome = WIRE_REPLIED;
        answer->reply = said.reply;
    } else {
        answer->outcome = WIRE_NO_REPLY;
    }
}

/* One file, from request to answer. */
static void serve(const wire_request *request, const request_fds *given, wire_answer *answer)
{
    const clock_ops *clock = clock_os();
    int64_t deadline_us = clock->mono_us(clock->ctx) + request->limits.wall_us;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        answer->outcome = WIRE_NO_CHILD;
        answer->signal = errno;
        return;
    }
    pid_t child = fork();
    if (child == 0) {
        if (!place_fds(given, ends[1])) {
            _exit(2);
        }
        child_run(request);
    }
    answer->signal = errno;
    (void) close(ends[1]);
    if (child < 0) {
        answer->outcome = WIRE_NO_CHILD;
    } else {
        bool in_time = wait_child(child, deadline_us);
        read_end(child, ends[0], in_time, answer);
    }
    (void) close(ends[0]);
}

/* Next request; ends the process when the host is gone or not to be understood. */
static void receive(wire_request *request, request_fds *given)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof given->fds)];
    } control;
    struct iovec part = { request, sizeof *request };
    struct msghdr message = { .msg_iov = &part,
                              .msg_iovlen = 1,
                              .msg_control = control.bytes,
                              .msg_controllen = sizeof control.bytes };
    ssize_t size;
    do {
        size = recvmsg(WIRE_FD_CONTROL, &message, MSG_CMSG_CLOEXEC);
    } while (size < 0 && errno == EINTR);
    struct cmsghdr *head = size > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    given->count = 0;
    if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS) {
        given->count = (head->cmsg_len - CMSG_LEN(0)) / sizeof given->fds[0];
        memcpy(given->fds, CMSG_DATA(head), given->count * sizeof given->fds[0]);
    }
    size_t wanted = request->thumbnails == 1 ? FDS_MAX : 1;
    if (size != (ssize_t) sizeof *request || request->kind != WIRE_REQUEST ||
        request->size != sizeof *request || given->count != wanted) {
        exit(size == 0 ? 0 : 1);
    }
}

/* A packet goes out whole or the host is gone, and then there is nobody to work for. */
static void send_packet(const void *bytes, size_t size)
{
    ssize_t sent;
    do {
        sent = send(WIRE_FD_CONTROL, bytes, size, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent != (ssize_t) size) {
        exit(1);
    }
}

/* Everything ready and the walls tried out once: an empty source must be refused from inside. */
static void greet(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    wire_hello hello = { .kind = WIRE_HELLO, .size = sizeof hello };
    pgc_status status = child_prepare(&err);
    status = status == PGC_OK ? confine_prepare(&err) : status;
    if (status == PGC_OK) {
        request_fds nothing = { .fds = { STDOUT_FILENO }, .count = 1 };
        wire_request request = { .limits = { .wall_us = CHECK_WALL_US,
                                             .cpu_seconds = 5,
                                             .memory_bytes = 1LL << 30,
                                             .output_bytes = 4096 } };
        wire_answer answer = { .outcome = WIRE_NO_CHILD };
        serve(&request, &nothing, &answer);
        if (answer.outcome != WIRE_REPLIED || answer.reply.status != (int32_t) LUM_MEDIA_CORRUPT) {
            status = pgc_error_set(&err, PGC_UNSUPPORTED, "sandbox does not close (%d, %d): %s",
                                   answer.outcome, answer.signal, answer.reply.reason);
        }
    }
    hello.sandboxed = status == PGC_OK ? 1 : 0;
    hello.landlock_abi = confine_landlock_abi();
    (void) snprintf(hello.reason, sizeof hello.reason, "%.255s", err.message);
    send_packet(&hello, sizeof hello);
    if (status != PGC_OK) {
        exit(1);
    }
}

int main(void)
{
    (void) signal(SIGPIPE, SIG_IGN);
    if (chdir("/") != 0 || fcntl(WIRE_FD_CONTROL, F_GETFD) < 0) {
        return 1;
    }
    greet();
    for (;;) {
        wire_request request;
        memset(&request, 0, sizeof request);
        request_fds given;
        receive(&request, &given);
        wire_answer answer = { .kind = WIRE_ANSWER,
                               .size = sizeof answer,
                               .number = request.number };
        serve(&request, &given, &answer);
        close_all(&given);
        send_packet(&answer, sizeof answer);
    }
}
