/* Where to connect: the host lists of a connection string, name look-up with a deadline, and which
 * server of a list will do. */
#ifndef PGC_HOSTS_H
#define PGC_HOSTS_H

#include <pgc/alloc.h>
#include <pgc/error.h>

#include "base/clock.h"

#define HOSTS_MAX          32u
#define HOST_ADDRESSES_MAX 16u
#define HOST_ADDRESS_SIZE  80u /* an IPv6 address with its zone */

/* Numeric addresses of one name. */
typedef struct host_addresses {
    size_t count;
    char text[HOST_ADDRESSES_MAX][HOST_ADDRESS_SIZE];
} host_addresses;

/* The name service: 0, or a code of getaddrinfo(). May block for as long as it likes. */
typedef int (*host_lookup)(const char *name, host_addresses *out);

/* What target_session_attrs asks for. */
typedef enum conn_want {
    WANT_ANY,
    WANT_READ_WRITE,
    WANT_READ_ONLY,
    WANT_PRIMARY,
    WANT_STANDBY,
    WANT_PREFER_STANDBY
} conn_want;

/* One entry of the lists; "" means libpq's default. */
typedef struct host_entry {
    const char *host, *hostaddr, *port;
} host_entry;

typedef struct host_list {
    size_t count; /* at least one after hosts_open() */
    host_entry entries[HOSTS_MAX];
    char *text; /* what the entries point into */
    size_t text_size;
    const pgc_alloc *alloc;
} host_list;

/* Take comma lists apart; NULL is an empty list. PGC_INVALID when their lengths do not fit. */
pgc_status hosts_open(host_list *list, const pgc_alloc *alloc, const char *hosts,
                      const char *hostaddrs, const char *ports, pgc_error *err) PGC_MUST_CHECK;
void hosts_close(host_list *list);
/* Random order; as it was when there is no randomness. */
void hosts_shuffle(host_list *list, const clock_ops *clock);
void addresses_shuffle(host_addresses *addresses, const clock_ops *clock);

/* A socket, or the loopback by number or as "localhost". Other names are remote whatever the name
 * service says, because nobody vouches for that. */
bool host_is_local(const host_entry *entry);
/* True when the name service must be asked. */
bool host_needs_lookup(const host_entry *entry);
/* "name, port 5432", for messages. */
void host_describe(const host_entry *entry, char *text, size_t size);

/* PGC_INVALID for a value that libpq does not know either. NULL and "" are WANT_ANY. */
pgc_status want_parse(const char *text, conn_want *out, pgc_error *err) PGC_MUST_CHECK;
/* Does a server do? In the second pass WANT_PREFER_STANDBY takes any. */
bool want_fits(conn_want want, bool standby, bool read_only, bool second_pass);
/* "that is writable", for messages. */
const char *want_text(conn_want want);

#endif
