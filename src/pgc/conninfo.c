/* Connection strings taken apart. No state; the parser's message is never passed on, because it may
 * quote a part of the string that is a password. */
#include "base/prelude.h"

#include "pgc/conninfo.h"

#include "pgc/pq.h"

pgc_status conninfo_each_env(const char *conninfo,
                             void (*set)(void *arg, const char *name, const char *value), void *arg,
                             pgc_error *err)
{
    const pq_ops *pq = pq_libpq();
    char *message = NULL;
    PQconninfoOption *options = pq->conninfoParse(conninfo, &message);
    if (options == NULL) {
        bool parsed = message != NULL;
        pq->freemem(message);
        return parsed ? pgc_error_set(err, PGC_INVALID, "malformed connection string")
                      : pgc_error_set(err, PGC_NOMEM, "parse connection string");
    }
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++) {
        if (option->val != NULL && option->envvar != NULL) {
            set(arg, option->envvar, option->val);
        }
    }
    pq->conninfoFree(options);
    return PGC_OK;
}
