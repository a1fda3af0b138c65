// zlib as Swift can call it. The only Swift owner is the target `Transport`.

#ifndef SL_CZLIB_SHIM_H
#define SL_CZLIB_SHIM_H

#include <zlib.h>

// Provided because deflateInit2 is a macro. `level` as zlib's; the output has a gzip header and trailer.
static inline int sl_zlib_gzip_init(z_stream *_Nonnull stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}

#endif
