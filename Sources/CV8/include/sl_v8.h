// The V8 host behind a plain C surface: the only door between Swift and V8. No V8 type appears here.
//
// Rules
// - Everything that takes an isolate, realm, module or value is called on the isolate's own thread (the one that made it), except
//   the functions marked ANY THREAD.
// - What a function returns as `sl_v8_value *` or `sl_v8_module *` is owned by the caller and given back with `_release`.
//   Arguments are borrowed.
// - Strings go in as UTF-8 pointer and length (any bytes; invalid UTF-8 becomes U+FFFD) and come out as `sl_v8_string`, freed with sl_v8_string_free.
// - A JavaScript exception is never a C++ exception: a function that can throw takes `sl_v8_exception **error`; when it returns
//   null/false with *error set, the caller frees it with sl_v8_exception_free. When it returns null with *error null, execution was
//   terminated (sl_v8_isolate_terminate, a heap limit): see sl_v8_isolate_end_reason.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

typedef struct sl_v8_isolate sl_v8_isolate;
typedef struct sl_v8_realm sl_v8_realm;    // a V8 context with its modules
typedef struct sl_v8_module sl_v8_module;  // an ES module of one realm
typedef struct sl_v8_value sl_v8_value;    // a strong handle to a JS value of one isolate
typedef struct sl_v8_exception sl_v8_exception;
typedef struct sl_v8_args sl_v8_args;      // arguments and result of a call from JS; lives as long as the call

typedef struct { char *_Nullable bytes; size_t length; } sl_v8_string;
void sl_v8_string_free(sl_v8_string string);

// ---- Platform (ANY THREAD, once a process) ----
// worker_threads: 0 lets V8 choose. flags: a V8 flag string or null. Call before any isolate is made; later calls do nothing.
void sl_v8_platform_start(int worker_threads, const char *_Nullable flags);
const char *sl_v8_version(void);
// Called when V8 ends the process for good (fatal error, out of memory outside of a recoverable place), just before abort.
// May run on any thread; must be async-signal-safe in spirit: no allocation, no JS. A failed check within V8, which ends in SIGTRAP, calls it
// too (setting a callback installs a handler for that signal).
typedef void (*sl_v8_fatal_callback)(const char *location, const char *message, bool out_of_memory);
void sl_v8_set_fatal_callback(sl_v8_fatal_callback callback);

// ---- Isolate ----
typedef struct {
    size_t heap_bytes_max;            // old-generation limit; 0: V8's default. While an isolate that met it unwinds, up to three times as much (at least 64 MiB more)
    size_t young_bytes_max;           // 0: V8's default
    size_t young_bytes_initial;       // what the young generation begins with; 0: V8's default. Three times one of its two halves
    size_t stack_bytes_max;           // 0: V8's default (984 KiB)
    size_t array_buffer_bytes_max;    // sum of live ArrayBuffer backing stores; 0: no limit. Over it `new ArrayBuffer` throws RangeError. WebAssembly memories are outside of it
    size_t promises_max;              // promises made and not resolved; 0: no limit, and nothing is counted. Over it execution ends
    size_t clone_bytes_max;           // of one message; 0: no limit. Over it a DataCloneError
    const uint8_t *_Nullable snapshot; size_t snapshot_length; // from sl_v8_snapshot_create; the bytes must outlive the isolate
    bool snapshot_is_known;           // an isolate of this process was made from these very bytes: they are not checked again
} sl_v8_isolate_options;
// Null: the snapshot does not fit this V8 (version, flags): try again without.
sl_v8_isolate *_Nullable sl_v8_isolate_create(const sl_v8_isolate_options *options);
// All values, modules and realms of it must have been released or disposed before.
void sl_v8_isolate_dispose(sl_v8_isolate *isolate);

// Keeps the isolate entered on its thread for good: each call then finds it so, which costs a few instructions instead of some hundred. For a
// thread that has one isolate and ends with it; before the isolate is disposed of it must have left.
void sl_v8_isolate_stay_entered(sl_v8_isolate *isolate);
void sl_v8_isolate_leave(sl_v8_isolate *isolate);

typedef enum { SL_V8_END_NONE = 0, SL_V8_END_TERMINATED = 1, SL_V8_END_HEAP_LIMIT = 2, SL_V8_END_PROMISE_LIMIT = 3 } sl_v8_end_reason;
// ANY THREAD, while the isolate lives. JS on the isolate's thread stops with an uncatchable exception at the next check.
void sl_v8_isolate_terminate(sl_v8_isolate *isolate);
// After a terminated execution has unwound: makes the isolate usable again, resets the reason, restores the heap limit.
void sl_v8_isolate_cancel_terminate(sl_v8_isolate *isolate);
sl_v8_end_reason sl_v8_isolate_end_reason(sl_v8_isolate *isolate);
// Counts promises from 0 again: those that are not resolved yet no longer count.
void sl_v8_isolate_forget_promises(sl_v8_isolate *isolate);
// ANY THREAD. Runs callback on the isolate's thread at the next interrupt check of running JS.
void sl_v8_isolate_interrupt(sl_v8_isolate *isolate, void (*callback)(void *_Nullable context), void *_Nullable context);

// Tasks that V8 posts to the isolate's thread (async WASM compile, finalization, GC steps). `wake` may be called from ANY THREAD when a
// task arrives or falls due after delay_seconds (0: now); the host then calls run_tasks on the isolate's thread. Returns how many ran.
void sl_v8_isolate_set_wake(sl_v8_isolate *isolate, void (*_Nullable wake)(void *_Nullable context, double delay_seconds), void *_Nullable context);
size_t sl_v8_isolate_run_tasks(sl_v8_isolate *isolate);
// True while V8 background work (async WASM compile) will still post a task that JS waits for.
bool sl_v8_isolate_has_pending_work(sl_v8_isolate *isolate);
// Microtasks run only here (policy explicit) : after each entry into JS, by the host. False: terminated. Called from outside of JS it first
// sets every realm's continuation-preserved embedder data to undefined, so that no reaction sees what the last entry left behind.
bool sl_v8_isolate_run_microtasks(sl_v8_isolate *isolate);
void sl_v8_isolate_low_memory(sl_v8_isolate *isolate);

// ---- Callbacks of the host, set once an isolate; all run on the isolate's thread ----
typedef struct {
    void *_Nullable context;
    // import(): the host loads `specifier` for the module or script named `referrer`, then calls sl_v8_import_resolve/reject (now or later) with `token`.
    // `type` is the import assertion ("json") or empty.
    void (*_Nullable import)(void *_Nullable context, sl_v8_realm *realm, sl_v8_string specifier, sl_v8_string referrer, sl_v8_string type, uint64_t token);
    // A promise was rejected without a handler (handled = false), or got a handler later (true). `promise_id` pairs the two. `promise` and `reason` are borrowed.
    void (*_Nullable rejection)(void *_Nullable context, sl_v8_realm *realm, uint64_t promise_id, bool handled, sl_v8_value *promise, sl_v8_value *_Nullable reason);
    // A garbage collection ended. kind: 1 scavenge, 2 mark-sweep-compact, 4 incremental, 8 weak callbacks. No JS from here.
    void (*_Nullable gc)(void *_Nullable context, uint32_t kind, double pause_nanoseconds, bool forced);
} sl_v8_host;
void sl_v8_isolate_set_host(sl_v8_isolate *isolate, const sl_v8_host *host);
// The string fields handed to `import` are borrowed for the call.

// ---- Realm ----
// from_snapshot: the realm baked into the isolate's snapshot, natives rebound; else an empty one.
sl_v8_realm *sl_v8_realm_create(sl_v8_isolate *isolate, bool from_snapshot);
void sl_v8_realm_dispose(sl_v8_realm *realm);
sl_v8_isolate *sl_v8_realm_isolate(sl_v8_realm *realm);
sl_v8_value *sl_v8_realm_global(sl_v8_realm *realm);
// When allowed is false, eval and new Function throw EvalError with this message.
void sl_v8_realm_allow_eval(sl_v8_realm *realm, bool allowed, const char *message);

// ---- Policy ----
// Asked, on the isolate's thread and within JavaScript, before code is made of a string (eval, Function and its kin) or of WebAssembly. JavaScript may be called.
typedef bool (*sl_v8_code_question)(void *_Nullable context, bool is_wasm);
// Has such a question asked from now on: before strings, in this realm; before WebAssembly, in the isolate. Where the answer is no, they throw an EvalError with this
// message, or a CompileError.
void sl_v8_realm_ask_before_code(sl_v8_realm *realm, sl_v8_code_question ask, void *_Nullable context, bool strings, bool wasm, const char *message);
// Date, and the time that `now` and its like store, go in steps of a millisecond that are not even, and no memory of WebAssembly is shared. For the process;
// after the start of V8, before the first isolate.
void sl_v8_coarsen_clocks(void);

// ---- Values ----
void sl_v8_value_release(sl_v8_value *_Nullable value);
// A second handle to the same value: how a host keeps what it was lent.
sl_v8_value *sl_v8_value_copy(sl_v8_isolate *isolate, sl_v8_value *value);
typedef enum { SL_V8_UNDEFINED, SL_V8_NULL, SL_V8_BOOL, SL_V8_NUMBER, SL_V8_BIGINT, SL_V8_STRING, SL_V8_SYMBOL, SL_V8_FUNCTION, SL_V8_ARRAY, SL_V8_BYTES, SL_V8_PROMISE, SL_V8_OBJECT } sl_v8_type;
sl_v8_type sl_v8_value_type(sl_v8_isolate *isolate, sl_v8_value *value);
sl_v8_value *sl_v8_value_string(sl_v8_isolate *isolate, const char *bytes, size_t length);
sl_v8_value *sl_v8_value_number(sl_v8_isolate *isolate, double number);
sl_v8_value *sl_v8_value_bool(sl_v8_isolate *isolate, bool flag);
sl_v8_value *sl_v8_value_undefined(sl_v8_isolate *isolate);
sl_v8_value *sl_v8_value_null(sl_v8_isolate *isolate);
sl_v8_value *sl_v8_value_object(sl_v8_realm *realm);
// A new ArrayBuffer with a copy of the bytes.
sl_v8_value *sl_v8_value_buffer(sl_v8_realm *realm, const void *_Nullable bytes, size_t length);
// The same as a Uint8Array.
sl_v8_value *sl_v8_value_uint8_array(sl_v8_realm *realm, const void *_Nullable bytes, size_t length);
// A Uint8Array of the first `shown` bytes of foreign memory. `release` is called with it when nothing refers to it any more, messages included, on
// any thread. It counts like other ArrayBuffers' memory.
sl_v8_value *sl_v8_value_owned_bytes(sl_v8_realm *realm, void *memory, size_t length, size_t shown, void (*release)(void *memory, size_t length));
// A SharedArrayBuffer-free view on foreign memory: an ArrayBuffer over `bytes`, which must outlive the isolate (the ring). Not detachable.
sl_v8_value *sl_v8_value_external_buffer(sl_v8_realm *realm, void *bytes, size_t length);
// UTF-8 of ToString(value) without calling user code: strings, numbers, symbols' descriptions, "Error: message" for errors, "[object]" else.
sl_v8_string sl_v8_value_utf8(sl_v8_isolate *isolate, sl_v8_value *value);
double sl_v8_value_to_number(sl_v8_isolate *isolate, sl_v8_value *value); // numbers only, else NaN
bool sl_v8_value_to_bool(sl_v8_isolate *isolate, sl_v8_value *value);
// Own or inherited property. Null with *error set when a getter threw.
sl_v8_value *_Nullable sl_v8_value_get(sl_v8_realm *realm, sl_v8_value *object, const char *key, sl_v8_exception *_Nullable *_Nonnull error);
bool sl_v8_value_set(sl_v8_realm *realm, sl_v8_value *object, const char *key, sl_v8_value *value);
// The bytes of an ArrayBuffer or view, valid until JS runs again. False: not bytes, or detached.
bool sl_v8_value_bytes(sl_v8_isolate *isolate, sl_v8_value *value, uint8_t *_Nullable *_Nonnull bytes, size_t *length);
// Calls a function; runs no microtasks. receiver null: undefined.
sl_v8_value *_Nullable sl_v8_call(sl_v8_realm *realm, sl_v8_value *function, sl_v8_value *_Nullable receiver,
                                  sl_v8_value *_Nonnull const *_Nullable arguments, size_t count, sl_v8_exception *_Nullable *_Nonnull error);
// The same for the hot path: function(number, text), or function of up to four numbers; receiver undefined, the result dropped. `bytes` are
// Latin-1 and become a one-byte string. The first also runs the microtasks afterwards, as sl_v8_isolate_run_microtasks does, in one entry. False:
// *error as above.
bool sl_v8_call_text(sl_v8_realm *realm, sl_v8_value *function, double number, const uint8_t *_Nullable bytes, size_t length,
                     sl_v8_exception *_Nullable *_Nonnull error);
bool sl_v8_call_numbers(sl_v8_realm *realm, sl_v8_value *function, const double *_Nullable numbers, size_t count,
                        sl_v8_exception *_Nullable *_Nonnull error);
// Structured serialization (HTML) through V8's ValueSerializer; DataCloneError is thrown as a plain Error named so. No host objects.
sl_v8_value *_Nullable sl_v8_value_clone(sl_v8_realm *realm, sl_v8_value *value, sl_v8_value *_Nullable transfer_list, sl_v8_exception *_Nullable *_Nonnull error);

typedef enum { SL_V8_PENDING, SL_V8_FULFILLED, SL_V8_REJECTED } sl_v8_promise_state;
sl_v8_promise_state sl_v8_promise_state_of(sl_v8_isolate *isolate, sl_v8_value *promise);
sl_v8_value *sl_v8_promise_result(sl_v8_isolate *isolate, sl_v8_value *promise); // undefined while pending
// A promise that the host settles later, exactly once; the resolver is released by settling it.
typedef struct sl_v8_resolver sl_v8_resolver;
sl_v8_resolver *sl_v8_resolver_create(sl_v8_realm *realm);
sl_v8_value *sl_v8_resolver_promise(sl_v8_resolver *resolver);
void sl_v8_resolver_resolve(sl_v8_resolver *resolver, sl_v8_value *value);
void sl_v8_resolver_reject(sl_v8_resolver *resolver, sl_v8_value *reason);

// ---- Exceptions ----
typedef struct { sl_v8_string function, script; int32_t line, column; /* 1-based; 0 unknown */ bool is_async, is_native, is_eval; } sl_v8_frame;
struct sl_v8_exception {
    sl_v8_string name;        // "TypeError"; the constructor's or the `name` property, "" when what was thrown is no error
    sl_v8_string message;     // without the name
    sl_v8_string stack;       // the `stack` property as text ("" when none)
    sl_v8_string script;      // where it was thrown (or the syntax error stands)
    int32_t line, column, end_column; // 1-based; 0 unknown
    sl_v8_string source_line; // text of that line ("" unknown)
    sl_v8_frame *_Nullable frames; size_t frame_count;  // at most 64
    struct sl_v8_exception *_Nullable cause;            // `cause`, at most 8 deep, cycles cut
    struct sl_v8_exception *_Nullable *_Nullable errors; size_t error_count; // AggregateError, at most 16
    sl_v8_value *_Nullable value;                       // the thrown value itself (top level only)
};
void sl_v8_exception_free(sl_v8_exception *_Nullable exception);
// What a rejection reason or caught value would be as an exception (no user code is called beyond data properties).
sl_v8_exception *sl_v8_exception_from_value(sl_v8_realm *realm, sl_v8_value *value);
// Error.prepareStackTrace for all realms of the isolate: formats `stack`. function(error, frames) -> string, frames = array of CallSite.
// Null restores V8's own. A throwing or terminated function falls back to V8's own text.
void sl_v8_isolate_set_prepare_stack(sl_v8_isolate *isolate, sl_v8_value *_Nullable function);

// ---- Scripts and modules ----
// Code cache: pass what an earlier compile of the same source produced. `rejected` tells that V8 did not accept it.
typedef struct { const uint8_t *_Nullable bytes; size_t length; bool rejected; } sl_v8_code_cache;
// Compiles and runs a classic script; its completion value. name: a URL or path for stack frames and import().
sl_v8_value *_Nullable sl_v8_script_run(sl_v8_realm *realm, const char *source, size_t length, const char *name, sl_v8_code_cache *_Nullable cache,
                                        sl_v8_exception *_Nullable *_Nonnull error);
// Compile only, to see whether it parses as a script.
bool sl_v8_script_check(sl_v8_realm *realm, const char *source, size_t length, const char *name, sl_v8_exception *_Nullable *_Nonnull error);
// The code cache of a classic script, for the disk; null bytes when there is none. Best after it ran in this isolate. Caller frees with sl_v8_string_free.
sl_v8_string sl_v8_script_cache(sl_v8_realm *realm, const char *source, size_t length, const char *name);
// A function of the named parameters with this body, in the realm's global scope (the platform's own sources).
sl_v8_value *_Nullable sl_v8_function_compile(sl_v8_realm *realm, const char *source, size_t length, const char *name,
                                              const char *_Nonnull const *_Nullable parameters, size_t parameter_count,
                                              sl_v8_code_cache *_Nullable cache, sl_v8_exception *_Nullable *_Nonnull error);
// The code cache of what sl_v8_function_compile made: it and the functions within it that have been compiled by now. Null bytes when there is none. Caller frees.
sl_v8_string sl_v8_function_cache(sl_v8_realm *realm, sl_v8_value *function);

sl_v8_module *_Nullable sl_v8_module_compile(sl_v8_realm *realm, const char *source, size_t length, const char *name, sl_v8_code_cache *_Nullable cache,
                                             sl_v8_exception *_Nullable *_Nonnull error);
// A module whose exports are the named properties of `exports` (built-ins, JSON with the one name "default").
sl_v8_module *sl_v8_module_synthetic(sl_v8_realm *realm, const char *name, const char *_Nonnull const *_Nullable names, size_t count, sl_v8_value *exports);
void sl_v8_module_release(sl_v8_module *_Nullable module);
size_t sl_v8_module_request_count(sl_v8_module *module);
typedef struct { sl_v8_string specifier, type; int32_t line, column; } sl_v8_module_request; // both strings owned by the caller
sl_v8_module_request sl_v8_module_request_at(sl_v8_module *module, size_t index);
// Tells which module request `index` resolved to. All must be linked (cycles welcome) before instantiate.
void sl_v8_module_link(sl_v8_module *module, size_t index, sl_v8_module *target);
bool sl_v8_module_instantiate(sl_v8_module *module, sl_v8_exception *_Nullable *_Nonnull error);
// Returns the evaluation's promise (top-level await). Null with *error null: terminated.
sl_v8_value *_Nullable sl_v8_module_evaluate(sl_v8_module *module, sl_v8_exception *_Nullable *_Nonnull error);
sl_v8_value *sl_v8_module_namespace(sl_v8_module *module);
// import.meta of the module: string properties (url, filename, dirname) and main.
void sl_v8_module_set_meta(sl_v8_module *module, const char *url, const char *_Nullable filename, const char *_Nullable dirname, bool main);
// For the disk cache; null bytes when there is none. Best after evaluation. Caller frees with sl_v8_string_free.
sl_v8_string sl_v8_module_cache(sl_v8_module *module);
void sl_v8_import_resolve(sl_v8_realm *realm, uint64_t token, sl_v8_value *namespace_object);
void sl_v8_import_reject(sl_v8_realm *realm, uint64_t token, sl_v8_value *reason);

// ---- WebAssembly ----
// A memory grows to so many pages of 64 KiB at most, for all isolates of the process, from now on. Without it: V8's 65,536.
void sl_v8_wasm_memory_pages_max(uint32_t pages);
// What V8 compares before it takes compiled code, in one number: its version, its flags (the limit above is one) and what the processor can.
uint32_t sl_v8_wasm_code_kind(void);
// Streaming compilation. A call of V8's own WebAssembly.compileStreaming(number) makes, at the next microtasks, a stream of that name (a whole number below
// 2^53; 256 open at once, else its promise is rejected with a RangeError). Then, in this order: use, at most once; push; finish or abort, after which the name is free.
// All are false for a name that is none.
// use: tries compiled code that sl_v8_wasm_module_seal made in this or another process. False: it does not fit, which changes nothing. The bytes must stay in
// place until the stream has ended. finish: no more is to come; the promise settles now or later. True: the compiled code was for these very bytes, and is
// what V8 uses. abort: rejects the promise with `reason`; null: it never settles.
bool sl_v8_wasm_stream_use(sl_v8_isolate *isolate, uint64_t name, const uint8_t *entry, size_t length);
bool sl_v8_wasm_stream_push(sl_v8_isolate *isolate, uint64_t name, const uint8_t *_Nullable bytes, size_t length);
bool sl_v8_wasm_stream_finish(sl_v8_realm *realm, uint64_t name);
void sl_v8_wasm_stream_abort(sl_v8_realm *realm, uint64_t name, sl_v8_value *_Nullable reason);
// Without a stream: the module of these bytes, from compiled code in an entry, at once. `entry` is what lies before the module's bytes in it, `length` what
// entry_module_offset gave; the caller has compared the module's bytes with those in the entry, and nobody may change them during the call. Null: it does
// not fit. Runs nothing of the program's. entry_module_offset: where the module's bytes lie in an entry of `length` bytes that begins with `head` (64 bytes
// are enough); 0: it is none, of another build, or its module has another length.
sl_v8_value *_Nullable sl_v8_wasm_load(sl_v8_realm *realm, const uint8_t *entry, size_t length, const uint8_t *module, size_t module_length);
size_t sl_v8_wasm_entry_module_offset(const uint8_t *head, size_t head_length, size_t length, size_t module_length);
// The bytes a WebAssembly.Module was made of, valid while it lives. False: `module` is none.
bool sl_v8_wasm_module_bytes(sl_v8_isolate *isolate, sl_v8_value *module, const uint8_t *_Nullable *_Nonnull bytes, size_t *length);
// The module's optimised code, sealed and with the module's own bytes in it; null bytes when it is no module, or V8 has optimised nothing of it yet. Caller
// frees with sl_v8_string_free.
sl_v8_string sl_v8_wasm_module_seal(sl_v8_isolate *isolate, sl_v8_value *module);

// ---- Functions of the host ----
typedef void (*sl_v8_callback)(void *_Nullable context, sl_v8_args *args);
// Ops are named and registered once a process before the first isolate or snapshot, so that a snapshot can refer to them by index.
// Returns false when the table (512) is full or the name is taken. `sl_v8_realm_install_ops` makes an object with one function an op, each
// called with `context`. Native ops are always in it, implemented here because they are hot:
//   now()            stores the ring time (section 1 of record-format.md) in the clock cell; returns nothing
//   enter(value)     makes value the continuation-preserved embedder data, stores the ring time in the clock cell, returns the previous one
//   enterFrom(expected, value)  the same when the data is `expected`, else does nothing; returns whether. Optimised code calls it, and now and
//                    setContext, without V8's usual way into native code
//   context()        returns the continuation-preserved embedder data (undefined at first)
//   setContext(value) sets it; returns nothing
// In a realm of a snapshot `install_ops` gives back the ops object that is in it, adds ops registered since, and sets `context`, which every
// op reads from its realm when it is called: nothing else needs to be bound again. It is to be called before any of that realm's code.
bool sl_v8_op_register(const char *name, sl_v8_callback callback);
sl_v8_value *sl_v8_realm_install_ops(sl_v8_realm *realm, void *_Nullable context);
// Where `now`, `enter` and `enterFrom` store the time: a pointer to the f64 clock cell and the CLOCK_MONOTONIC nanoseconds of ring time 0.
void sl_v8_isolate_set_clock(sl_v8_isolate *isolate, double *cell, double monotonic_base_nanoseconds);
// Whom `now`, `enter`, `enterFrom` and `wake_if_due` wake once the u32 `*head` has reached the u32 `*wake_at` (as int32 of their difference): the reader of a
// ring, by writing to an eventfd, once for each value of `*wake_at`. -1 for nobody. The cells live as long as the isolate.
void sl_v8_isolate_set_waker(sl_v8_isolate *isolate, const uint32_t *head, const uint32_t *wake_at, int descriptor);
void sl_v8_isolate_wake_if_due(sl_v8_isolate *isolate);
// Ring time now, by the same clock as `now`. Nanoseconds.
double sl_v8_isolate_now(sl_v8_isolate *isolate);

size_t sl_v8_args_count(sl_v8_args *args);
sl_v8_type sl_v8_args_type(sl_v8_args *args, size_t index);
double sl_v8_args_number(sl_v8_args *args, size_t index);      // NaN when not a number
int64_t sl_v8_args_int64(sl_v8_args *args, size_t index);      // the low 64 bits of a BigInt; a number without its fraction, clamped; else 0
bool sl_v8_args_bool(sl_v8_args *args, size_t index);
sl_v8_string sl_v8_args_string(sl_v8_args *args, size_t index); // owned copy; ToString of primitives, "" of objects
sl_v8_value *sl_v8_args_value(sl_v8_args *args, size_t index);  // owned handle
bool sl_v8_args_bytes(sl_v8_args *args, size_t index, uint8_t *_Nullable *_Nonnull bytes, size_t *length);
// Writes the UTF-8 of string argument `index` (lone surrogates become U+FFFD) to target; bytes written, or -1 when more than capacity. No allocation.
ptrdiff_t sl_v8_args_write_utf8(sl_v8_args *args, size_t index, void *target, size_t capacity);
// The same for as many whole characters as fit. `units` tells how many UTF-16 units of the string they are.
size_t sl_v8_args_write_utf8_prefix(sl_v8_args *args, size_t index, void *target, size_t capacity, size_t *units);
// How many bytes the UTF-8 of string argument `index` can have at most; 0 when it is none.
size_t sl_v8_args_utf8_max(sl_v8_args *args, size_t index);
// Writes the units of string argument `index` as Latin-1; bytes written, or -1: no string, over capacity, or with units over 255.
ptrdiff_t sl_v8_args_write_latin1(sl_v8_args *args, size_t index, void *target, size_t capacity);
// What an object is by V8's own knowledge, which no prototype, proxy trap or Symbol.toStringTag can change. Runs no user code.
typedef enum {
    SL_V8_BRAND_NONE, SL_V8_BRAND_PROXY, SL_V8_BRAND_PROMISE, SL_V8_BRAND_MAP_ITERATOR, SL_V8_BRAND_SET_ITERATOR, SL_V8_BRAND_WEAK_MAP, SL_V8_BRAND_WEAK_SET,
    SL_V8_BRAND_MODULE, SL_V8_BRAND_GENERATOR, SL_V8_BRAND_ARGUMENTS, SL_V8_BRAND_ERROR, SL_V8_BRAND_EXTERNAL,
    SL_V8_BRAND_ASYNC_FUNCTION, SL_V8_BRAND_GENERATOR_FUNCTION, SL_V8_BRAND_ASYNC_GENERATOR_FUNCTION
} sl_v8_brand;
sl_v8_brand sl_v8_args_brand(sl_v8_args *args, size_t index);
// Returns what the argument holds inside, as an array of two: a proxy's target and handler, a promise's state (sl_v8_promise_state) and result, and of an
// iterator or weak collection whether its entries are pairs, and an array of them. Null of anything else. Iterators do not advance.
void sl_v8_args_return_inside(sl_v8_args *args, size_t index);
// Has V8 keep the argument's properties in a dictionary, until it is the prototype of another object again. An object that is frozen in that state makes no
// object below it slow to write elements to. docs/adr/0036. No proxy.
void sl_v8_args_make_slow(sl_v8_args *args, size_t index);
sl_v8_isolate *sl_v8_args_isolate(sl_v8_args *args);
sl_v8_realm *sl_v8_args_realm(sl_v8_args *args);
void sl_v8_args_return_number(sl_v8_args *args, double number);
void sl_v8_args_return_bool(sl_v8_args *args, bool flag);
void sl_v8_args_return_null(sl_v8_args *args);
void sl_v8_args_return_string(sl_v8_args *args, const char *bytes, size_t length);
// The same of what is ASCII; false, and nothing is returned, of what is not.
bool sl_v8_args_return_ascii(sl_v8_args *args, const char *bytes, size_t length);
// UTF-16 units; as one byte each in V8 when none is over 255. The units may be overwritten.
void sl_v8_args_return_utf16(sl_v8_args *args, uint16_t *_Nullable units, size_t length);
// The UTF-8 of string argument `index` as a new Uint8Array; an empty one when it is no string.
void sl_v8_args_return_utf8_of(sl_v8_args *args, size_t index);
void sl_v8_args_return_value(sl_v8_args *args, sl_v8_value *value); // borrowed
// kind: "Error", "TypeError", "RangeError", "SyntaxError"; anything else is an Error whose name is kind. code (or null) becomes the `code` property.
void sl_v8_args_throw(sl_v8_args *args, const char *kind, const char *message, size_t message_length, const char *_Nullable code);
void sl_v8_args_throw_value(sl_v8_args *args, sl_v8_value *value);

// ---- Messages ----
// A value on its way from one realm to another, of the same or another isolate and thread. Belongs to no isolate: the functions that take nothing but
// a message are ANY THREAD, one at a time.
typedef struct sl_v8_message sl_v8_message;
// Serializes argument `value` and moves what the array at argument `transfer` (or undefined) lists: ArrayBuffers, which are detached, and host
// objects. The function at argument `refuse` (or undefined) is called before anything is moved, with an array of what has been serialized and may be an
// object of the host's script (10,000 objects are looked at, none through a getter): it throws when one cannot be cloned. Null: it could not be (a
// DataCloneError as above), and an exception is pending in JavaScript: return from the op.
sl_v8_message *_Nullable sl_v8_args_write_message(sl_v8_args *args, size_t value, size_t transfer, size_t refuse);
// Makes what a message says the result of the call; once, if memory was moved. The array at argument `objects` (or undefined) has a host object for each
// of those that were transferred, in order. To the array at argument `revived` are added: a new object and its payload for each serializable one.
// False: an exception is pending in JavaScript.
bool sl_v8_args_return_message(sl_v8_args *args, sl_v8_message *message, size_t objects, size_t revived);
// An object that serialization knows for one of the host's: it is transferred, or refused. `number` names it in messages. It has no prototype but
// Object's; the host's script gives it another.
void sl_v8_args_return_host_object(sl_v8_args *args, double number);
// One that is copied, with the array at argument `payload`: at most 63 values, the first a number. Those of Uint8Arrays are shared by all copies, so
// nobody may change them. When the first is negative the object's `stack`, or undefined, is added in the copy.
void sl_v8_args_return_serializable(sl_v8_args *args, size_t prototype, size_t payload);
size_t sl_v8_message_bytes(const sl_v8_message *message); // serialized, and of what was moved
size_t sl_v8_message_object_count(const sl_v8_message *message);
double sl_v8_message_object_at(const sl_v8_message *message, size_t index);
void sl_v8_message_free(sl_v8_message *_Nullable message);

// Name of the script whose code called into the platform (scripts named "sidelight:…" are left out); null bytes when there is none. Caller frees.
sl_v8_string sl_v8_isolate_calling_script(sl_v8_isolate *isolate);

// The continuation-preserved embedder data of what runs; null outside of JavaScript. Also from an interrupt and from the host's `gc`.
sl_v8_value *_Nullable sl_v8_isolate_continuation(sl_v8_isolate *isolate);

// ---- Static texts (once a process, before the first isolate) ----
// Makes a source text known that is part of the program: these bytes stay in place, and are the same in every process of this build. What is compiled from exactly
// them reads them where they are, in all isolates, and a snapshot holds a reference in their stead. Each byte is a character (Latin-1). False: there are too
// many, or it is empty or too long; it is then compiled as any other.
bool sl_v8_text_register(const char *bytes, size_t length);

// ---- Snapshot ----
// Runs `prepare` in a fresh realm of a fresh isolate (ops installed by the callback as usual), then freezes isolate and realm. Null bytes when
// that failed (see *error). Handles that `prepare` leaves unreleased are emptied. An external buffer must not be
// in it. The result carries V8's version and build, flags and ops; sl_v8_isolate_create refuses one that does not fit.
typedef bool (*sl_v8_prepare)(void *_Nullable context, sl_v8_realm *realm);
sl_v8_string sl_v8_snapshot_create(sl_v8_prepare prepare, void *_Nullable context, sl_v8_exception *_Nullable *_Nonnull error);

// ---- Figures ----
typedef struct {
    size_t total_bytes, used_bytes, limit_bytes, physical_bytes, external_bytes, malloced_bytes, peak_malloced_bytes, array_buffer_bytes;
    size_t global_handles_bytes, used_global_handles_bytes;
    size_t native_contexts, detached_contexts;
} sl_v8_heap;
sl_v8_heap sl_v8_heap_statistics(sl_v8_isolate *isolate);
typedef struct { size_t code_bytes, bytecode_bytes, external_script_source_bytes; } sl_v8_code;
// Machine code and bytecode, each with its metadata. V8 walks the old generation for them: about 0.12 ms a megabyte of it.
sl_v8_code sl_v8_code_statistics(sl_v8_isolate *isolate);
typedef struct { char name[32]; size_t size_bytes, used_bytes, available_bytes, physical_bytes; } sl_v8_heap_space;
size_t sl_v8_heap_spaces(sl_v8_isolate *isolate, sl_v8_heap_space *spaces, size_t capacity); // returns how many there are

// ---- CPU profiler ----
// From now on V8 tells the profiler of code as it is made, and not only of what is there when a profile starts: that one starts faster, and sees the function whose
// loop was optimized while it ran, which else goes under its caller.
void sl_v8_profile_prepare(sl_v8_isolate *isolate);
// May be called from an interrupt, so while JavaScript runs. False: one runs already.
bool sl_v8_profile_start(sl_v8_isolate *isolate, double sampling_interval_microseconds);
// From `nanoseconds` of CLOCK_MONOTONIC on, what runs goes under `label` (0 and above; -1: under none). In the order of time.
typedef struct { double nanoseconds; int32_t label; } sl_v8_profile_mark;
// The profile as .cpuprofile JSON; null bytes when none runs. With marks it has a further member, "sidelightSamples": the label of each sample.
sl_v8_string sl_v8_profile_stop(sl_v8_isolate *isolate, const sl_v8_profile_mark *_Nullable marks, size_t count);

// ---- Heap snapshot ----
// Writes the heap as a .heapsnapshot, piece by piece. `write` returns false to stop. False: it was stopped. Collects garbage first; takes as long as the heap is
// large, and about as much memory again. Not from an interrupt.
bool sl_v8_heap_snapshot(sl_v8_isolate *isolate, bool (*write)(void *_Nullable context, const char *bytes, size_t length), void *_Nullable context);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif
