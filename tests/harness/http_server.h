/* A small HTTP server of a test, the other side of a network: answers what the test says, in order,
 * with whatever faults the test wants, and keeps the last request. A thread for each connection. */
#ifndef TEST_HTTP_SERVER_H
#define TEST_HTTP_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HTTP_REQUEST_MAX (1 << 20) /* bytes that are kept of a request */
#define HTTP_ANSWERS_MAX 16
#define HTTP_CLIENTS_MAX 256 /* connections in the life of a server; more are closed at once */

typedef enum http_fault {
    HTTP_FINE,
    HTTP_CLOSE, /* the connection ends without an answer */
    HTTP_CUT,   /* it ends in the middle of the body */
    HTTP_HANG,  /* nothing comes, until the client leaves */
    HTTP_HUGE,  /* the body is repeated without end */
    HTTP_NOISE  /* bytes that are no HTTP */
} http_fault;

typedef struct http_answer {
    int code;
    const char *body; /* borrowed */
    http_fault fault;
} http_answer;

struct http_server;

/* One connection. */
typedef struct http_peer {
    struct http_server *server;
    int fd;
    pthread_t thread;
} http_peer;

typedef struct http_server {
    int listener;
    int stop[2]; /* pipe: closing its writing end ends the thread */
    char url[64];
    pthread_t thread;
    http_peer peers[HTTP_CLIENTS_MAX];
    size_t peer_count; /* of the accepting thread */
    /* NULL, or who decides instead of `answers`, in the thread of the connection; set before the
     * first request. The body must live until that thread's next request. */
    http_answer (*make)(const char *request);
    pthread_mutex_t lock;                  /* guards what follows */
    http_answer answers[HTTP_ANSWERS_MAX]; /* the last one is given for ever */
    size_t answer_count, asked;
    char request[HTTP_REQUEST_MAX]; /* of the last one: head, blank line, body */
    size_t request_len;
} http_server;

static inline void http_send(int fd, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        bytes += sent;
        count -= (size_t) sent;
    }
}

/* Waits for bytes of the client; false when it left or the server stops. */
static inline bool http_wait(const http_server *s, int fd)
{
    struct pollfd polls[2] = { { fd, POLLIN, 0 }, { s->stop[0], POLLIN, 0 } };
    return poll(polls, 2, -1) > 0 && polls[1].revents == 0;
}

/* A whole request; false when the client left. */
static inline bool http_receive(http_server *s, int fd, char *to, size_t *len)
{
    size_t wanted = 0;
    *len = 0;
    for (;;) {
        char *end = memmem(to, *len, "\r\n\r\n", 4);
        if (end != NULL && wanted == 0) {
            const char *field = memmem(to, *len, "Content-Length: ", 16);
            wanted = (size_t) (end - to) + 4 + (field != NULL ? strtoul(field + 16, NULL, 10) : 0);
        }
        if ((wanted > 0 && *len >= wanted) || !http_wait(s, fd)) {
            return wanted > 0 && *len >= wanted;
        }
        ssize_t got = recv(fd, to + *len, HTTP_REQUEST_MAX - 1 - *len, 0);
        if (got <= 0) {
            return false;
        }
        *len += (size_t) got;
        to[*len] = '\0';
    }
}

/* One answer; false: the connection ends with it. */
static inline bool http_reply(http_server *s, int fd, const http_answer *answer)
{
    static const char NOISE[] = "\x16\x03\x01 no http here \xff\r\n\r\n";
    char head[256];
    size_t length = strlen(answer->body);
    int size = snprintf(
        head, sizeof head, "HTTP/1.1 %d Said\r\nContent-Type: application/json\r\n%s%zu\r\n\r\n",
        answer->code,
        answer->fault == HTTP_HUGE ? "Connection: close\r\nX-Length: " : "Content-Length: ",
        length);
    switch (answer->fault) {
    case HTTP_FINE:
        http_send(fd, head, (size_t) size);
        http_send(fd, answer->body, length);
        return true;
    case HTTP_CUT:
        http_send(fd, head, (size_t) size);
        http_send(fd, answer->body, length / 2);
        return false;
    case HTTP_HUGE:
        http_send(fd, head, (size_t) size);
        for (size_t sent = 0; sent < (size_t) 8 << 20; sent += length) {
            http_send(fd, answer->body, length);
        }
        return false;
    case HTTP_NOISE:
        http_send(fd, NOISE, sizeof NOISE - 1);
        return false;
    case HTTP_HANG:
        (void) http_wait(s, fd); /* its end is something to read, too */
        return false;
    case HTTP_CLOSE:
        break;
    }
    return false;
}

static inline void http_serve(http_server *s, int fd, char *to)
{
    size_t len = 0;
    bool more = true;
    while (more && http_receive(s, fd, to, &len)) {
        (void) pthread_mutex_lock(&s->lock);
        size_t last = s->answer_count > 0 ? s->answer_count - 1 : 0;
        http_answer answer = s->answers[s->asked < last ? s->asked : last];
        s->asked++;
        memcpy(s->request, to, len + 1);
        s->request_len = len;
        (void) pthread_mutex_unlock(&s->lock);
        if (s->make != NULL) {
            answer = s->make(to);
        }
        more = http_reply(s, fd, &answer);
    }
}

static inline void *http_peer_run(void *arg)
{
    http_peer *peer = arg;
    char *to = malloc(HTTP_REQUEST_MAX);
    if (to != NULL) {
        http_serve(peer->server, peer->fd, to);
    }
    free(to);
    (void) close(peer->fd);
    return NULL;
}

static inline void *http_run(void *arg)
{
    http_server *s = arg;
    while (http_wait(s, s->listener)) {
        http_peer *peer = &s->peers[s->peer_count];
        int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            continue;
        }
        *peer = (http_peer) { .server = s, .fd = fd };
        if (s->peer_count + 1 < HTTP_CLIENTS_MAX &&
            pthread_create(&peer->thread, NULL, http_peer_run, peer) == 0) {
            s->peer_count++;
        } else {
            (void) close(fd);
        }
    }
    for (size_t i = 0; i < s->peer_count; i++) {
        (void) pthread_join(s->peers[i].thread, NULL);
    }
    return NULL;
}

/* Listens on a port that the kernel picks; s is large, keep it static. False without network. */
static inline bool http_server_open(http_server *s)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->answer_count = 0;
    s->asked = 0;
    s->peer_count = 0;
    s->make = NULL;
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void) pthread_mutex_init(&s->lock, NULL);
    bool good =
        s->listener >= 0 && bind(s->listener, (struct sockaddr *) &address, sizeof address) == 0 &&
        listen(s->listener, 8) == 0 &&
        getsockname(s->listener, (struct sockaddr *) &address, &size) == 0 && pipe(s->stop) == 0;
    (void) snprintf(s->url, sizeof s->url, "http://127.0.0.1:%u", ntohs(address.sin_port));
    return good && pthread_create(&s->thread, NULL, http_run, s) == 0;
}

static inline void http_server_close(http_server *s)
{
    (void) close(s->stop[1]);
    (void) pthread_join(s->thread, NULL);
    (void) close(s->stop[0]);
    (void) close(s->listener);
    (void) pthread_mutex_destroy(&s->lock);
}

/* From now on answer so. */
static inline void http_server_say(http_server *s, const http_answer *answers, size_t count)
{
    (void) pthread_mutex_lock(&s->lock);
    memcpy(s->answers, answers, count * sizeof answers[0]);
    s->answer_count = count;
    s->asked = 0;
    (void) pthread_mutex_unlock(&s->lock);
}

static inline size_t http_server_asked(http_server *s)
{
    (void) pthread_mutex_lock(&s->lock);
    size_t asked = s->asked;
    (void) pthread_mutex_unlock(&s->lock);
    return asked;
}

/* Whether the last request held a text. */
static inline bool http_server_got(http_server *s, const char *text)
{
    (void) pthread_mutex_lock(&s->lock);
    bool found = memmem(s->request, s->request_len, text, strlen(text)) != NULL;
    if (!found) {
        (void) printf("# no \"%s\" in: %.600s\n", text, s->request);
    }
    (void) pthread_mutex_unlock(&s->lock);
    return found;
}

#endif
