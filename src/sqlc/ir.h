/* The intermediate representation: what the generated code says, free of SQL analysis and of C
 * text. Built by the analysis, read by the emitter, the manifest and --json. Plain data in one
 * arena; nothing here is changed once it is built. */
#ifndef SQLC_IR_H
#define SQLC_IR_H

#include "sqlc/c_type.h"
#include "sqlc/config.h"
#include "sqlc/source.h"

typedef struct ir_enum {
    const char *name;              /* C type, e.g. "repo_state" */
    const char *schema, *sql_name; /* for comments and messages */
    const char *comment;           /* NULL: none */
    const char *const *labels;     /* as the server writes them */
    const char *const *constants;  /* C names, e.g. "REPO_STATE_DONE" */
    const char *unknown;           /* C name of the zero value */
    size_t label_count;            /* without the unknown one */
    uint32_t type_oid;             /* only while analysing */
    bool used, used_optional;      /* by some query; in nullable form */
} ir_enum;

typedef struct ir_shape ir_shape;

typedef struct ir_type {
    const char *sql;  /* format_type() without modifier */
    uint32_t oid;     /* built-in OID, 0 for extension and user types */
    const c_type *c;  /* of enums: text */
    ir_enum *labels;  /* NULL: no enum */
    ir_shape *shape;  /* NULL: enum, or a type of the runtime */
    uint32_t element; /* arrays as parameters: c_type_element() */
} ir_type;

typedef struct ir_field ir_field;

typedef enum ir_shape_kind {
    IR_SHAPE_RECORD,
    IR_SHAPE_ARRAY,
    IR_SHAPE_RANGE,
    IR_SHAPE_MULTIRANGE,
    IR_SHAPE_CUSTOM /* a C type of the user's */
} ir_shape_kind;

/* A type made of other types that the runtime has no name for: its struct and functions are
 * generated. */
struct ir_shape {
    ir_shape_kind kind;
    const char *name;     /* C type, e.g. "repo_address", "repo_arr_state" */
    const char *opt_name; /* nullable form of a record; stem of functions for the others */
    const char *sql;      /* as the server spells it */
    const char *comment;  /* NULL: none */
    uint32_t type_oid;    /* of arrays: of the elements; only while analysing */
    uint32_t element;     /* arrays: OID to send, or C_TYPE_UNCHECKED */
    ir_field *fields;     /* of records; others have one: element, bound or range */
    size_t field_count;
    unsigned depth;         /* 1: made of plain types; members are declared before it */
    bool building;          /* a type inside itself has none */
    bool used;              /* by some query */
    bool no_nulls;          /* arrays: no element is NULL, by @nonnull_elems */
    c_type c;               /* how it looks to the rest of the emitter */
    config_override custom; /* CUSTOM: its C type and functions */
};

/* Its nullable form has a flag beside the value. */
static inline bool ir_shape_flagged(const ir_shape *shape)
{
    return shape->kind == IR_SHAPE_RECORD || shape->kind == IR_SHAPE_CUSTOM;
}

typedef enum ir_row_kind {
    IR_ROW_MODEL,  /* a table or view */
    IR_ROW_SHARED, /* of several queries: named by @row, or share_rows */
    IR_ROW_QUERY,  /* of one query */
    IR_ROW_SCALAR  /* one bare value */
} ir_row_kind;

/* A row type. */
typedef struct ir_row {
    ir_row_kind kind;           /* decides where it is declared */
    const char *name;           /* C type of a row: "repo_asset", or "int64_t" for scalars */
    const char *base;           /* stem of set, read and clone functions */
    const char *schema, *table; /* models */
    const char *comment;        /* NULL: none */
    uint32_t relation_oid;      /* models; only while analysing */
    ir_field *fields;           /* in the order of the columns */
    size_t field_count;
    size_t column_count;      /* result columns that one row takes */
    const char *left_out;     /* models: columns without C type, as text; NULL: none */
    bool used, used_optional; /* by some query; as nullable embed */
} ir_row;

struct ir_field {
    const char *name;     /* C */
    const char *sql_name; /* column or alias */
    ir_type type;         /* unless embed */
    bool nullable;        /* of an embed: the row may be absent */
    const char *reason;   /* why it is or is not nullable */
    const char *source;   /* "assets.title", NULL for expressions */
    const char *comment;  /* of the catalog; NULL: none */
    int16_t attnum;       /* models; only while analysing */
    const ir_row *embed;  /* a nested model; NULL: a value */
    size_t column;        /* first result column within the row */
};

typedef struct ir_param {
    const char *name;     /* C */
    const char *sql_name; /* as the user wrote it, or proposed */
    uint32_t number;      /* of $n, from 1 */
    ir_type type;         /* the one that is declared to the server */
    bool nullable;
    bool elems_not_null;   /* as of columns */
    const char *reason;    /* why it may be NULL, or how to allow it */
    const char *source;    /* "users.id": stored in or compared with */
    const char *array_sql; /* in bulk: the type of the array, "bigint[]" */
    uint32_t array_oid;    /* … its built-in OID or 0 */
    uint32_t element_oid;  /* … as c_type_element() */
} ir_param;

/* A column that COPY fills. */
typedef struct ir_copy_column {
    const char *name; /* SQL */
    ir_type type;     /* below a domain */
    size_t param;     /* index in params */
} ir_copy_column;

typedef struct ir_copy {
    const char *schema, *table;
    const ir_copy_column *columns; /* in the order of the INSERT */
    size_t column_count;
    bool has_policies; /* roles may be under row-level security */
} ir_copy;

/* A result column as the server sends it. */
typedef struct ir_column {
    const char *sql_name; /* label of the result */
    ir_type type;
    const char *source;  /* "users.id"; NULL for expressions */
    bool nullable;       /* after the user's @nonnull and @nullable */
    bool elems_not_null; /* the user's @nonnull_elems; its type says so, too */
    const char *reason;  /* of the claim; never NULL */
} ir_column;

typedef enum ir_choice_kind {
    IR_CHOICE_PARAM, /* a block that is left out when a parameter is NULL */
    IR_CHOICE_FLAG,  /* a block that is there when a flag is set */
    IR_CHOICE_SWITCH /* one of several texts */
} ir_choice_kind;

/* A part of a query that its caller decides about. */
typedef struct ir_choice {
    ir_choice_kind kind;
    const char *name;             /* C name of the field */
    const char *type;             /* SWITCH: C enum, e.g. "repo_list_assets_sort" */
    size_t param;                 /* PARAM: index in params */
    const char *const *constants; /* SWITCH: C names, the default first */
    size_t option_count;          /* texts; 2 for blocks: there, left out */
    size_t stride;                /* variant = sum of option * stride */
} ir_choice;

/* One text of a query with choices. */
typedef struct ir_variant {
    slice sql;            /* NUL-terminated */
    uint64_t hash;        /* of sql and its parameters */
    const size_t *params; /* $1, $2, … as indexes of ir_query.params, ascending */
    size_t param_count;
    const struct ast *tree; /* as that of the query */
} ir_variant;

/* More texts than this are a mistake: each one is prepared on its own. */
#define IR_VARIANTS_MAX 64u

typedef struct ir_query {
    const char *name;                 /* "GetAsset" */
    const char *c_name;               /* "get_asset" */
    query_cmd cmd;                    /* decides the form of the function */
    const char *file;                 /* path as in messages */
    uint32_t line;                    /* of the annotation, from 1 */
    size_t file_index;                /* in ir_set.files */
    slice sql;                        /* final text, NUL-terminated */
    slice written;                    /* as the user wrote it, for people to read */
    uint64_t hash;                    /* ir_query_hash() of sql */
    bool unnamed, generic, read_only; /* flags for the runtime */
    const char *const *comments;      /* documentation lines */
    size_t comment_count;
    ir_param *params; /* by number, without gaps */
    size_t param_count;
    ir_column *columns; /* as described; embeds are spelled out */
    size_t column_count;
    const ir_row *row;      /* NULL for commands without rows */
    ir_choice *choices;     /* dynamic parts; sql is variant 0 then */
    size_t choice_count;    /* 0: the text is always the same */
    ir_variant *variants;   /* all of them, by number */
    size_t variant_count;   /* 0 without choices */
    bool bulk;              /* takes an array of parameters: @bulk */
    const char *bulk_sql;   /* text with arrays, of @bulk and where COPY may be forbidden */
    const ir_copy *copy;    /* :copyfrom */
    const struct ast *tree; /* of the user's text, while it is analysed; NULL: not at hand */
} ir_query;

/* A column that some query names. */
typedef struct ir_need {
    const char *schema, *table, *column;
    const char *type; /* format_type() without modifier */
    bool not_null;    /* a claim of some query counts on it */
} ir_need;

/* One query file and what is generated from it. */
typedef struct ir_file {
    const char *path; /* "db/queries/assets.sql" */
    const char *base; /* "assets" */
} ir_file;

/* All of one generator entry of the config. */
typedef struct ir_set {
    const char *prefix;      /* of every global name */
    const char *schema_hash; /* hexadecimal */
    int32_t server_version;  /* as libpq counts: 150004 */
    ir_file *files;          /* in the order of the config */
    size_t file_count;
    ir_enum *enums; /* by name */
    size_t enum_count;
    ir_row *models; /* by name */
    size_t model_count;
    vec shapes;        /* of ir_shape *; by depth and name when complete */
    vec shared;        /* of ir_row *, in order of appearance */
    vec own_rows;      /* of ir_row *: where share_rows looks for an equal one */
    ir_query *queries; /* in source order */
    size_t query_count;
    ir_need *needs; /* by schema, table and column */
    size_t need_count;
    bool nomem; /* memory ran out while a type was resolved */
} ir_set;

/* FNV-1a of the text and the parameter types: names the prepared statement. */
uint64_t ir_query_hash(slice sql, const ir_param *params, size_t param_count);
/* Variants that send a parameter: bit n for variant n. */
uint64_t query_variants_with(const ir_query *query, size_t param);
/* A bit for each variant. */
uint64_t query_all_variants(const ir_query *query);

#endif
