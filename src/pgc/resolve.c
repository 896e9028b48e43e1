/* getaddrinfo() cannot be given a deadline, so a helper thread calls it and the caller waits for
 * that thread only as long as it wants. Who comes last frees the job. libc memory on purpose: the
 * thread may outlive everything else. */
#include "base/prelude.h"

#include "pgc/resolve.h"

#include <netdb.h>
#include <sys/eventfd.h>

#include "base/alloc.h"
#include "pgc/call.h"
#include "pgc/helper.h"

#define HOST_NAME_SIZE 256u /* longer ones are none */

typedef struct resolve_job {
    pthread_mutex_t lock;
    bool alone; /* the other one is gone; under lock */
    int done_fd;
    host_lookup lookup;
    int code;                 /* under lock */
    host_addresses addresses; /* under lock */
    char name[256];           /* longer ones are no host names */
} resolve_job;

/* Each address once, in the order of the system's rules. */
static int system_lookup(const char *name, host_addresses *out)
{
    const struct addrinfo wanted = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    int code = getaddrinfo(name, NULL, &wanted, &found);
    out->count = 0;
    for (const struct addrinfo *one = found; one != NULL && out->count < HOST_ADDRESSES_MAX;
         one = one->ai_next) {
        if (getnameinfo(one->ai_addr, one->ai_addrlen, out->text[out->count], HOST_ADDRESS_SIZE,
                        NULL, 0, NI_NUMERICHOST) == 0) {
            out->count++;
        }
    }
    if (code == 0) {
        freeaddrinfo(found);
    }
    return code;
}

/* Gives up one of the two holds on the job. */
static void job_leave(resolve_job *job)
{
    (void) pthread_mutex_lock(&job->lock);
    bool last = job->alone;
    job->alone = true;
    (void) pthread_mutex_unlock(&job->lock);
    if (last) {
        if (job->done_fd >= 0) {
            (void) close(job->done_fd);
        }
        (void) pthread_mutex_destroy(&job->lock);
        mem_free(NULL, job, sizeof *job);
    }
}

static void *job_run(void *arg)
{
    resolve_job *job = arg;
    const uint64_t one = 1;
    host_addresses found = { .count = 0 };
    int code = job->lookup(job->name, &found);
    assert(found.count <= HOST_ADDRESSES_MAX);
    (void) pthread_mutex_lock(&job->lock);
    job->code = code;
    job->addresses = found;
    (void) pthread_mutex_unlock(&job->lock);
    (void) !write(job->done_fd, &one, sizeof one);
    job_leave(job);
    return NULL;
}

/* NULL: no memory, descriptor or thread. */
static resolve_job *job_start(const char *name, host_lookup lookup)
{
    resolve_job *job = MEM_NEW(NULL, resolve_job);
    if (job == NULL) {
        return NULL;
    }
    job->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    job->lookup = lookup != NULL ? lookup : system_lookup;
    (void) snprintf(job->name, sizeof job->name, "%s", name);
    (void) pthread_mutex_init(&job->lock, NULL);
    pthread_t thread;
    if (job->done_fd < 0 || helper_start(&thread, job_run, job) != 0) {
        job->alone = true;
        job_leave(job);
        return NULL;
    }
    (void) pthread_detach(thread);
    return job;
}

/* The name service may know the name later, such as after a new server came up. */
static pgc_status job_answer(resolve_job *job, host_addresses *out, pgc_error *err)
{
    (void) pthread_mutex_lock(&job->lock);
    int code = job->code;
    if (code == 0 && job->addresses.count > 0) {
        *out = job->addresses;
        (void) pthread_mutex_unlock(&job->lock);
        return PGC_OK;
    }
    (void) pthread_mutex_unlock(&job->lock);
    pgc_status status = pgc_error_set(err, PGC_CONNECTION, "connect: no address for host %s: %s",
                                      job->name, code == 0 ? "it has none" : gai_strerror(code));
    if (err != NULL) {
        err->retry = true;
    }
    return status;
}

pgc_status resolve(const char *name, const conn_seams *seams, int64_t deadline_us,
                   host_addresses *out, pgc_error *err)
{
    if (strlen(name) >= HOST_NAME_SIZE) {
        return pgc_error_set(err, PGC_INVALID, "connect: the host name is too long");
    }
    resolve_job *job = job_start(name, seams->lookup);
    if (job == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "connect: look up host %s", name);
    }
    struct pollfd fds[2] = { { .fd = job->done_fd, .events = POLLIN },
                             { .fd = seams->wake_fd, .events = POLLIN } };
    pgc_status status = conn_wait(seams->pq, seams->clock, fds, 2, deadline_us);
    if (status == PGC_TIMEOUT) {
        status = pgc_error_set(err, PGC_TIMEOUT, "connect: no answer about host %s in time", name);
    } else if (status != PGC_OK) {
        status = pgc_error_errno(err, errno, "connect: wait for the name service");
    } else if (fds[0].revents == 0) {
        status = pgc_error_set(err, PGC_CANCELLED, "connect: called off");
    } else {
        status = job_answer(job, out, err);
    }
    job_leave(job);
    return status;
}
