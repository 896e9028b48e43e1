/* What a revision row means, without a database. Pure functions. */
#include "base/prelude.h"

#include "migrate/revision.h"

migrate_revision *migrate_revision_find(migrate_revision *rows, size_t count, const char *version)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].version, version) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

bool migrate_revision_partial(const migrate_revision *row)
{
    /* More than all counts as partial, too: Atlas compares for equality only. */
    return row->applied != row->total;
}

const char *migrate_revision_type_text(const migrate_revision *row, char text[static 32])
{
    /* Words of Atlas' status report; other bits are shown as they are. */
    static const struct {
        int64_t type;
        const char *text;
    } TEXTS[] = {
        { MIGRATE_TYPE_BASELINE, "baseline" },
        { MIGRATE_TYPE_EXECUTED, "applied" },
        { MIGRATE_TYPE_RESOLVED, "manually set" },
        { MIGRATE_TYPE_EXECUTED | MIGRATE_TYPE_RESOLVED, "applied + manually set" },
    };
    for (size_t i = 0; i < ARRAY_LEN(TEXTS); i++) {
        if (TEXTS[i].type == row->type) {
            return TEXTS[i].text;
        }
    }
    (void) snprintf(text, 32, "unknown (%c%c%c%c)", row->type & 8 ? '1' : '0',
                    row->type & 4 ? '1' : '0', row->type & 2 ? '1' : '0',
                    row->type & 1 ? '1' : '0');
    return text;
}
