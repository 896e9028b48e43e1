/* Settings files of a private cluster: sized to the machine and to the purpose, and who may log in.
 * Our settings stand in data/lumilio.conf, which the last line of postgresql.conf includes; what an
 * administrator appends there or sets by ALTER SYSTEM wins. One thread per cluster handle. */
#include "base/prelude.h"

#include <fcntl.h>

#include "pgc/cluster_parts.h"

#define MIB                    (INT64_C(1) << 20)
#define SETTINGS_FILE          "data/lumilio.conf"
#define LOGINS_FILE            "data/pg_ident.conf"
#define SETTINGS_MAX           16384
#define LOGINS_MAX             65536
#define SMALL_SHARED_MEMORY    (256 * MIB) /* containers commonly have 64 MiB */
#define CONNECTIONS            100
#define THROW_AWAY_CONNECTIONS 200

/* The sizes follow the machine between what always works and what a photo library can use. */
static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* Memory that we may count on: the machine's, or the limit of our control group. */
static int64_t memory_bytes(const pgc_cluster *c)
{
    int64_t pages = sysconf(_SC_PHYS_PAGES);
    int64_t bytes = pages > 0 ? pages * sysconf(_SC_PAGESIZE) : 1024 * MIB;
    AUTO(buf_auto) buf text;
    buf_init(&text, c->e.alloc, 128);
    int64_t limit = 0;
    if (file_read(&c->e, AT_FDCWD, "/sys/fs/cgroup/memory.max", &text, NULL) == PGC_OK &&
        slice_to_i64(slice_trim(buf_view(&text)), &limit) && limit > 0 && limit < bytes) {
        bytes = limit;
    }
    return bytes;
}

/* Parallel queries keep their shared memory in /dev/shm, where a container's may be too small. */
static bool shared_memory_is_small(const pgc_cluster *c)
{
    const vfs *fs = c->e.fs;
    struct statvfs room;
    int fd = fs->openat(fs->ctx, AT_FDCWD, "/dev/shm", O_RDONLY | O_DIRECTORY, 0);
    bool known = fd >= 0 && fs->fstatvfs(fs->ctx, fd, &room) == 0;
    if (fd >= 0) {
        (void) fs->close(fs->ctx, fd);
    }
    return !known || (int64_t) (room.f_blocks * room.f_frsize) < SMALL_SHARED_MEMORY;
}

/* Modest: other programs of a small home server need memory as well. work_mem counts per sort and
 * connection, hence the small share. */
static void add_sizes(const pgc_cluster *c, buf *out)
{
    int64_t memory = memory_bytes(c);
    int64_t shared = c->throw_away ? 64 * MIB : clamp(memory / 8, 32 * MIB, 2048 * MIB);
    buf_printf(out, "shared_buffers = %" PRId64 "MB\n", shared / MIB);
    buf_printf(out, "effective_cache_size = %" PRId64 "MB\n",
               clamp(memory / 2, 64 * MIB, 1024 * 1024 * MIB) / MIB);
    buf_printf(out, "work_mem = %" PRId64 "MB\n", clamp(memory / 512, 4 * MIB, 32 * MIB) / MIB);
    buf_printf(out, "maintenance_work_mem = %" PRId64 "MB\n",
               clamp(memory / 16, 64 * MIB, 1024 * MIB) / MIB);
    buf_printf(out, "max_connections = %d\n", c->throw_away ? THROW_AWAY_CONNECTIONS : CONNECTIONS);
    if (shared_memory_is_small(c)) {
        buf_add_str(out, "dynamic_shared_memory_type = mmap\n");
    }
}

/* Photos are imported once and then trusted: everything that protects commits is on. A throw-away
 * server has nothing to protect. */
static void add_durability(const pgc_cluster *c, buf *out)
{
    static const char LASTING[] = "fsync = on\n"
                                  "full_page_writes = on\n"
                                  "synchronous_commit = on\n"
                                  "wal_level = replica\n"
                                  "wal_compression = on\n"
                                  "max_wal_size = 2GB\n"
                                  "checkpoint_completion_target = 0.9\n"
                                  "log_checkpoints = on\n"
                                  "track_io_timing = on\n"
                                  "client_connection_check_interval = 10s\n";
    static const char FLEETING[] = "fsync = off\n"
                                   "full_page_writes = off\n"
                                   "synchronous_commit = off\n"
                                   "wal_level = minimal\n"
                                   "max_wal_senders = 0\n"
                                   "log_checkpoints = off\n";
    buf_add_str(out, c->throw_away ? FLEETING : LASTING);
}

/* Statement statistics, where the library is installed: naming a missing one stops the start. */
static void add_libraries(const pgc_cluster *c, buf *out)
{
    char path[PATH_MAX];
    (void) snprintf(path, sizeof path, "%s/../lib/pg_stat_statements.so", c->bin);
    if (!c->throw_away && file_exists(&c->e, AT_FDCWD, path)) {
        buf_add_str(out, "shared_preload_libraries = 'pg_stat_statements'\n");
    }
}

/* Replaced as a whole; the settings of an administrator live in other files. */
pgc_status cluster_write_settings(const pgc_cluster *c, pgc_error *err)
{
    AUTO(buf_auto) buf text;
    buf_init(&text, c->e.alloc, SETTINGS_MAX);
    buf_add_str(&text, "# Written at every start. Append your own settings to postgresql.conf.\n");
    add_sizes(c, &text);
    add_durability(c, &text);
    add_libraries(c, &text);
    buf_add_str(&text, "password_encryption = scram-sha-256\n"
                       "jit = off\n"
                       "random_page_cost = 1.1\n" /* indexes stay in memory, or are on flash */
                       "timezone = 'UTC'\n"
                       "log_timezone = 'UTC'\n"
                       "lc_messages = 'C'\n"
                       "logging_collector = off\n"
                       "log_destination = 'stderr'\n"
                       "log_line_prefix = '%m [%p] %q%u@%d '\n"
                       "log_lock_waits = on\n"
                       /* Statements may be logged; what people entered, hashes and keys are not. */
                       "log_parameter_max_length = 0\n"
                       "log_parameter_max_length_on_error = 0\n");
    TRY(buf_finish(&text, err));
    return file_write_atomic_as(&c->e, c->home_fd, SETTINGS_FILE, buf_view(&text), &c->access, err);
}

/* Names stand between double quotes; a slash or plus sign in front has a meaning of its own. */
static bool name_is_safe(const char *name)
{
    if (name[0] == '\0' || name[0] == '/' || name[0] == '+' || strlen(name) > 63) {
        return false;
    }
    for (const char *at = name; *at != '\0'; at++) {
        if ((unsigned char) *at < 0x20 || *at == '"' || *at == '\\') {
            return false;
        }
    }
    return true;
}

/* Adds a line unless the text has it already. */
static void add_login(buf *text, const char *system_user, const char *role)
{
    char line[256];
    int len = snprintf(line, sizeof line, "lumilio \"%s\" \"%s\"\n", system_user, role);
    slice wanted = { line, (size_t) len };
    slice rest = buf_view(text);
    while (rest.ptr != NULL) {
        slice have = slice_next(&rest, '\n');
        if (slice_eq(have, slice_sub(wanted, 0, wanted.len - 1))) {
            return;
        }
    }
    buf_add(text, wanted);
}

/* Root may act for the server's user, and tools of an administrator run as root. */
static pgc_status add_role(const pgc_cluster *c, buf *text, const char *role, pgc_error *err)
{
    if (!name_is_safe(role) || !name_is_safe(c->system_user)) {
        return pgc_error_set(err, PGC_INVALID, "cannot map system user \"%s\" to role \"%s\"",
                             c->system_user, role);
    }
    add_login(text, c->system_user, role);
    if (c->switch_user != NULL) {
        add_login(text, "root", role);
    }
    return PGC_OK;
}

/* Lines are only added: two programs with different roles share one cluster, and neither may lock
 * the other out. */
pgc_status cluster_write_logins(const pgc_cluster *c, const char *const *roles, bool *changed,
                                pgc_error *err)
{
    AUTO(buf_auto) buf text;
    buf_init(&text, c->e.alloc, LOGINS_MAX);
    TRY(file_read(&c->e, c->home_fd, LOGINS_FILE, &text, err));
    size_t before = text.len;
    TRY(add_role(c, &text, CLUSTER_SUPERUSER, err));
    for (size_t i = 0; roles != NULL && roles[i] != NULL; i++) {
        TRY(add_role(c, &text, roles[i], err));
    }
    TRY(buf_finish(&text, err));
    if (text.len == before) {
        *changed = false;
        return PGC_OK;
    }
    TRY(file_write_atomic_as(&c->e, c->home_fd, LOGINS_FILE, buf_view(&text), &c->access, err));
    *changed = true;
    return PGC_OK;
}
