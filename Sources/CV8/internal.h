// What the files of the bridge share. Private: nothing outside of this target includes it.
//
// Invariants
// - v8::Local lives on the C++ stack only. What the host keeps is a heap object of ours with a v8::Global, linked into a list of its isolate,
//   so that disposing of an isolate (or freezing it into a snapshot) can empty whatever handles are left.
// - Every function of the C surface that reaches into V8 starts with an `Entry` (isolate and handle scope) or a `RealmEntry` (and context).
//   An isolate is entered for the length of a call only, so several of them can live on one thread.
// - Once an isolate has an end reason, no entry runs JavaScript until sl_v8_isolate_cancel_terminate: a termination that arrives between
//   two entries is as good as one that arrives within.
#pragma once

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wall"
#pragma clang diagnostic ignored "-Wextra"
#include <v8-profiler.h>
#include <v8-wasm.h>
#include <v8.h>
#pragma clang diagnostic pop

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "Clock.h"
#include "Waker.h"
#include "V8Version.h"
#include "sl_v8.h"

namespace sl {

// A list whose nodes are its elements: T has `previous` and `next`. Insertion and removal allocate nothing.
template <typename T>
class List {
public:
    T *first = nullptr;

    void Insert(T *element) {
        element->previous = nullptr;
        element->next = first;
        if (first) first->previous = element;
        first = element;
    }

    void Remove(T *element) {
        (element->previous ? element->previous->next : first) = element->next;
        if (element->next) element->next->previous = element->previous;
        element->previous = element->next = nullptr;
    }
};

class ForegroundTasks;

// Streaming compilations by the number they began with; Wasm.cc knows what one is, and what the door is for.
struct WasmStream;
struct WasmStreams : std::unordered_map<uint64_t, std::unique_ptr<WasmStream>> {
    WasmStreams();
    ~WasmStreams();

    std::unique_ptr<v8::MicrotaskQueue> door_queue;
    v8::Global<v8::Context> door;  // weak
};

// Memory of ArrayBuffers, counted and limited. Shared with V8: a buffer may be freed on a worker thread, and after the isolate is gone.
class BufferAllocator final : public v8::ArrayBuffer::Allocator {
public:
    // 0: no limit.
    explicit BufferAllocator(size_t bytes_max) : bytes_max_(bytes_max ? bytes_max : SIZE_MAX) {}

    void *Allocate(size_t length) override;
    void *AllocateUninitialized(size_t length) override;
    void Free(void *data, size_t length) override;

    // Memory of strings that lie outside of V8's heap. Null when there is none, or they have what they may have.
    void *AllocateText(size_t length);
    void FreeText(void *data, size_t length);
    void set_text_bytes_max(size_t bytes) { text_bytes_max_ = bytes; }

    // Counts memory that came from elsewhere.
    void Count(size_t length) { bytes_.fetch_add(length, std::memory_order_relaxed); }
    void Uncount(size_t length) { bytes_.fetch_sub(length, std::memory_order_relaxed); }
    size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

private:
    bool Reserve(size_t length);

    const size_t bytes_max_;
    std::atomic<size_t> bytes_ = 0;
    // Of one isolate, on its thread.
    size_t text_bytes_max_ = 0;
    size_t text_bytes_ = 0;
};

// ---- Bounds ----

constexpr size_t kOpsMax = 512;
constexpr size_t kStaticTextsMax = 512;
constexpr size_t kRejectionsMax = 1 << 18;       // rejected promises remembered until a handler is added
constexpr size_t kFramesMax = 64;                // of one stack
constexpr int kFramesCaptured = 32;              // when an error is made; its cost grows with it (64: four times that of V8's 10)
constexpr size_t kCauseDepthMax = 8;             // exception, its cause, the cause of that …
constexpr size_t kAggregateMax = 16;             // errors taken of one AggregateError
constexpr size_t kExceptionsMax = 64;            // causes and aggregated errors of one exception together
constexpr size_t kExceptionTextMax = 256 * 1024; // bytes of a message or a stack
constexpr uint32_t kThrownPropertiesMax = 8;     // told of an object that was thrown and is no error
constexpr size_t kThrownTextMax = 100;           // bytes of each
constexpr size_t kSourceLineMax = 1024;          // bytes
constexpr size_t kTextShare = 4;                 // strings outside of V8's heap may have this part of what is its limit
constexpr size_t kProfileSamplesMax = 1'000'000;
constexpr size_t kWasmStreamsMax = 256;          // open at once, in an isolate

// ---- Slots ----

constexpr uint32_t kIsolateSlot = 0;  // v8::Isolate data: sl_v8_isolate
constexpr int kRealmSlot = 1;         // v8::Context embedder data: sl_v8_realm, null once that is disposed of
constexpr int kOpsSlot = 2;           // v8::Context embedder data: the ops object, undefined before it is installed

}  // namespace sl

struct sl_v8_value {
    sl_v8_isolate *isolate;  // null once the isolate is gone
    v8::Global<v8::Value> handle;
    sl_v8_value *previous, *next;
};

struct sl_v8_resolver {
    sl_v8_isolate *isolate;  // null once the isolate is gone
    v8::Global<v8::Context> context;
    v8::Global<v8::Promise::Resolver> handle;
    sl_v8_resolver *previous, *next;
};

struct sl_v8_module {
    sl_v8_realm *realm;  // null once the realm is gone
    v8::Global<v8::Module> handle;
    int hash;                                    // key of sl_v8_realm.modules
    bool released = false;                       // by the host; the record stays while V8 has the module
    std::vector<v8::Global<v8::Module>> links;   // by request; emptied by instantiation
    std::vector<std::string> names;              // of a synthetic module
    v8::Global<v8::Object> exports;              // of a synthetic module, until it is evaluated
    std::string url, filename, directory;        // import.meta
    bool has_meta = false, has_filename = false, has_directory = false, is_main = false;
};

struct sl_v8_realm {
    sl_v8_isolate *isolate;
    v8::Global<v8::Context> context;
    v8::Global<v8::Object> error_constructor;  // %Error% as it was before user code ran
    void *ops_context = nullptr;
    size_t ops_installed = 0;  // how many of the table its ops object has
    std::unordered_multimap<int, sl_v8_module *> modules;  // by identity hash
    std::unordered_map<uint64_t, v8::Global<v8::Promise::Resolver>> imports;
    sl_v8_realm *previous, *next;
};

struct sl_v8_isolate {
    // First, for they are read by the native ops at every call.
    double *clock_cell = &clock_unset;
    sl::Clock clock;
    sl::Waker waker;
    std::atomic<int> end_reason = SL_V8_END_NONE;
    v8::Isolate *isolate = nullptr;

    double clock_unset = 0;
    pthread_t thread = pthread_self();
    size_t depth = 0;  // of entries
    sl_v8_host host = {};
    std::shared_ptr<sl::ForegroundTasks> tasks;
    std::shared_ptr<sl::BufferAllocator> allocator;  // null while a snapshot is made: V8 has its own then

    sl::List<sl_v8_value> values;
    sl::List<sl_v8_resolver> resolvers;
    sl::List<sl_v8_realm> realms;
    sl_v8_realm *only_realm = nullptr;  // the first one, until it is disposed of or there is another
    bool had_realm = false;

    uint64_t next_import = 1;

    // A rejected promise that has no handler yet. Weak: one that is collected cannot get a handler any more.
    struct Rejection {
        uint64_t id;
        v8::Global<v8::Promise> promise;
    };
    std::unordered_multimap<int, Rejection> rejections;  // by identity hash: who handles many, handles the first made first
    uint64_t next_rejection = 1;

    v8::Global<v8::FunctionTemplate> host_object_shape;  // empty until the first is made

    v8::Global<v8::Function> prepare_stack;
    bool preparing_stack = false;

    size_t promises_pending = 0, promises_max = 0;  // counted where they are limited
    size_t clone_bytes_max = 0;  // of a message; 0: no limit
    size_t heap_bytes_initial = 0;  // the limit before extra room was granted; 0 while none is, see Heap.cc

    double collection_started[4] = {};  // by index of the kind's bit; nanoseconds
    sl_v8_code_question ask_before_code = nullptr;
    void *ask_before_code_context = nullptr;

    bool watches_collections = false;
    bool collects = false;  // because the host asked

    std::mutex interrupts_lock;
    std::vector<std::pair<void (*)(void *), void *>> interrupts;

    v8::StartupData snapshot = {nullptr, 0};
    std::unique_ptr<char[]> snapshot_copy;
    size_t snapshot_ops = 0;  // how many ops the snapshot's ops object has
    bool has_snapshot_realm = false;

    sl::WasmStreams wasm_streams;

    std::vector<void *> external_buffers;  // memory that sl_v8_value_external_buffer made visible

    v8::CpuProfiler *profiler = nullptr;
    bool profiles = false;        // it runs
    bool keeps_profiler = false;  // between two profiles, too

    bool Ended() const { return end_reason.load(std::memory_order_relaxed) != SL_V8_END_NONE; }
};

struct sl_v8_args {
    const v8::FunctionCallbackInfo<v8::Value> &info;
    sl_v8_isolate *isolate;
    sl_v8_realm *realm;
};

namespace sl {

[[noreturn]] void Misuse(const char *what);

// The thread contract, checked in debug builds.
inline void CheckThread(const sl_v8_isolate *isolate) {
#if defined(DEBUG) || defined(SL_V8_CHECKS)
    if (!pthread_equal(isolate->thread, pthread_self())) Misuse("an isolate was used on a thread that is not its own");
#else
    (void)isolate;
#endif
}

inline sl_v8_isolate *Self(v8::Isolate *isolate) { return static_cast<sl_v8_isolate *>(isolate->GetData(kIsolateSlot)); }

// Null for a context whose realm has been disposed of.
inline sl_v8_realm *RealmOf(v8::Local<v8::Context> context) {
    return static_cast<sl_v8_realm *>(context->GetAlignedPointerFromEmbedderData(kRealmSlot));
}

// ---- Entering V8 ----

// The isolate this thread is in, for direct calls of native ops (Op.cc): asking V8 costs a span 2 %.
inline thread_local sl_v8_isolate *entered_isolate = nullptr;

class Entry {
public:
    explicit Entry(sl_v8_isolate *isolate)
        : self(isolate), isolate(isolate->isolate), outer_(entered_isolate), isolate_scope_(isolate->isolate),
          handle_scope_(isolate->isolate) {
        CheckThread(isolate);
        ++isolate->depth;
        entered_isolate = isolate;
    }
    ~Entry() {
        entered_isolate = outer_;
        --self->depth;
    }
    Entry(const Entry &) = delete;
    void operator=(const Entry &) = delete;

    sl_v8_isolate *const self;
    v8::Isolate *const isolate;

private:
    sl_v8_isolate *const outer_;
    v8::Isolate::Scope isolate_scope_;
    v8::HandleScope handle_scope_;
};

class RealmEntry : public Entry {
public:
    explicit RealmEntry(sl_v8_realm *realm)
        : Entry(realm->isolate), realm(realm), context(realm->context.Get(isolate)), context_scope_(context) {}

    sl_v8_realm *const realm;
    const v8::Local<v8::Context> context;

private:
    v8::Context::Scope context_scope_;
};

// ---- Values ----

sl_v8_value *Retain(sl_v8_isolate *isolate, v8::Local<v8::Value> value);
inline v8::Local<v8::Value> Open(v8::Isolate *isolate, sl_v8_value *value) { return value->handle.Get(isolate); }
sl_v8_type TypeOf(v8::Local<v8::Value> value);
bool BytesOf(v8::Local<v8::Value> value, uint8_t **bytes, size_t *length);

// Empties the handles of whatever the host has not released. Before an isolate is disposed of or frozen.
void ForgetValues(sl_v8_isolate *isolate);

// ---- Text ----

// Empty when the bytes are too many for a JS string; no exception is pending then.
bool IsAscii(const char *bytes, size_t length);
v8::MaybeLocal<v8::String> NewString(v8::Isolate *isolate, const char *bytes, size_t length,
                                     v8::NewStringType type = v8::NewStringType::kNormal);
// A string over a text of sl_v8_text_register. Empty when the bytes are none, or V8 cannot; no exception is pending then.
v8::MaybeLocal<v8::String> NewStaticString(v8::Isolate *isolate, const char *bytes, size_t length);
// At most v8::String::kMaxLength units, at least one.
v8::MaybeLocal<v8::String> NewOneByteString(v8::Isolate *isolate, const uint8_t *units, size_t length,
                                            v8::NewStringType type = v8::NewStringType::kNormal);
v8::MaybeLocal<v8::String> NewTwoByteString(v8::Isolate *isolate, const uint16_t *units, size_t length);
// For names the bridge or the host chooses. What is too long becomes "".
v8::Local<v8::String> Key(v8::Isolate *isolate, std::string_view text);
// Owned, NUL-terminated copies. The second is cut at a character boundary to at most `bytes_max`.
sl_v8_string CopyString(std::string_view text);
sl_v8_string CopyString(v8::Isolate *isolate, v8::Local<v8::String> text, size_t bytes_max = SIZE_MAX);
std::string ToString(v8::Isolate *isolate, v8::Local<v8::String> text, size_t bytes_max = SIZE_MAX);
// ToString without user code; see sl_v8_value_utf8.
std::string Describe(v8::Isolate *isolate, v8::Local<v8::Context> context, v8::Local<v8::Value> value);

// ---- Exceptions ----

// The end of a call into V8 that failed: fills *error, or leaves it null when execution was terminated.
void Report(RealmEntry &entry, v8::TryCatch &caught, sl_v8_exception **error);
// An exception of our own making.
v8::Local<v8::Value> NewError(v8::Isolate *isolate, std::string_view kind, std::string_view message);
void Fail(RealmEntry &entry, std::string_view kind, std::string_view message, sl_v8_exception **error);
sl_v8_exception *PlainException(std::string_view name, std::string_view message);
void SetUpExceptions(sl_v8_isolate *isolate);

// A property that is data, found without running user code: no getter, no proxy. Native data-like accessors (`stack`) count as data.
enum class Lookup { kFound, kAbsent, kNotData };
Lookup DataProperty(v8::Local<v8::Context> context, v8::Local<v8::Object> object, std::string_view key,
                    v8::Local<v8::Value> *value, bool own = false);

// ---- Source text ----

// Source text on its way into the compiler, with its code cache. When it is too long, it is false and an exception is pending. Tells the
// owner of the cache whether V8 took it.
class SourceText {
public:
    SourceText(RealmEntry &entry, const char *source, size_t length, const char *name, bool is_module, sl_v8_code_cache *cache);
    ~SourceText();
    SourceText(const SourceText &) = delete;
    void operator=(const SourceText &) = delete;

    explicit operator bool() const { return source_.has_value(); }
    v8::ScriptCompiler::Source *get() { return &*source_; }
    v8::ScriptCompiler::CompileOptions options = v8::ScriptCompiler::kNoCompileOptions;

private:
    std::optional<v8::ScriptCompiler::Source> source_;
    sl_v8_code_cache *const cache_;
};

// A code cache as the host keeps it. Takes V8's and frees it; null bytes when there is none.
sl_v8_string SealCache(std::unique_ptr<v8::ScriptCompiler::CachedData> data);

// ---- Modules, rejections, heap ----

void SetUpModules(sl_v8_isolate *isolate);
void ForgetModules(sl_v8_realm *realm);
void SetUpRejections(sl_v8_isolate *isolate);
// Ends execution when more promises than `count` were made and not resolved, counted since sl_v8_isolate_forget_promises.
void LimitPromises(sl_v8_isolate *isolate, size_t count);
void SetUpHeap(sl_v8_isolate *isolate);
void SetUpWasm(sl_v8_isolate *isolate);
void ForgetWasmStreams(sl_v8_isolate *isolate);
void CollectGarbage(sl_v8_isolate *isolate);
void RestoreHeapLimit(sl_v8_isolate *isolate);
void WatchCollections(sl_v8_isolate *isolate);
// Host memory that JavaScript gets: counted, never refused. Without bytes to copy it is for the caller to fill, all of it.
std::unique_ptr<v8::BackingStore> CopyToBackingStore(sl_v8_isolate *isolate, const void *bytes, size_t length);

// ---- Isolate and realm ----

// A V8 isolate that has its task queue, but no heap yet.
sl_v8_isolate *AllocateIsolate();
// Sets callbacks and policies on an isolate that has its heap.
void SetUpIsolate(sl_v8_isolate *isolate);
// Empties all handles; what is left is the V8 isolate.
void ReleaseContents(sl_v8_isolate *isolate);
sl_v8_realm *AdoptContext(sl_v8_isolate *isolate, v8::Local<v8::Context> context);
void DisposeRealm(sl_v8_realm *realm);

// ---- Profiler ----

// The profile as JSON; empty when none runs.
std::string StopProfiler(sl_v8_isolate *isolate, const sl_v8_profile_mark *marks = nullptr, size_t count = 0);
void DropProfiler(sl_v8_isolate *isolate);

// ---- Policy ----

// Set before the first isolate.
inline bool clocks_are_coarse = false;
// In steps, for who may not tell times apart.
double Coarse(double nanoseconds);

inline double TimeFor(sl_v8_isolate *self) {
    double now = self->clock.Now();
    return clocks_are_coarse ? Coarse(now) : now;
}

// ---- Platform ----

v8::Platform *StartedPlatform();
std::string_view PlatformFlags();
void ReportFatal(const char *location, const char *message);
void ReportOutOfMemory(const char *location, bool is_heap);

// Tasks V8 has for an isolate's thread. Posted from any thread, run on the isolate's.
std::shared_ptr<ForegroundTasks> RegisterTasks(v8::Isolate *isolate);
void UnregisterTasks(v8::Isolate *isolate);
void SetWake(ForegroundTasks &tasks, void (*wake)(void *, double), void *context);
size_t RunTasks(ForegroundTasks &tasks, const std::atomic<int> &end_reason);

// ---- Ops and snapshots ----

// What native addresses a snapshot may hold; null-terminated, the same in every process of one build.
const intptr_t *ExternalReferences();
size_t OpCount();
bool IsOp(std::string_view name);
uint64_t OpNamesHash(size_t count);
void AddStaticTexts(std::vector<intptr_t> *references);
// Of how many there are, and how long.
uint64_t StaticTextsHash();

// Checks a snapshot of ours, unless it is known, and finds V8's blob in it.
bool OpenSnapshot(const uint8_t *bytes, size_t length, bool is_known, v8::StartupData *blob, size_t *ops);
uint64_t Checksum(const void *bytes, size_t length, uint64_t seed = 0);
// The build of the library that V8 is in.
uint64_t LibraryBuild();

}  // namespace sl
