// nghttp2 as Swift can call it, for the target `Server`: HTTP/2 (RFC 9113) on bytes, without sockets.

#ifndef SL_CHTTP2_SHIM_H
#define SL_CHTTP2_SHIM_H

#include <nghttp2/nghttp2.h>

#endif
