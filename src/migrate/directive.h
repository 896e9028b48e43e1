/* Directives of the Atlas format: comment lines such as "-- atlas:txmode none". */
#ifndef MIGRATE_DIRECTIVE_H
#define MIGRATE_DIRECTIVE_H

#include "base/slice.h"

/* One parsed line. All parts point into the line. */
typedef struct migrate_directive {
    slice prefix; /* what stands before "atlas:" */
    slice name;
    slice argument; /* "" when there is none */
} migrate_directive;

/* Parse the line that begins at text (only its first line is looked at). False when it is no
 * directive. */
bool migrate_directive_parse(slice text, migrate_directive *out);

/* Walks the file directives: those of the header, if the header is set apart from the statements.
 */
typedef struct migrate_header {
    slice rest; /* header lines not looked at yet */
} migrate_header;
void migrate_header_init(migrate_header *header, slice content);
bool migrate_header_next(migrate_header *header, migrate_directive *out);

/* Number of file directives of that name; *first is the first one's argument, if any. */
size_t migrate_header_find(slice content, slice name, slice *first);

/* Argument of the "sum ignore" marker: such files have no line in atlas.sum. */
bool migrate_directive_sum_ignored(slice content);

/* A line that looks like a file directive of this name but stands where it has no effect: 1-based
 * line number, or 0 when there is none. */
size_t migrate_directive_lost(slice content, slice name);

#endif
