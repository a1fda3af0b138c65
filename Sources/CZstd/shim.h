// zstd (RFC 8878) as Swift can call it, for the target `Server`.

#ifndef SL_CZSTD_SHIM_H
#define SL_CZSTD_SHIM_H

#include <zstd.h>

#endif
