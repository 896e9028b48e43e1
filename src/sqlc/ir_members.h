/* Which members of the representation are written to JSON, under which keys: one table per struct
 * serves both directions, so what is written can be read. */
#ifndef SQLC_IR_MEMBERS_H
#define SQLC_IR_MEMBERS_H

#include <jansson.h>

#include "sqlc/ir.h"

typedef enum member_kind {
    MEMBER_TEXT,  /* const char *; absent: NULL */
    MEMBER_SLICE, /* slice, NUL-terminated */
    MEMBER_TEXTS, /* const char *const *, counted by the size_t at `extra` */
    MEMBER_SIZES, /* const size_t *, counted likewise */
    MEMBER_BOOL,  /* absent: false */
    MEMBER_U32,   /* absent: 0 */
    MEMBER_SIZE,  /* absent: 0 */
    MEMBER_HASH,  /* uint64_t in hexadecimal */
    MEMBER_WORD,  /* int-sized enum, by the words at `words` */
    MEMBER_TYPE   /* ir_type, spread over several keys */
} member_kind;

typedef struct member {
    const char *key;
    member_kind kind;
    bool required; /* texts: reading fails without it */
    size_t offset, extra;
    const char *const *words; /* NULL ends them */
} member;

extern const member IR_ENUM_MEMBERS[], IR_SHAPE_MEMBERS[], IR_FIELD_MEMBERS[], IR_ROW_MEMBERS[],
    IR_PARAM_MEMBERS[], IR_COLUMN_MEMBERS[], IR_COPY_MEMBERS[], IR_COPY_COLUMN_MEMBERS[],
    IR_CHOICE_MEMBERS[], IR_VARIANT_MEMBERS[], IR_FILE_MEMBERS[], IR_QUERY_MEMBERS[],
    IR_NEED_MEMBERS[], IR_SET_MEMBERS[];

#endif
