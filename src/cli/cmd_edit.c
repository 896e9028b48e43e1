/* lumilio edit: what a person says of an asset, as words or as a JSON document. */
#include "cli/prelude.h"

#include <fcntl.h>

#include "base/file.h"
#include "cli/action.h"
#include "cli/asset_view.h"
#include "cli/commands.h"
#include "service/asset.h"

#define DOCUMENT_MAX ((size_t) 2 << 20) /* bytes; the service allows less and says so */

typedef struct edit_call {
    pgc_uuid asset_id;
    const char *file; /* NULL: words */
    char **words;
    int word_count;
} edit_call;

/* "rating=4": texts as they stand, all else as JSON reads it; nothing behind '=' clears. */
static pgc_status word_take(json_t *document, const char *word, pgc_error *err)
{
    const char *equals = strchr(word, '=');
    char name[64];
    if (equals == NULL || equals == word || (size_t) (equals - word) >= sizeof name) {
        return pgc_error_set(err, PGC_INVALID, "\"%.60s\": write NAME=VALUE, NAME= clears", word);
    }
    (void) snprintf(name, sizeof name, "%.*s", (int) (equals - word), word);
    const char *text = equals + 1;
    json_t *value = NULL;
    if (text[0] == '\0') {
        value = json_null();
    } else if (!lum_asset_metadata_is_text(name)) {
        value = json_loads(text, JSON_DECODE_ANY, NULL);
    }
    if (value == NULL) {
        value = json_string(text);
    }
    if (value == NULL) {
        return pgc_error_set(err, PGC_INVALID, "%s: the value is not valid UTF-8", name);
    }
    return json_object_set_new(document, name, value) == 0
               ? PGC_OK
               : pgc_error_set(err, PGC_INVALID, "\"%s\" is no name", name);
}

/* The words as a document. */
static pgc_status words_read(const edit_call *call, buf *out, pgc_error *err)
{
    json_t *document = json_object();
    pgc_status status = document == NULL ? pgc_error_set(err, PGC_NOMEM, "edit") : PGC_OK;
    for (int i = 0; status == PGC_OK && i < call->word_count; i++) {
        status = word_take(document, call->words[i], err);
    }
    size_t size = status == PGC_OK ? json_dumpb(document, NULL, 0, JSON_COMPACT) : 0;
    if (size > 0) {
        char *room = buf_extend(out, size);
        status = buf_finish(out, err);
        if (status == PGC_OK) {
            (void) json_dumpb(document, room, size, JSON_COMPACT);
        }
    }
    json_decref(document);
    return status;
}

static pgc_status edit_action(lum_actor actor, void *arg, pgc_error *err)
{
    const edit_call *call = arg;
    AUTO(buf_auto) buf text;
    buf_init(&text, NULL, DOCUMENT_MAX);
    repo_asset_set set = PGC_ZERO;
    if (call->file != NULL) {
        const char *path = strcmp(call->file, "-") == 0 ? "/dev/stdin" : call->file;
        TRY(file_read(env_default(), AT_FDCWD, path, &text, err));
    } else {
        TRY(words_read(call, &text, err));
    }
    TRY(lum_asset_update_metadata(actor, call->asset_id, buf_view(&text), &set, err));
    if (cli_common_options.json) {
        cli_print_json(asset_json(&set.rows[0]));
    } else {
        asset_print(stdout, &set.rows[0]);
    }
    repo_asset_set_free(&set);
    return PGC_OK;
}

int cmd_edit(int argc, char **argv)
{
    edit_call call = { 0 };
    const cli_option options[] = {
        { "from", "FILE", "a JSON document with the changes; - is standard input", &call.file,
          CLI_TEXT },
    };
    bool done = false;
    int code = cli_parse("edit", options, ARRAY_LEN(options), &argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (argc < 1 || !cli_take_id(argv[0], &call.asset_id) || (argc == 1) != (call.file != NULL)) {
        return cli_usage("edit", "give the id of one asset and NAME=VALUE..., or --from FILE");
    }
    call.words = argv + 1;
    call.word_count = argc - 1;
    return cli_act(edit_action, &call);
}
