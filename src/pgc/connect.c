/* The walk over hosts and addresses. Time is shared out so that a host that does not answer leaves
 * enough for the others; the whole ends at one deadline, name look-up included. One thread per
 * connection. */
#include "base/prelude.h"

#include "pgc/connect.h"

#include "pgc/call.h"
#include "pgc/health.h"
#include "pgc/login.h"
#include "pgc/resolve.h"

#define SERVER_VERSION_MIN 150000

/* The state of one connecting. */
typedef struct walk {
    pgc_conn *conn;
    login_plan plan;
    host_list hosts;
    int64_t deadline_us;
    int64_t address_us; /* limit for one address; 0: its share of what is left */
    bool second_pass;
    size_t tried;    /* addresses that failed, in this pass */
    char story[480]; /* of each: why */
    pgc_error *err;  /* of the last one; never NULL */
} walk;

static int64_t now_us(const walk *w)
{
    return w->conn->clock->mono_us(w->conn->clock->ctx);
}

/* An equal part of the time until then, for one of `parts` that are still to come. */
static int64_t share_until(const walk *w, int64_t deadline_us, size_t parts)
{
    int64_t now = now_us(w);
    assert(parts > 0);
    return deadline_us <= now ? deadline_us : now + (deadline_us - now) / (int64_t) parts;
}

/* Queries while connecting are bound by what is left of the whole. */
static void limit_queries(const walk *w)
{
    int64_t left_us = w->deadline_us - now_us(w);
    w->conn->call_timeout_us = left_us > 0 ? left_us : 0;
}

static void drop(pgc_conn *conn)
{
    conn->pq->finish(TAKE(conn->pg));
    conn->lost = false;
    conn->end_sqlstate[0] = '\0';
}

/* Trying elsewhere will not help: the caller's own faults, and what is the same on all servers. */
static bool is_final(const pgc_error *err)
{
    return err->status == PGC_CANCELLED || err->status == PGC_NOMEM || err->status == PGC_INVALID ||
           err->status >= PGC_STATUS_DOMAIN || strncmp(err->sqlstate, "28", 2) == 0 ||
           strcmp(err->sqlstate, "3D000") == 0;
}

static void note_failure(walk *w)
{
    static const char PREFIX[] = "connect: ";
    const char *message = w->err->message;
    message += strncmp(message, PREFIX, sizeof PREFIX - 1) == 0 ? sizeof PREFIX - 1 : 0;
    size_t len = strlen(w->story);
    (void) snprintf(w->story + len, sizeof w->story - len, "%s%s", len > 0 ? "; " : "", message);
    w->tried++;
}

/* Newer statements and protocol features are used without asking. */
static pgc_status check_version(const pgc_conn *conn, pgc_error *err)
{
    int version = conn->pq->serverVersion(conn->pg);
    if (version >= SERVER_VERSION_MIN) {
        return PGC_OK;
    }
    pgc_status status =
        pgc_error_set(err, PGC_UNSUPPORTED, "connect: server version %d.%d is too old",
                      version / 10000, version >= 100000 ? version % 10000 : version / 100 % 100);
    pgc_error_hint(err, "use PostgreSQL 15 or later");
    return status;
}

/* Is the server that let us in one of those that will do? */
static pgc_status check_role(walk *w, const host_entry *entry)
{
    pgc_conn *conn = w->conn;
    bool standby = false, read_only = false;
    if (conn->want == WANT_ANY) {
        return PGC_OK;
    }
    limit_queries(w);
    TRY(health_role(conn, &standby, &read_only, w->err));
    if (want_fits(conn->want, standby, read_only, w->second_pass)) {
        return PGC_OK;
    }
    char where[120];
    host_describe(entry, where, sizeof where);
    (void) pgc_error_set(w->err, PGC_CONNECTION, "connect: %s is no server %s", where,
                         conn->want == WANT_PREFER_STANDBY ? "that is a standby"
                                                           : want_text(conn->want));
    w->err->retry = true;
    return PGC_CONNECTION;
}

static pgc_status try_address(walk *w, const host_entry *entry, const char *address,
                              int64_t deadline_us)
{
    pgc_conn *conn = w->conn;
    if (w->address_us > 0) {
        int64_t limit_us = now_us(w) + w->address_us;
        deadline_us = limit_us < w->deadline_us ? limit_us : w->deadline_us;
    }
    TRY(login_at(conn, &w->plan, entry, address, deadline_us, w->err));
    TRY(check_version(conn, w->err));
    (void) conn->pq->setErrorVerbosity(conn->pg, PQERRORS_DEFAULT);
    if (conn->pq->setnonblocking(conn->pg, 1) != 0) {
        return conn_lose(conn, "connect", w->err);
    }
    return check_role(w, entry);
}

/* All addresses of one host. *over_out: no need to go on with the next. */
static pgc_status try_host(walk *w, const host_entry *entry, size_t hosts_left, bool *over_out)
{
    host_addresses addresses = { .count = 1 };
    int64_t deadline_us = share_until(w, w->deadline_us, hosts_left);
    if (host_needs_lookup(entry)) {
        pgc_status status = resolve(entry->host, w->plan.seams, deadline_us, &addresses, w->err);
        if (status != PGC_OK) {
            note_failure(w);
            *over_out = is_final(w->err);
            return status;
        }
        if (w->plan.info->balance) {
            addresses_shuffle(&addresses, w->conn->clock);
        }
    } else {
        (void) snprintf(addresses.text[0], HOST_ADDRESS_SIZE, "%s", entry->hostaddr);
    }
    pgc_status status = PGC_CONNECTION;
    for (size_t i = 0; i < addresses.count && !*over_out; i++) {
        drop(w->conn);
        status = try_address(w, entry, addresses.text[i],
                             share_until(w, deadline_us, addresses.count - i));
        if (status != PGC_OK) {
            note_failure(w);
        }
        *over_out = status == PGC_OK || is_final(w->err);
    }
    return status;
}

/* The last failure, with the story of all. */
static pgc_status tell_failures(const walk *w, pgc_status status)
{
    if (w->tried > 1) {
        (void) snprintf(w->err->message, sizeof w->err->message,
                        "connect: none of %zu servers will do: %s", w->tried, w->story);
    }
    return status;
}

static pgc_status walk_hosts(walk *w)
{
    bool twice = w->conn->want == WANT_PREFER_STANDBY;
    pgc_status status = PGC_CONNECTION;
    bool over = false;
    for (int pass = 0; pass < (twice ? 2 : 1) && !over; pass++) {
        w->second_pass = pass > 0;
        w->tried = 0;
        w->story[0] = '\0';
        for (size_t i = 0; i < w->hosts.count && !over; i++) {
            size_t left = w->hosts.count - i + (twice && pass == 0 ? w->hosts.count : 0);
            status = try_host(w, &w->hosts.entries[i], left, &over);
        }
    }
    return status == PGC_OK ? PGC_OK : tell_failures(w, status);
}

/* connect_timeout counts for each address, like in libpq; nonsense there is nobody's limit. */
static int64_t address_limit(const pgc_conn_options *options, const conninfo *info)
{
    const char *text = conninfo_get(info, "connect_timeout");
    if (options->host_timeout_us > 0) {
        return options->host_timeout_us;
    }
    long seconds = text == NULL ? 0 : strtol(text, NULL, 10);
    return seconds > 0 && seconds < INT32_MAX ? (int64_t) seconds * 1000000 : 0;
}

static pgc_status walk_open(walk *w, const conninfo *info)
{
    const char *balance = conninfo_get(info, "load_balance_hosts"); /* of the environment */
    TRY(want_parse(conninfo_get(info, "target_session_attrs"), &w->conn->want, w->err));
    TRY(hosts_open(&w->hosts, w->conn->alloc, conninfo_get(info, "host"),
                   conninfo_get(info, "hostaddr"), conninfo_get(info, "port"), w->err));
    w->address_us = address_limit(w->plan.options, info);
    if (info->balance || (balance != NULL && strcmp(balance, "random") == 0)) {
        hosts_shuffle(&w->hosts, w->conn->clock);
    }
    return PGC_OK;
}

/* Nothing was asked of any server: whatever failed is safe to try again. */
pgc_status connect_any(pgc_conn *conn, const pgc_conn_options *options, const conn_seams *seams,
                       int64_t deadline_us, pgc_error *err)
{
    pgc_error ours;
    conninfo info;
    err = err != NULL ? err : &ours;
    TRY(conninfo_open(conn->pq, conn->alloc, options->conninfo, &info, err));
    walk w = {
        .conn = conn, .plan = { options, seams, &info }, .deadline_us = deadline_us, .err = err
    };
    pgc_status status = walk_open(&w, &info);
    if (status == PGC_OK) {
        status = walk_hosts(&w);
        hosts_close(&w.hosts);
    }
    limit_queries(&w);
    conninfo_close(&info);
    return status;
}
