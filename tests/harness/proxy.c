/* The bad network of the tests. One thread owns all sockets; plan and counters are under the lock,
 * which that thread holds but for its poll(). Invariant: the plan fires at most once. */
#include "base/prelude.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"

#include "proxy.h"
#include "random.h"

#define LINKS_MAX   64
#define BUFFER_SIZE 65536

/* Where one direction stands between the messages of the protocol. */
typedef struct frame {
    bool typed;      /* a type byte comes first; the client's first message has none */
    uint8_t head[5]; /* of the message under way */
    size_t head_len;
    uint64_t body_left;
} frame;

/* One direction of one connection. */
typedef struct flow {
    uint8_t bytes[BUFFER_SIZE];
    size_t at, len;        /* waiting to be written: bytes[at .. len) */
    bool ended;            /* nothing more comes */
    bool shut;             /* and the other side knows it */
    bool swallow, drip;    /* faults that last */
    int64_t held_until_us; /* nothing is written before */
    frame frame;
} flow;

typedef struct proxy_link {
    bool used, hurt;
    int fds[2];    /* by proxy_side */
    flow flows[2]; /* by the side that the bytes come from */
} proxy_link;

struct proxy {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t healed;
    int listener, wake;
    bool stop, heal, fired;
    proxy_plan plan;
    uint64_t counts[2];
    union {
        struct sockaddr any;
        struct sockaddr_un un;
        struct sockaddr_in in;
    } target;
    socklen_t target_size;
    char conninfo[512];
    proxy_link links[LINKS_MAX];
};

static int64_t now_us(void)
{
    return clock_os()->mono_us(NULL);
}

static void close_link(proxy_link *l)
{
    (void) close(l->fds[0]);
    (void) close(l->fds[1]);
    l->used = false;
}

static void wake_thread(proxy *p)
{
    const uint64_t one = 1;
    (void) !write(p->wake, &one, sizeof one);
}

/* The length of a message counts itself but not the type byte. */
static uint64_t body_of(const frame *f)
{
    const uint8_t *length = f->typed ? f->head + 1 : f->head;
    uint32_t all = (uint32_t) length[0] << 24 | (uint32_t) length[1] << 16 |
                   (uint32_t) length[2] << 8 | length[3];
    return all < 4 ? 0 : all - 4;
}

/* Follow the messages over some bytes. The first boundary at or behind `from`, SIZE_MAX: none. */
static size_t frame_follow(frame *f, const uint8_t *bytes, size_t len, size_t from)
{
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < len;) {
        if (f->head_len == 0 && i >= from && found == SIZE_MAX) {
            found = i;
        }
        if (f->body_left > 0) {
            size_t step = f->body_left < len - i ? (size_t) f->body_left : len - i;
            f->body_left -= step;
            i += step;
        } else {
            f->head[f->head_len++] = bytes[i++];
            size_t want = f->typed ? 5 : 4;
            f->body_left = f->head_len == want ? body_of(f) : 0;
            if (f->head_len < want) {
                continue;
            }
        }
        if (f->body_left == 0) {
            f->head_len = 0;
            f->typed = true;
        }
    }
    return found;
}

/* What no peer of ours would say, put in at `at` of the flow's waiting bytes. */
static void put_garbage(flow *f, size_t at, uint64_t seed)
{
    static const char TEXTS[][64] = { "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
                                      "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
                                      "SSH-2.0-OpenSSH_9.2\r\n" };
    uint8_t text[64];
    memset(text, 0, sizeof text);
    size_t kind = random_below(&seed, ARRAY_LEN(TEXTS) + 2);
    if (kind < ARRAY_LEN(TEXTS)) {
        memcpy(text, TEXTS[kind], sizeof text);
    } else if (kind == ARRAY_LEN(TEXTS)) {
        for (size_t i = 0; i < sizeof text; i++) {
            text[i] = (uint8_t) random_u64(&seed);
        }
    }
    if (f->len + sizeof text <= sizeof f->bytes) {
        memmove(f->bytes + at + sizeof text, f->bytes + at, f->len - at);
        memcpy(f->bytes + at, text, sizeof text);
        f->len += sizeof text;
    }
}

/* Do what the plan says; `keep` of the bytes that wait in the flow are still good. */
static void fire(proxy *p, proxy_link *l, size_t keep)
{
    flow *f = &l->flows[p->plan.side];
    p->fired = true;
    l->hurt = true;
    switch (p->plan.fault) {
    case PROXY_CUT:
    case PROXY_RESET:
    case PROXY_HALF_CLOSE:
        f->len = keep;
        f->ended = true;
        f->swallow = true;
        break;
    case PROXY_BLACK_HOLE:
        f->len = keep;
        f->swallow = true;
        break;
    case PROXY_DELAY:
        f->held_until_us = now_us() + p->plan.delay_us;
        break;
    case PROXY_DRIP:
        f->drip = true;
        break;
    case PROXY_GARBAGE:
        put_garbage(f, keep, p->plan.seed);
        break;
    case PROXY_PASS:
    default:
        break;
    }
}

/* New bytes lie in the flow from `old` on: count them, and see whether the time has come. */
static void taken(proxy *p, proxy_link *l, proxy_side side, size_t old)
{
    flow *f = &l->flows[side];
    size_t fresh = f->len - old;
    uint64_t before = p->counts[side];
    p->counts[side] += fresh;
    uint64_t left = p->plan.after > before ? p->plan.after - before : 0;
    bool due = p->plan.fault != PROXY_PASS && !p->fired && p->plan.side == side && left < fresh;
    size_t from = due ? (size_t) left : SIZE_MAX;
    size_t boundary = frame_follow(&f->frame, f->bytes + old, fresh, from);
    if (due && p->plan.fault == PROXY_GARBAGE) {
        from = boundary; /* else a value could change, which no client can see */
    }
    if (due && from != SIZE_MAX) {
        fire(p, l, old + from);
    }
}

static void read_some(proxy *p, proxy_link *l, proxy_side side)
{
    flow *f = &l->flows[side];
    if (f->at == f->len) {
        f->at = f->len = 0;
    }
    size_t old = f->len;
    /* Room for the garbage stays free. */
    ssize_t n = read(l->fds[side], f->bytes + old, sizeof f->bytes - 64 - old);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n <= 0) {
        f->ended = true;
        return;
    }
    if (f->swallow) {
        return;
    }
    f->len = old + (size_t) n;
    taken(p, l, side, old);
}

/* A broken peer shows as an end of both directions. */
static void write_some(proxy_link *l, proxy_side side)
{
    flow *f = &l->flows[side];
    size_t count = f->drip ? 1 : f->len - f->at;
    ssize_t n = send(l->fds[1 - side], f->bytes + f->at, count, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
        f->at += (size_t) n;
    } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
        l->flows[0].ended = l->flows[1].ended = true;
        f->at = f->len;
    }
}

static bool may_write(const flow *f)
{
    return f->at < f->len && now_us() >= f->held_until_us;
}

/* Pass on the ends of streams. False: the connection is over. */
static bool settle(const proxy *p, proxy_link *l)
{
    bool whole = p->plan.fault == PROXY_CUT || p->plan.fault == PROXY_RESET;
    for (int side = 0; side < 2; side++) {
        flow *f = &l->flows[side];
        if (!f->ended || f->at < f->len || f->shut) {
            continue;
        }
        if (l->hurt && whole) {
            const struct linger at_once = { 1, 0 };
            if (p->plan.fault == PROXY_RESET) {
                (void) setsockopt(l->fds[PROXY_FROM_CLIENT], SOL_SOCKET, SO_LINGER, &at_once,
                                  sizeof at_once);
            }
            return false;
        }
        (void) shutdown(l->fds[1 - side], SHUT_WR);
        f->shut = true;
    }
    return !(l->flows[0].shut && l->flows[1].shut);
}

static void accept_one(proxy *p)
{
    int client = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    int server = socket(p->target.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    proxy_link *l = p->links;
    while (l < p->links + LINKS_MAX && l->used) {
        l++;
    }
    if (client < 0 || server < 0 || l == p->links + LINKS_MAX ||
        connect(server, &p->target.any, p->target_size) != 0) {
        (void) close(client); /* the server is away, and so are we */
        (void) close(server);
        return;
    }
    const int yes = 1;
    (void) setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    (void) fcntl(server, F_SETFL, O_NONBLOCK);
    *l = (proxy_link) { .used = true, .fds = { client, server } };
    l->flows[PROXY_FROM_SERVER].frame.typed = true;
}

/* Descriptors to wait for: two of ours, then two per connection. */
static nfds_t fill_fds(proxy *p, struct pollfd *fds, int *timeout_ms)
{
    fds[0] = (struct pollfd) { .fd = p->wake, .events = POLLIN };
    fds[1] = (struct pollfd) { .fd = p->listener, .events = POLLIN };
    for (size_t i = 0; i < LINKS_MAX; i++) {
        const proxy_link *l = &p->links[i];
        for (int side = 0; side < 2; side++) {
            const flow *in = &l->flows[side];
            const flow *out = &l->flows[1 - side];
            bool room = in->len < sizeof in->bytes - 64 || in->at == in->len;
            int events = (!in->ended && room ? POLLIN : 0) | (may_write(out) ? POLLOUT : 0);
            fds[2 + 2 * i + (size_t) side] =
                (struct pollfd) { .fd = l->used && events != 0 ? l->fds[side] : -1,
                                  .events = (short) events };
            if (l->used && in->at < in->len && !may_write(in)) {
                *timeout_ms = 1; /* held back: look again */
            }
        }
    }
    return 2 + 2 * LINKS_MAX;
}

static void serve(proxy *p, proxy_link *l, const struct pollfd *fds)
{
    for (int side = 0; side < 2; side++) {
        if ((fds[side].revents & ~POLLOUT) != 0 && !l->flows[side].ended) {
            read_some(p, l, (proxy_side) side);
        }
    }
    for (int side = 0; side < 2; side++) {
        if (may_write(&l->flows[side])) {
            write_some(l, (proxy_side) side);
        }
    }
    if (!settle(p, l)) {
        close_link(l);
    }
}

static void close_hurt(proxy *p, bool all)
{
    for (size_t i = 0; i < LINKS_MAX; i++) {
        if (p->links[i].used && (all || p->links[i].hurt)) {
            close_link(&p->links[i]);
        }
    }
}

static void *proxy_work(void *arg)
{
    proxy *p = arg;
    struct pollfd fds[2 + 2 * LINKS_MAX];
    (void) pthread_mutex_lock(&p->lock);
    while (!p->stop) {
        int timeout_ms = -1;
        nfds_t count = fill_fds(p, fds, &timeout_ms);
        (void) pthread_mutex_unlock(&p->lock);
        (void) poll(fds, count, timeout_ms);
        (void) pthread_mutex_lock(&p->lock);
        for (size_t i = 0; i < LINKS_MAX; i++) {
            if (p->links[i].used) {
                serve(p, &p->links[i], &fds[2 + 2 * i]);
            }
        }
        if (fds[1].revents != 0) {
            accept_one(p);
        }
        uint64_t dropped;
        if (fds[0].revents != 0) {
            (void) !read(p->wake, &dropped, sizeof dropped);
        }
        if (p->heal) {
            close_hurt(p, false);
            p->heal = false;
            (void) pthread_cond_broadcast(&p->healed);
        }
    }
    close_hurt(p, true);
    (void) pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* Address of the server and our own connection string, from the server's one. */
static bool aim(proxy *p, const char *server)
{
    const char *host = "", *port = "5432", *user = NULL, *database = "postgres";
    PQconninfoOption *options = PQconninfoParse(server, NULL);
    for (const PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++) {
        if (o->val != NULL && strcmp(o->keyword, "host") == 0) {
            host = o->val;
        } else if (o->val != NULL && strcmp(o->keyword, "port") == 0) {
            port = o->val;
        } else if (o->val != NULL && strcmp(o->keyword, "user") == 0) {
            user = o->val;
        } else if (o->val != NULL && strcmp(o->keyword, "dbname") == 0) {
            database = o->val;
        }
    }
    bool fits = true;
    if (host[0] == '/') {
        p->target.un.sun_family = AF_UNIX;
        p->target_size = sizeof p->target.un;
        int n = snprintf(p->target.un.sun_path, sizeof p->target.un.sun_path, "%s/.s.PGSQL.%s",
                         host, port);
        fits = n > 0 && (size_t) n < sizeof p->target.un.sun_path;
    } else {
        p->target.in.sin_family = AF_INET;
        p->target.in.sin_port = htons((uint16_t) strtoul(port, NULL, 10));
        p->target_size = sizeof p->target.in;
        fits = inet_pton(AF_INET, host, &p->target.in.sin_addr) == 1;
    }
    struct sockaddr_in own = { .sin_family = AF_INET };
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof own;
    fits = fits && bind(p->listener, (const struct sockaddr *) &own, size) == 0 &&
           listen(p->listener, LINKS_MAX) == 0 &&
           getsockname(p->listener, (struct sockaddr *) &own, &size) == 0;
    (void) snprintf(p->conninfo, sizeof p->conninfo,
                    "host=127.0.0.1 port=%d dbname='%s' sslmode=disable%s%s%s", ntohs(own.sin_port),
                    database, user != NULL ? " user='" : "", user != NULL ? user : "",
                    user != NULL ? "'" : "");
    PQconninfoFree(options);
    return fits;
}

proxy *proxy_open(const char *server)
{
    proxy *p = server == NULL ? NULL : calloc(1, sizeof *p);
    if (p == NULL) {
        return NULL;
    }
    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    (void) pthread_mutex_init(&p->lock, NULL);
    (void) pthread_cond_init(&p->healed, NULL);
    if (p->listener < 0 || p->wake < 0 || !aim(p, server) ||
        pthread_create(&p->thread, NULL, proxy_work, p) != 0) {
        printf("# no proxy in front of the server: %s\n", strerrordesc_np(errno));
        (void) close(p->listener);
        (void) close(p->wake);
        free(p);
        return NULL;
    }
    return p;
}

void proxy_close(proxy *p)
{
    if (p == NULL) {
        return;
    }
    (void) pthread_mutex_lock(&p->lock);
    p->stop = true;
    (void) pthread_mutex_unlock(&p->lock);
    wake_thread(p);
    (void) pthread_join(p->thread, NULL);
    (void) close(p->listener);
    (void) close(p->wake);
    (void) pthread_cond_destroy(&p->healed);
    (void) pthread_mutex_destroy(&p->lock);
    free(p);
}

const char *proxy_conninfo(const proxy *p)
{
    return p->conninfo;
}

void proxy_arm(proxy *p, const proxy_plan *plan)
{
    (void) pthread_mutex_lock(&p->lock);
    p->plan = *plan;
    p->fired = false;
    p->counts[0] = p->counts[1] = 0;
    (void) pthread_mutex_unlock(&p->lock);
}

bool proxy_heal(proxy *p)
{
    (void) pthread_mutex_lock(&p->lock);
    bool fired = p->fired;
    p->plan.fault = PROXY_PASS;
    p->heal = true;
    wake_thread(p);
    while (p->heal) {
        (void) pthread_cond_wait(&p->healed, &p->lock);
    }
    (void) pthread_mutex_unlock(&p->lock);
    return fired;
}

uint64_t proxy_count(proxy *p, proxy_side side)
{
    (void) pthread_mutex_lock(&p->lock);
    uint64_t count = p->counts[side];
    (void) pthread_mutex_unlock(&p->lock);
    return count;
}
