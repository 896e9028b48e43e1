#ifndef PGC_CLUSTER_H
#define PGC_CLUSTER_H

#include <pgc/alloc.h>
#include <pgc/error.h>

PGC_BEGIN_DECLS

/**
 * A private PostgreSQL server: made with initdb under a directory of ours, reached through a UNIX
 * socket in a 0700 directory, no TCP. Processes share it: the first user starts it, the last one
 * stops it, whoever died in between. A child made by fork() counts as a user until it calls exec or
 * ends. Opaque; one thread at a time.
 */
typedef struct pgc_cluster pgc_cluster;

/** Settings of pgc_cluster_open(). Zero means the default. */
typedef struct pgc_cluster_options {
    size_t struct_size;   /**< sizeof(pgc_cluster_options) */
    const char *dir;      /**< parent of data/, socket and locks; created 0700; required */
    const char *bin_dir;  /**< folder of initdb and postgres; default: newest found 15..18 */
    const char *database; /**< created when missing; default "postgres" */
    const char *const *login_roles; /**< NULL-terminated: roles that our OS user may log in as */
    bool throw_away;   /**< tests and generators: no fsync, every role may log in (the socket is
                            still private), removed when the last user goes */
    bool keep_running; /**< nobody's close stops the server, only pgc_cluster_stop() does */
    int64_t start_timeout_us; /**< default 60 s: crash recovery may take a while */
    const pgc_alloc *alloc;
} pgc_cluster_options;

/**
 * Make the server run and be known to us: initdb when there is no data directory (half-made ones
 * are removed and made again), start when it is down (stale postmaster.pid and sockets are cleared
 * when their process is gone), else share it.
 *
 * Started as root, everything of the server runs as the system user "postgres".
 *
 * @param out on PGC_OK a handle for pgc_cluster_close().
 * @return PGC_OK; PGC_NOT_FOUND (no PostgreSQL 15..18 installed: the message names the package);
 *         PGC_IO (disk full, read-only: names the path); PGC_DENIED; PGC_TIMEOUT; PGC_DB (the
 *         server did not start: ends with the last lines of its log); PGC_INVALID; PGC_NOMEM.
 *
 * Blocks: up to start_timeout_us plus initdb. Thread-safe: yes, also between processes. Since: 0.1.
 */
PGC_API pgc_status pgc_cluster_open(const pgc_cluster_options *options, pgc_cluster **out,
                                    pgc_error *err) PGC_MUST_CHECK;

/** postgresql:// URI: socket directory, database, superuser. Valid until close. */
PGC_API const char *pgc_cluster_conninfo(const pgc_cluster *cluster);

/** True when this call of open started the server, false when it was shared. */
PGC_API bool pgc_cluster_started(const pgc_cluster *cluster);

/** Leave; the last user stops the server (and removes it when throw_away). NULL is allowed. */
PGC_API void pgc_cluster_close(pgc_cluster *cluster);

/** What is known about a cluster without touching it. */
typedef struct pgc_cluster_info {
    bool exists;   /**< a complete data directory is there */
    bool running;  /**< its postmaster is alive */
    int32_t pid;   /**< postmaster, 0 when not running */
    int32_t major; /**< major version of the data directory, 0 when unknown */
    int32_t users; /**< 1 when some process has it open, else 0 */
} pgc_cluster_info;

/**
 * Look at the files of a cluster; starts and changes nothing.
 *
 * @param dir the folder that was or would be given to open a cluster.
 * @param out filled on PGC_OK; all zero when there is no cluster.
 * @return PGC_OK; PGC_IO when the folder cannot be read; PGC_NOMEM.
 *
 * Blocks: on the file system. Thread-safe: yes. Since: 0.1.
 */
PGC_API pgc_status pgc_cluster_inspect(const char *dir, pgc_cluster_info *out, pgc_error *err)
    PGC_MUST_CHECK;

/**
 * Stop a server that nobody else uses.
 *
 * @param force stop although other processes use it (fast shutdown; they lose their connections).
 * @return PGC_OK (also when it was not running); PGC_CONFLICT (in use); PGC_TIMEOUT; PGC_IO.
 */
PGC_API pgc_status pgc_cluster_stop(const char *dir, bool force, pgc_error *err) PGC_MUST_CHECK;

PGC_END_DECLS

#endif
