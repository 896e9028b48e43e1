/* Parts of a private cluster, shared by the files cluster*.c.
 *
 * On disk, under the home folder (the caller's folder, or one that the server's user can reach when
 * the caller's is hidden behind a closed parent; then "server" in the caller's folder links to it):
 *
 *     control.lock   exclusive flock while somebody opens, closes or stops
 *     users.lock     shared flock for as long as a process uses the server
 *     keep-running   pid of a server that stays up without users
 *     data/          the data directory; complete from the moment it has this name
 *     data.new-*     a data directory in the making; nobody's when control.lock is free
 *     server.log     what the server says
 *     belongs-to     path of the caller's folder, only in a home elsewhere
 *     socket/        0700; elsewhere when the path is too long for a UNIX socket */
#ifndef PGC_CLUSTER_PARTS_H
#define PGC_CLUSTER_PARTS_H

#include <pgc/cluster.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/file.h"

#define CLUSTER_MAJOR_MIN    15
#define CLUSTER_MAJOR_MAX    18
#define CLUSTER_SUPERUSER    "postgres"
#define CLUSTER_PORT         "5432"
#define CLUSTER_CONTROL_LOCK "control.lock"

struct pgc_cluster {
    env e;
    arena *arena;       /* holds this struct and all texts */
    const char *dir;    /* absolute path of the caller's folder */
    const char *home;   /* absolute path of what the header comment describes */
    const char *data;   /* home/data */
    const char *bin;    /* folder of the server's programs; NULL until found */
    const char *socket; /* folder of the socket of the running server */
    const char *conninfo;
    const char *system_user;                   /* who runs the server */
    const char *switch_user;                   /* system_user when that is not us, else NULL */
    file_access access;                        /* for files that the server reads */
    int dir_fd, home_fd, control_fd, users_fd; /* -1 when not open */
    int64_t deadline_us;                       /* monotonic end of the running call */
    int32_t major;                             /* of the programs found */
    bool throw_away, started;
};

/* What postmaster.pid says; pid 0 when there is no live server. */
typedef struct cluster_postmaster {
    pid_t pid;
    bool ready;
    char socket[108]; /* folder of its socket */
} cluster_postmaster;

/* Resolve dir and fill the parts that need no server. create: make what is missing; else
 * PGC_NOT_FOUND when there is no cluster. *out is freed by cluster_detach(). */
pgc_status cluster_attach(const env *env, const char *dir, bool create, pgc_cluster **out,
                          pgc_error *err) PGC_MUST_CHECK;
void cluster_detach(pgc_cluster *c);
/* Take control.lock until the deadline; PGC_TIMEOUT after it. */
pgc_status cluster_lock(pgc_cluster *c, pgc_error *err) PGC_MUST_CHECK;
void cluster_unlock(pgc_cluster *c);
/* True when no other handle, here or in another process, uses the cluster; needs control.lock. When
 * this handle has a share of users.lock it is exclusive afterwards. */
bool cluster_alone(pgc_cluster *c);
/* Choose and make the folder of the socket. */
pgc_status cluster_socket_dir(pgc_cluster *c, pgc_error *err) PGC_MUST_CHECK;
/* Everything of a throw-away cluster, locks last. */
void cluster_remove(pgc_cluster *c);

/* Find the programs: wanted (may be NULL), else the newest, else those of the data directory's
 * major version when that is not 0. Sets bin and major. */
pgc_status cluster_find_programs(pgc_cluster *c, const char *wanted, int32_t data_major,
                                 pgc_error *err) PGC_MUST_CHECK;
/* Major version of the data directory, 0 when there is none. */
pgc_status cluster_data_major(const pgc_cluster *c, int32_t *out, pgc_error *err) PGC_MUST_CHECK;
/* Make the data directory; needs control.lock. */
pgc_status cluster_init_data(pgc_cluster *c, pgc_error *err) PGC_MUST_CHECK;
/* Write our settings file: called before every start, the machine may have changed. */
pgc_status cluster_write_settings(const pgc_cluster *c, pgc_error *err) PGC_MUST_CHECK;
/* Let our system user log in as the superuser and as roles (NULL-terminated, may be NULL). *changed
 * tells that a running server must reload. */
pgc_status cluster_write_logins(const pgc_cluster *c, const char *const *roles, bool *changed,
                                pgc_error *err) PGC_MUST_CHECK;

/* Look for a live server of this data directory. */
pgc_status cluster_find_postmaster(const pgc_cluster *c, cluster_postmaster *out, pgc_error *err)
    PGC_MUST_CHECK;
/* Start the server or wait until the one that starts is ready; needs control.lock. */
pgc_status cluster_start(pgc_cluster *c, pgc_error *err) PGC_MUST_CHECK;
/* Stop the server and wait for its end; PGC_OK when it is not running; needs control.lock. */
pgc_status cluster_shut_down(const pgc_cluster *c, pgc_error *err) PGC_MUST_CHECK;
/* True when the server was started to stay. */
bool cluster_kept(const pgc_cluster *c);
pgc_status cluster_keep(const pgc_cluster *c, pgc_error *err) PGC_MUST_CHECK;

/* Make the database when it is missing and wait until the server has reloaded its logins. */
pgc_status cluster_prepare_database(pgc_cluster *c, const char *database, bool reload,
                                    pgc_error *err) PGC_MUST_CHECK;

/* Microseconds left until the deadline, never negative. */
int64_t cluster_time_left(const pgc_cluster *c);
/* Wait a little; false when the deadline has passed. */
bool cluster_pause(const pgc_cluster *c);
/* The last whole lines of text that fit in size bytes, " | " between them. */
void cluster_last_lines(slice text, char *out, size_t size);

#endif
