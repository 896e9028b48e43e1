/* A small project of the query compiler in a folder of its own, and runs of commands in it. */
#ifndef TEST_SQLC_PROJECT_H
#define TEST_SQLC_PROJECT_H

#include "base/file.h"
#include "sqlc/command.h"

#include "pg.h"
#include "sqlc.h"
#include "tap.h"
#include "tmpdir.h"

typedef pgc_status (*project_command)(const env *env, arena *arena, const command_options *options,
                                      command_result *result, pgc_error *err);

typedef struct sqlc_project {
    tmpdir dir;
    sqlc_bench bench;
} sqlc_project;

/* What a command said; text lives in the bench's arena. */
typedef struct project_run {
    pgc_status status;
    bool different;
    const char *text;  /* for stdout */
    const char *diags; /* for stderr, sorted; the error's message when there are none */
} project_run;

static inline void project_write(const sqlc_project *p, const char *name, const char *text)
{
    pgc_error err = PGC_ZERO;
    CHECK_STATUS(file_write_atomic(env_default(), p->dir.fd, name, sqlc_text(text), 0644, &err),
                 PGC_OK, &err);
}

/* Writes sqlc.yaml, s.sql and q/a.sql. */
static inline sqlc_project project_make(const char *cfg, const char *schema, const char *queries)
{
    sqlc_project p = { .dir = tmpdir_make(), .bench = sqlc_bench_make(NULL) };
    pgc_error err = PGC_ZERO;
    CHECK_STATUS(file_mkdirs(env_default(), p.dir.fd, "q", 0755, false, &err), PGC_OK, &err);
    project_write(&p, "sqlc.yaml", cfg);
    project_write(&p, "s.sql", schema);
    project_write(&p, "q/a.sql", queries);
    return p;
}

static inline void project_done(sqlc_project *p)
{
    sqlc_bench_done(&p->bench);
    tmpdir_remove(&p->dir);
}

/* The text without the folder of the project in front of paths. */
static inline const char *project_relative(const sqlc_project *p, const char *text)
{
    size_t len = strlen(p->dir.path);
    char *copy = arena_strdup(p->bench.arena, text);
    size_t at = 0;
    for (const char *from = text; copy != NULL && *from != '\0';) {
        bool folder = strncmp(from, p->dir.path, len) == 0 && from[len] == '/';
        from += folder ? len + 1 : 0;
        copy[at++] = *from++;
    }
    if (copy != NULL) {
        copy[at] = '\0';
    }
    return copy;
}

/* On the test server unless the options name one. */
static inline project_run project_command_run(sqlc_project *p, project_command command,
                                              command_options options)
{
    pgc_error err = PGC_ZERO;
    command_result result;
    project_run run = { .status = PGC_OK };
    options.config = arena_printf(p->bench.arena, "%s/sqlc.yaml", p->dir.path);
    options.database = options.database == NULL ? test_server() : options.database;
    command_result_init(&result, p->bench.arena);
    run.status = command(env_default(), p->bench.arena, &options, &result, &err);
    diag_sort(&result.diags);
    p->bench.diags = result.diags;
    run.different = result.different;
    run.text = arena_copy(p->bench.arena, buf_view(&result.out));
    run.diags = result.diags.items.count > 0 ? sqlc_diags(&p->bench)
                : run.status != PGC_OK       ? arena_strdup(p->bench.arena, err.message)
                                             : "";
    run.diags = project_relative(p, run.diags);
    command_result_done(&result);
    return run;
}

/* Text of a file of the project; "" when it is not there. */
static inline const char *project_read(sqlc_project *p, const char *name)
{
    AUTO(buf_auto) buf text;
    buf_init(&text, NULL, (size_t) 16 << 20);
    if (file_read(env_default(), p->dir.fd, name, &text, NULL) != PGC_OK) {
        return "";
    }
    return arena_copy(p->bench.arena, buf_view(&text));
}

#endif
