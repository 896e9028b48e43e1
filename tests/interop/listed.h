/* Lists of known differences: each entry has a reason, each difference an entry, and an entry that
 * no difference needs any more fails. */
#ifndef TEST_LISTED_H
#define TEST_LISTED_H

#include <fcntl.h>

#include "base/file.h"
#include "sqlc/vec.h"

#include "tap.h"

/* "*" in an entry stands for any text. */
static inline bool listed_fits(const char *entry, const char *line)
{
    const char *star = NULL; /* the last one that was met, and what it took up to now */
    const char *taken = NULL;
    while (*line != '\0') {
        if (*entry == '*') {
            star = entry++;
            taken = line;
        } else if (*entry == *line) {
            entry++;
            line++;
        } else if (star != NULL) {
            entry = star + 1;
            line = ++taken;
        } else {
            return false;
        }
    }
    while (*entry == '*') {
        entry++;
    }
    return *entry == '\0';
}

/* Entries (const char *) of a list that begin with `subject` and a blank; each must stand below a
 * line "# reason" of its paragraph. */
static inline void listed_read(arena *mem, const char *path, const char *subject, vec *entries)
{
    AUTO(buf_auto) buf text;
    buf_init(&text, NULL, (size_t) 1 << 20);
    CHECK_STATUS(file_read(env_default(), AT_FDCWD, path, &text, NULL), PGC_OK, NULL);
    const char *start = arena_printf(mem, "%s ", subject);
    slice rest = buf_view(&text);
    bool reason = false;
    while (rest.len > 0) {
        slice line = slice_next(&rest, '\n');
        bool comment = slice_starts(line, SLICE("#"));
        reason = line.len > 0 && (reason || comment);
        if (line.len > 0 && !comment && !CHECK(reason)) {
            printf("# without reason: %" SLICE_FMT "\n", SLICE_ARG(line));
        }
        if (slice_starts(line, (slice) { start, strlen(start) })) {
            const char **slot = VEC_ADD(mem, entries, const char *);
            REQUIRE(slot != NULL);
            *slot = arena_copy(mem, line);
        }
    }
}

static inline bool listed_has_partner(const char *item, const vec *others, bool item_is_entry)
{
    for (size_t i = 0; i < others->count; i++) {
        const char *other = *VEC_AT(others, const char *, i);
        if (item_is_entry ? listed_fits(item, other) : listed_fits(other, item)) {
            return true;
        }
    }
    return false;
}

static inline size_t listed_lonely(const vec *items, const vec *others, bool items_are_entries,
                                   const char *words)
{
    size_t count = 0;
    for (size_t i = 0; i < items->count; i++) {
        const char *item = *VEC_AT(items, const char *, i);
        if (!listed_has_partner(item, others, items_are_entries)) {
            printf("# %s: %s\n", words, item);
            count++;
        }
    }
    return count;
}

/* Fails, and prints what it is about, unless differences and entries stand for each other. */
static inline void listed_check(const vec *found, const vec *entries)
{
    CHECK_INT(listed_lonely(found, entries, false, "not in the list"), 0);
    CHECK_INT(listed_lonely(entries, found, true, "no longer so"), 0);
}

#endif
