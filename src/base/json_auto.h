/* jansson's values as locals that go away by themselves. Only the type is needed from jansson: base
 * does not link it. */
#ifndef BASE_JSON_AUTO_H
#define BASE_JSON_AUTO_H

#include <jansson.h>

/* For AUTO(). */
static inline void json_auto(json_t **local)
{
    json_decref(*local);
}

#endif
