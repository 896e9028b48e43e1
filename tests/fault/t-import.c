#include "base/prelude.h"
#include "tap.h"
static void nothing(void)
{
}
TAP_MAIN(TAP("x", nothing))
