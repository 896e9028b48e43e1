/* Standard base64 with padding. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"

/* Append the text of bytes of any length. */
void base64_add(buf *out, slice bytes);
/* Append what the text stands for. False: it is no base64; out may hold a part then. */
bool base64_read(buf *out, slice text);

#endif
