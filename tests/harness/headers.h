/* The calls of a layer, read from its headers, so that a test of all calls forgets none. */
#ifndef TEST_HEADERS_H
#define TEST_HEADERS_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/file.h"
#include "tap.h"

#define HEADERS_SIZE_MAX 65536

/* Each "pgc_status lum_…(" at the beginning of a line; returns how many. */
static inline size_t headers_look_through(const char *path, bool (*is_tested)(const char *name),
                                          const char *complaint)
{
    char name[80];
    size_t count = 0;
    pgc_error err;
    AUTO(buf_auto) buf text;
    buf_init(&text, NULL, HEADERS_SIZE_MAX);
    if (!CHECK_STATUS(file_read(env_default(), AT_FDCWD, path, &text, &err), PGC_OK, &err)) {
        return 0;
    }
    for (slice rest = buf_view(&text); rest.ptr != NULL;) {
        slice line = slice_next(&rest, '\n');
        size_t end = slice_find(line, '(', 0);
        if (!slice_starts(line, SLICE("pgc_status lum_")) || end == SIZE_MAX) {
            continue;
        }
        slice found = slice_sub(line, strlen("pgc_status "), end);
        (void) snprintf(name, sizeof name, "%" SLICE_FMT, SLICE_ARG(found));
        count++;
        if (!CHECK(is_tested(name))) {
            (void) printf("# %s: %s\n", name, complaint);
        }
    }
    return count;
}

/* `folder` is below the root of the tree. */
static inline void headers_check_calls(const char *folder, bool (*is_tested)(const char *name),
                                       const char *complaint)
{
    char path[512];
    size_t count = 0;
    (void) snprintf(path, sizeof path, TEST_SOURCE_ROOT "/%s", folder);
    DIR *dir = opendir(path);
    REQUIRE(CHECK(dir != NULL));
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (slice_ends(pgc_text_from(entry->d_name), SLICE(".h"))) {
            (void) snprintf(path, sizeof path, TEST_SOURCE_ROOT "/%s/%s", folder, entry->d_name);
            count += headers_look_through(path, is_tested, complaint);
        }
    }
    (void) closedir(dir);
    (void) printf("# %zu calls\n", count);
    CHECK(count > 100);
}

#endif
