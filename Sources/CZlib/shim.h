// zlib as Swift can call it, for the targets `Transport` (bodies in one piece) and `Platform` (streams, messages of WebSockets).

#ifndef SL_CZLIB_SHIM_H
#define SL_CZLIB_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <zlib.h>

// Provided because deflateInit2 is a macro. `level` as zlib's; the output has a gzip header and trailer.
static inline int sl_zlib_gzip_init(z_stream *_Nonnull stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}

// Provided because these are macros. Raw deflate (RFC 1951) with a window of 2 to the power of `bits`, 9 to 15.
static inline int sl_zlib_raw_deflate_init(z_stream *_Nonnull stream, int level, int bits) {
    return deflateInit2(stream, level, Z_DEFLATED, -bits, 8, Z_DEFAULT_STRATEGY);
}

static inline int sl_zlib_raw_inflate_init(z_stream *_Nonnull stream) { return inflateInit2(stream, -15); }

// ---- Streams in one piece of memory ----
// All that zlib allocates for a stream lies in memory that the caller gives, together with the stream itself: it needs no call to be freed, so that it can be
// an ArrayBuffer that the garbage collector owns. The memory must not move.

typedef struct {
    z_stream stream;
    size_t used, capacity; // bytes, from the start of this
    int inflates;
} sl_zlib_memory;

static const size_t sl_zlib_memory_min = sizeof(sl_zlib_memory);

static inline voidpf sl_zlib_allocate(voidpf opaque, uInt items, uInt size) {
    sl_zlib_memory *memory = (sl_zlib_memory *)opaque;
    const size_t bytes = ((size_t)items * size + 15) & ~(size_t)15;
    if (bytes > memory->capacity - memory->used) return Z_NULL;
    voidpf start = (char *)memory + memory->used;
    memory->used += bytes;
    return start;
}

static inline void sl_zlib_free(voidpf opaque, voidpf address) {
    (void)opaque;
    (void)address;
}

// `start`: aligned to 16. `format`: 0 zlib (RFC 1950), 1 raw deflate (RFC 1951), 2 gzip (RFC 1952). False: the memory is too small.
static inline bool sl_zlib_open(void *_Nonnull start, size_t capacity, int format, bool inflates) {
    if (capacity < sizeof(sl_zlib_memory)) return false;
    sl_zlib_memory *memory = (sl_zlib_memory *)start;
    *memory = (sl_zlib_memory){.used = (sizeof(sl_zlib_memory) + 15) & ~(size_t)15, .capacity = capacity, .inflates = inflates};
    if (memory->used > capacity) return false;
    memory->stream.zalloc = sl_zlib_allocate;
    memory->stream.zfree = sl_zlib_free;
    memory->stream.opaque = memory;
    const int bits = format == 1 ? -15 : format == 2 ? 15 + 16 : 15;
    const int code = inflates ? inflateInit2(&memory->stream, bits)
                              : deflateInit2(&memory->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY);
    return code == Z_OK;
}

// 0: go on, 1: the compressed data is complete, -1: it is not valid, or there is no memory.
static inline int sl_zlib_run(void *_Nonnull start, const void *_Nullable input, size_t input_count, bool finish, void *_Nullable output, size_t output_count,
                              size_t *_Nonnull consumed, size_t *_Nonnull produced) {
    sl_zlib_memory *memory = (sl_zlib_memory *)start;
    z_stream *stream = &memory->stream;
    if (stream->opaque != memory || output_count == 0) return -1;
    unsigned char nothing = 0;
    stream->next_in = input_count > 0 ? (unsigned char *)input : &nothing;
    stream->avail_in = (uInt)input_count;
    stream->next_out = (unsigned char *)output;
    stream->avail_out = (uInt)output_count;
    const int code = memory->inflates ? inflate(stream, Z_NO_FLUSH) : deflate(stream, finish ? Z_FINISH : Z_NO_FLUSH);
    *consumed = input_count - stream->avail_in;
    *produced = output_count - stream->avail_out;
    stream->next_in = Z_NULL;
    stream->next_out = Z_NULL;
    if (code == Z_STREAM_END) return 1;
    return code == Z_OK || code == Z_BUF_ERROR ? 0 : -1; // Z_BUF_ERROR: nothing to do now
}

#endif
