/* Host lists as libpq reads them: comma separated, tried in order or in random order. No waiting
 * here. One thread per list. */
#include "base/prelude.h"

#include "pgc/hosts.h"

#include <arpa/inet.h>

#include "base/alloc.h"
#include "base/slice.h"

/* Entries of a comma list; "" has none. */
static size_t list_length(const char *list)
{
    size_t count = list[0] == '\0' ? 0 : 1;
    for (; *list != '\0'; list++) {
        count += *list == ',' ? 1 : 0;
    }
    return count;
}

/* The next entry, cut off in place; past the end always "". */
static const char *next_entry(char **rest)
{
    char *entry = *rest;
    char *comma = entry + strcspn(entry, ",");
    *rest = comma + (*comma == ',' ? 1 : 0);
    *comma = '\0';
    return entry;
}

/* One port serves for all hosts. */
static pgc_status check_lengths(const char *hosts, const char *addrs, const char *ports,
                                size_t *count_out, pgc_error *err)
{
    size_t host_count = list_length(hosts), addr_count = list_length(addrs);
    size_t port_count = list_length(ports);
    size_t count = addr_count > host_count ? addr_count : host_count;
    count = count == 0 ? 1 : count;
    if (host_count > 0 && addr_count > 0 && host_count != addr_count) {
        return pgc_error_set(err, PGC_INVALID, "connection string: %zu hosts but %zu hostaddr",
                             host_count, addr_count);
    }
    if (port_count > 1 && port_count != count) {
        return pgc_error_set(err, PGC_INVALID, "connection string: %zu hosts but %zu ports", count,
                             port_count);
    }
    if (count > HOSTS_MAX) {
        return pgc_error_set(err, PGC_INVALID, "connection string: %zu hosts, at most %u", count,
                             HOSTS_MAX);
    }
    *count_out = count;
    return PGC_OK;
}

pgc_status hosts_open(host_list *list, const pgc_alloc *alloc, const char *hosts,
                      const char *hostaddrs, const char *ports, pgc_error *err)
{
    const char *const texts[3] = { hosts == NULL ? "" : hosts, hostaddrs == NULL ? "" : hostaddrs,
                                   ports == NULL ? "" : ports };
    size_t count = 1;
    TRY(check_lengths(texts[0], texts[1], texts[2], &count, err));
    size_t size = 0;
    for (size_t i = 0; i < 3; i++) {
        size += strlen(texts[i]) + 1;
    }
    *list = (host_list) { .alloc = alloc, .text_size = size, .text = mem_new(alloc, size) };
    if (list->text == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "connection string");
    }
    char *rest[3];
    char *at = list->text;
    for (size_t i = 0; i < 3; i++) {
        size_t len = strlen(texts[i]) + 1;
        memcpy(at, texts[i], len);
        rest[i] = at;
        at += len;
    }
    bool one_port = list_length(texts[2]) == 1;
    const char *port = one_port ? rest[2] : NULL;
    for (; list->count < count; list->count++) {
        list->entries[list->count] = (host_entry) { next_entry(&rest[0]), next_entry(&rest[1]),
                                                    one_port ? port : next_entry(&rest[2]) };
    }
    return PGC_OK;
}

void hosts_close(host_list *list)
{
    mem_free(list->alloc, list->text, list->text_size);
    *list = (host_list) { .count = 0 };
}

/* Below `limit`, evenly but for a bias that no list of hosts is long enough to show. */
static size_t draw_below(const clock_ops *clock, size_t limit)
{
    uint32_t bits;
    assert(limit > 0);
    return clock->random(clock->ctx, &bits, sizeof bits) ? bits % limit : limit - 1;
}

/* Without randomness each element is swapped with itself: the order stays. */
void hosts_shuffle(host_list *list, const clock_ops *clock)
{
    for (size_t left = list->count; left > 1; left--) {
        size_t pick = draw_below(clock, left);
        host_entry last = list->entries[left - 1];
        list->entries[left - 1] = list->entries[pick];
        list->entries[pick] = last;
    }
}

void addresses_shuffle(host_addresses *addresses, const clock_ops *clock)
{
    assert(addresses->count <= HOST_ADDRESSES_MAX);
    for (size_t left = addresses->count; left > 1; left--) {
        size_t pick = draw_below(clock, left);
        char last[HOST_ADDRESS_SIZE];
        memcpy(last, addresses->text[left - 1], sizeof last);
        memmove(addresses->text[left - 1], addresses->text[pick], sizeof last);
        memcpy(addresses->text[pick], last, sizeof last);
    }
}

static bool is_socket(const char *host)
{
    return host[0] == '/' || host[0] == '@';
}

/* inet_pton() knows no zones, and link-local addresses with one are not the loopback. */
static bool is_loopback(const char *address)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, address, &v4) == 1) {
        return ntohl(v4.s_addr) >> 24 == 127;
    }
    return inet_pton(AF_INET6, address, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static bool is_numeric(const char *host)
{
    struct in_addr v4;
    return inet_pton(AF_INET, host, &v4) == 1 || strchr(host, ':') != NULL;
}

bool host_is_local(const host_entry *entry)
{
    if (entry->host[0] == '\0') {
        return entry->hostaddr[0] == '\0' || is_loopback(entry->hostaddr);
    }
    return is_socket(entry->host) || strcmp(entry->host, "localhost") == 0 ||
           is_loopback(entry->host);
}

bool host_needs_lookup(const host_entry *entry)
{
    return entry->host[0] != '\0' && entry->hostaddr[0] == '\0' && !is_socket(entry->host) &&
           !is_numeric(entry->host);
}

void host_describe(const host_entry *entry, char *text, size_t size)
{
    const char *name = entry->host[0] != '\0' ? entry->host : entry->hostaddr;
    (void) snprintf(text, size, "%s%s%s", name[0] == '\0' ? "the default server" : name,
                    entry->port[0] == '\0' ? "" : ", port ", entry->port);
}

static const struct {
    const char *name;
    conn_want want;
    const char *text;
} WANTS[] = {
    { "any", WANT_ANY, "" },
    { "read-write", WANT_READ_WRITE, "that is writable" },
    { "read-only", WANT_READ_ONLY, "that is read only" },
    { "primary", WANT_PRIMARY, "that is a primary" },
    { "standby", WANT_STANDBY, "that is a standby" },
    { "prefer-standby", WANT_PREFER_STANDBY, "" },
};

pgc_status want_parse(const char *text, conn_want *out, pgc_error *err)
{
    if (text == NULL || text[0] == '\0') {
        *out = WANT_ANY;
        return PGC_OK;
    }
    for (size_t i = 0; i < ARRAY_LEN(WANTS); i++) {
        if (strcmp(WANTS[i].name, text) == 0) {
            *out = WANTS[i].want;
            return PGC_OK;
        }
    }
    pgc_status status = pgc_error_set(
        err, PGC_INVALID, "connection string: target_session_attrs=%.40s is not known", text);
    pgc_error_hint(err, "use any, read-write, read-only, primary, standby or prefer-standby");
    return status;
}

bool want_fits(conn_want want, bool standby, bool read_only, bool second_pass)
{
    switch (want) {
    case WANT_READ_WRITE:
        return !standby && !read_only;
    case WANT_READ_ONLY:
        return standby || read_only;
    case WANT_PRIMARY:
        return !standby;
    case WANT_STANDBY:
        return standby;
    case WANT_PREFER_STANDBY:
        return standby || second_pass;
    case WANT_ANY:
    default:
        return true;
    }
}

const char *want_text(conn_want want)
{
    assert((size_t) want < ARRAY_LEN(WANTS));
    return WANTS[want].text;
}
