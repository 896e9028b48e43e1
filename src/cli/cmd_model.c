/* lumilio model list, use, fill, graphs: embedding models and their vectors. */
#include "cli/prelude.h"

#include "cli/action.h"
#include "cli/commands.h"
#include "service/embedding.h"
#include "service/embedding_fill.h"

typedef struct model_call {
    const char *word, *name;
    bool force;
} model_call;

static pgc_status list_run(lum_session *session, pgc_error *err)
{
    repo_list_embedding_models_row_set set = PGC_ZERO;
    TRY(lum_model_list(lum_session_actor(session), &set, err));
    json_t *array = json_array();
    for (size_t i = 0; i < set.count; i++) {
        const repo_list_embedding_models_row *row = &set.rows[i];
        json_t *object = json_object();
        cli_json_text(object, "name", row->name);
        cli_json_bool(object, "is_active", row->is_active);
        cli_json_int(object, "embedding_count", row->embedding_count);
        (void) json_array_append_new(array, object);
        if (!cli_common_options.json) {
            (void) printf("%-8s %8" PRId64 "  ", row->is_active ? "active" : "",
                          row->embedding_count);
            cli_print_safe(stdout, row->name);
            (void) printf("\n");
        }
    }
    if (cli_common_options.json) {
        cli_print_json(array);
    } else {
        json_decref(array);
    }
    repo_list_embedding_models_row_set_free(&set);
    return PGC_OK;
}

static pgc_status use_run(const lum_library *library, const model_call *call, pgc_error *err)
{
    int64_t missing = 0;
    TRY(lum_model_use(library, call->name, call->force, &missing, err));
    if (cli_common_options.json) {
        (void) printf("{\"active\": true, \"missing\": %" PRId64 "}\n", missing);
    } else {
        (void) printf("searches by meaning use %s now (%" PRId64 " assets lack its vector)\n",
                      call->name, missing);
    }
    return PGC_OK;
}

static pgc_status fill_run(lum_library *library, lum_session *session, pgc_error *err)
{
    ml_config config;
    ml_embedder *embedder = NULL;
    const env *e = lum_library_env(library);
    lum_fill_counts counts = { .embedded = 0 };
    TRY(ml_config_read(e, lum_library_home(library), &config, err));
    TRY(ml_open_configured(e, &config, 0, 0, &embedder, err));
    if (embedder == NULL) {
        pgc_status status = pgc_error_set(err, PGC_INVALID, "no embedding server is configured");
        pgc_error_hint(err, "set LUMILIO_ML_URL, or write `url = …` into ml.conf of the library");
        return status;
    }
    pgc_status status = lum_model_add(library, config.model, NULL, err);
    if (status == PGC_OK) {
        status =
            lum_embedding_fill(lum_session_actor(session), e, embedder, config.model, &counts, err);
    }
    ml_close(embedder);
    (void) printf(cli_common_options.json
                      ? "{\"embedded\": %" PRIu64 ", \"without_picture\": %" PRIu64
                        ", \"refused\": %" PRIu64 "}\n"
                      : "embedded %" PRIu64 ", without thumbnail %" PRIu64 ", refused %" PRIu64
                        "\n",
                  counts.embedded, counts.without_picture, counts.refused);
    return status;
}

/* What the worker does once a day. */
static pgc_status graphs_run(const lum_library *library, pgc_error *err)
{
    char name[LUM_GRAPH_NAME_MAX + 1] = "";
    pgc_conn *conn = NULL;
    int count = 0;
    TRY(lum_graph_connect(library, &conn, err));
    pgc_status status = lum_graph_make(pgc_conn_db(conn), 0, name, err);
    while (status == PGC_OK && name[0] != '\0') {
        count++;
        if (!cli_common_options.json) {
            (void) printf("made or dropped %s\n", name);
        }
        status = lum_graph_make(pgc_conn_db(conn), 0, name, err);
    }
    pgc_conn_close(conn);
    if (status == PGC_OK) {
        (void) printf(cli_common_options.json ? "{\"changed\": %d}\n" : "%d graphs changed\n",
                      count);
    }
    return status;
}

static pgc_status model_run(lum_library *library, lum_session *session, void *arg, pgc_error *err)
{
    const model_call *call = arg;
    return strcmp(call->word, "use") == 0      ? use_run(library, call, err)
           : strcmp(call->word, "fill") == 0   ? fill_run(library, session, err)
           : strcmp(call->word, "graphs") == 0 ? graphs_run(library, err)
                                               : list_run(session, err);
}

int cmd_model(int argc, char **argv)
{
    model_call call = { .word = argv[0] };
    char name[24];
    const cli_option options[] = {
        { "force", NULL, "use: switch although assets lack the model's vector", &call.force,
          CLI_FLAG },
    };
    bool done = false;
    bool is_use = strcmp(call.word, "use") == 0;
    (void) snprintf(name, sizeof name, "model %s", call.word);
    int code = cli_parse(name, options, is_use ? 1 : 0, &argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (argc != (is_use ? 1 : 0)) {
        return cli_usage(name, is_use ? "give the name of one model" : "takes no operands");
    }
    call.name = is_use ? argv[0] : NULL;
    return cli_act_with_library(model_run, &call);
}
