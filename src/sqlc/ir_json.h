/* The intermediate representation as JSON, both ways: what `generate --json` prints, and what the
 * manifest keeps so that the C files can be written again without a server. */
#ifndef SQLC_IR_JSON_H
#define SQLC_IR_JSON_H

#include <jansson.h>

#include "sqlc/ir.h"

/* Add all members of the set to an object. lines: those of the queries too, which change with every
 * edit above them. False: no memory. */
bool ir_to_json(const ir_set *set, bool lines, json_t *root);
/* The set in an object, complete but for what only the analysis needs. path: for messages. PGC_OK;
 * PGC_INVALID (something is missing or does not fit); PGC_NOMEM. */
pgc_status ir_from_json(arena *arena, const char *path, json_t *root, ir_set *out, pgc_error *err)
    PGC_MUST_CHECK;

#endif
