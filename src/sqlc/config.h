/* sqlc.yaml, versions 1 and 2. Read strictly: an unknown key is an error with its line and column,
 * except where sqlc itself keeps a block opaque. */
#ifndef SQLC_CONFIG_H
#define SQLC_CONFIG_H

#include "base/env.h"
#include "sqlc/diag.h"

typedef struct config_rename {
    const char *from, *to; /* SQL name, C name */
} config_rename;

/* What the user knows better about columns or a type. */
typedef struct config_override {
    const char *column;  /* pattern of "[schema.]table.column"; NULL: db_type */
    const char *db_type; /* any spelling of a type */
    const char *c_type;  /* the user's C type, or a representation of the runtime; NULL: as usual */
    const char *header;  /* included by models.h; NULL: none */
    const char *decode;  /* reader of c_type, as pgc_read_i64(); NULL: c_type is the runtime's */
    const char *encode;  /* as pgc_add_i64() */
    const char *clone;   /* as pgc_clone_text(); NULL: it points nowhere */
    bool has_nullable, nullable;
    uint32_t line, at; /* of the entry, for messages */
} config_override;

/* Options of the C generator (codegen[].options or gen.c). */
typedef struct config_c {
    const char *prefix;                 /* of every identifier; required */
    const char *out;                    /* folder, relative to the config file; required */
    const char *manifest;               /* file name in out; default "sqlc-manifest.json" */
    int64_t query_parameter_limit;      /* up to this many by value; default 1 */
    bool emit_exact_table_names;        /* no singular for models */
    bool emit_sql_as_comment;           /* default true */
    bool omit_unused_structs;           /* only models and enums that a query uses */
    bool omit_sqlc_version;             /* no generator version in the files */
    bool strict_params;                 /* param_nullability: strict */
    bool emit_interface;                /* interface.h: a table of all functions */
    bool share_rows;                    /* queries with equal result columns have one struct */
    vec inflection_exclude_table_names; /* of const char * */
    vec renames;                        /* of config_rename */
    vec overrides;                      /* of config_override */
} config_c;

/* A rule for `vet`: a CEL expression that is true of faulty queries. */
typedef struct config_rule {
    const char *name, *message; /* message: NULL: none */
    const char *text;           /* the expression; parsed by vet only */
    uint32_t line, column;      /* of its first character, when `exact` */
    uint32_t indent;            /* of the lines behind the first one, in columns */
    bool exact;                 /* characters of text and file correspond */
} config_rule;

/* A rule that a set names. */
typedef struct config_rule_use {
    const char *name;
    uint32_t line, column;
} config_rule_use;

/* One sql entry with one C generator. */
typedef struct config_set {
    const char *name;         /* may be "" */
    vec schema, queries;      /* of const char *: paths as written */
    vec rules;                /* of config_rule_use; see has_rules */
    bool has_rules;           /* the key is there, though its list may be empty */
    const char *database_uri; /* variables replaced; NULL: none */
    uint32_t uri_line, uri_column;
    uint32_t line, column; /* of the entry */
    config_c c;            /* its generator */
} config_set;

typedef struct config {
    const char *path; /* as in messages */
    const char *dir;  /* folder that relative paths start from */
    vec sets;         /* of config_set; entries without C generator are left out */
    vec rules;        /* of config_rule */
} config;

/* Place in the config of a byte of a rule's text. */
void config_rule_position(const config_rule *rule, size_t at, uint32_t *line, uint32_t *column);

/* Read a config. path NULL: sqlc.yaml, sqlc.yml or sqlc.json of the working directory. env_vars:
 * looks up ${NAME}; NULL results are empty. Mistakes go to diags; PGC_OK, PGC_INVALID (see diags),
 * PGC_NOMEM. */
pgc_status config_load(const env *env, arena *arena, const char *path, diag_list *diags,
                       config *out, pgc_error *err) PGC_MUST_CHECK;
/* The same from text; for tests and fuzzing. */
pgc_status config_parse(arena *arena, const char *path, slice text, diag_list *diags, config *out,
                        pgc_error *err) PGC_MUST_CHECK;

/* The options of one C generator alone, from JSON or YAML; "" stands for none. PGC_OK; PGC_INVALID
 * (see diags); PGC_NOMEM. */
pgc_status config_parse_options(arena *arena, const char *path, slice text, diag_list *diags,
                                config_c *out, pgc_error *err) PGC_MUST_CHECK;

#endif
