/* Options of filters come from the table of their members: a new member is an option of every
 * command that filters. No state; one thread. */
#include "cli/prelude.h"

#include "cli/filter_options.h"

size_t cli_filter_options(cli_filter *filter, cli_option *options, size_t count)
{
    assert(LUM_FILTER_FIELD_COUNT <= CLI_FILTERS_MAX);
    for (size_t i = 0; i < LUM_FILTER_FIELD_COUNT; i++) {
        const lum_filter_field *field = &LUM_FILTER_FIELDS[i];
        char *name = filter->names[i];
        (void) snprintf(name, sizeof filter->names[i], "%s", field->name);
        for (char *at = name; *at != '\0'; at++) {
            *at = *at == '_' ? '-' : *at;
        }
        options[count + i] =
            (cli_option) { name, field->value, field->help, &filter->texts[i], CLI_TEXT };
    }
    return count + LUM_FILTER_FIELD_COUNT;
}

pgc_status cli_filter_read(const cli_filter *filter, lum_filter_doc **out, pgc_error *err)
{
    AUTO(lum_filter_doc_auto) lum_filter_doc *doc = NULL;
    TRY(lum_filter_doc_new(&doc, err));
    for (size_t i = 0; i < LUM_FILTER_FIELD_COUNT; i++) {
        if (filter->texts[i] != NULL) {
            TRY(lum_filter_doc_set(doc, LUM_FILTER_FIELDS[i].name, pgc_text_from(filter->texts[i]),
                                   err));
        }
    }
    *out = TAKE(doc);
    return PGC_OK;
}

bool cli_filter_is_given(const cli_filter *filter)
{
    bool given = false;
    for (size_t i = 0; i < LUM_FILTER_FIELD_COUNT && !given; i++) {
        given = filter->texts[i] != NULL;
    }
    return given;
}
