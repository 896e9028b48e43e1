/* First include of every .c file in src/cli: like base/prelude.h, but programs may exit. */
#ifndef CLI_PRELUDE_H
#define CLI_PRELUDE_H

#define PRELUDE_ALLOW_EXIT 1
#include "base/prelude.h"

#endif
