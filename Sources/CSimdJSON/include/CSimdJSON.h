// simdjson behind a plain C header, for the target `Wire`: the only place that sees simdjson.h.

#ifndef SL_CSIMDJSON_H
#define SL_CSIMDJSON_H

#endif
