/* Checks of numeric values shared by the argument encoder and the reader. */
#ifndef PGC_NUMERIC_H
#define PGC_NUMERIC_H

#include <pgc/types.h>

/* Sign, dscale and digits are such as the server accepts; special values have no digits. */
bool numeric_is_valid(const pgc_numeric *value);
/* dscale shows every digit; the server cuts off what it does not show. The value is valid. */
bool numeric_is_covered(const pgc_numeric *value);

/* Four decimal digits of one base-10000 digit, no NUL. */
static inline void numeric_group(uint16_t digit, char text[4])
{
    text[0] = (char) ('0' + digit / 1000 % 10);
    text[1] = (char) ('0' + digit / 100 % 10);
    text[2] = (char) ('0' + digit / 10 % 10);
    text[3] = (char) ('0' + digit % 10);
}

#endif
