/* Staging. Order of durability: bytes first (the caller's fsync), then the name, then its folder;
 * after a failed fsync the file is thrown away, never synced again (reliability CS-01). */
#include "base/prelude.h"

#include "work/stage.h"

#include <fcntl.h>
#include <lumilio/status.h>

#include "base/crash.h"
#include "base/file.h"

#define COPY_BLOCK 262144 /* bytes read at once */

const char *stage_hash_hex(const char *hash)
{
    return hash + 7;
}

pgc_status stage_open_source(const env *e, const char *path, int *out, struct stat *info,
                             pgc_error *err)
{
    /* O_NONBLOCK: opening a pipe must not wait for a writer. */
    int fd = e->fs->openat(e->fs->ctx, AT_FDCWD, path,
                           O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0);
    if (fd < 0) {
        int os_errno = errno;
        if (os_errno == ELOOP) {
            return pgc_error_set(err, LUM_NOT_MEDIA, "symbolic link, not followed");
        }
        (void) pgc_error_errno(err, os_errno, "cannot be opened");
