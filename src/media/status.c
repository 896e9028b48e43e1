/* Texts of the domain's statuses; the numbers below 1000 are pgc's. No state. */
#include "base/prelude.h"

#include <lumilio/status.h>

const char *lum_status_text(pgc_status status)
{
    static const struct {
        pgc_status number;
        const char *text;
    } TEXTS[] = {
#define X(code, words) { code, words },
        LUM_STATUS_MAP(X)
#undef X
    };
    for (size_t i = 0; i < ARRAY_LEN(TEXTS); i++) {
        if (TEXTS[i].number == status) {
            return TEXTS[i].text;
        }
    }
    return pgc_status_text(status);
}
