/* A bad network between a client and a PostgreSQL server: one thread passes the bytes on and does
 * what the plan says, once.
 *
 *     proxy *p = proxy_open(test_server());
 *     proxy_arm(p, &(proxy_plan) { .fault = PROXY_CUT, .side = PROXY_FROM_SERVER, .after = 17 });
 *     ... a pool on proxy_conninfo(p) ...
 *     proxy_heal(p);
 *     proxy_close(p);
 *
 * It listens on TCP loopback (a port that the kernel picks) and talks to the server as the server's
 * connection string says, UNIX socket or TCP. Encryption is off: offsets count bytes of the
 * protocol. All functions may be called by any thread. */
#ifndef TEST_PROXY_H
#define TEST_PROXY_H

#include <stdbool.h>
#include <stdint.h>

typedef enum proxy_fault {
    PROXY_PASS,       /* nothing */
    PROXY_CUT,        /* both sides see the end of the stream */
    PROXY_RESET,      /* the client sees a reset, the server the end */
    PROXY_HALF_CLOSE, /* this direction ends, the other goes on */
    PROXY_BLACK_HOLE, /* what comes is swallowed, in this direction */
    PROXY_DELAY,      /* this direction stands still for delay_us, then goes on */
    PROXY_DRIP,       /* from here on one byte at a time */
    PROXY_GARBAGE,    /* bytes of no message, at the next boundary between two messages */
} proxy_fault;

typedef enum proxy_side { PROXY_FROM_CLIENT, PROXY_FROM_SERVER } proxy_side;

typedef struct proxy_plan {
    proxy_fault fault;
    proxy_side side;  /* whose bytes are counted and hurt */
    uint64_t after;   /* so many of them still pass, over all connections since proxy_arm() */
    int64_t delay_us; /* of PROXY_DELAY */
    uint64_t seed;    /* of the garbage */
} proxy_plan;

typedef struct proxy proxy;

/* A proxy in front of the server that the connection string names; NULL when it cannot be. */
proxy *proxy_open(const char *server);
/* Ends the thread and all connections. NULL is allowed. */
void proxy_close(proxy *p);
/* Connection string of the server by way of the proxy; lives as long as the proxy. */
const char *proxy_conninfo(const proxy *p);
/* From now on, once, on whichever connection reaches the count. */
void proxy_arm(proxy *p, const proxy_plan *plan);
/* No more faults; connections that had one are closed when this returns. True: there was one. */
bool proxy_heal(proxy *p);
/* Bytes that arrived from a side since proxy_arm(). */
uint64_t proxy_count(proxy *p, proxy_side side);

#endif
