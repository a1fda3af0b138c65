// WebAssembly: streaming compilation, and compiled code that outlives the process.
//
// V8 offers both at one door. `WebAssembly.compileStreaming(number)`, which the platform keeps to itself, calls OnStream below; what it hands over is
// kept under that number until the stream is finished or aborted. The only way to use compiled code again is to give it to such a stream.
//
// V8 trusts compiled code: it checks version, flags and CPU features, not that the code belongs to the module, nor that its bytes are sound, nor that
// the library is the very build. So an entry is sealed here: build and checksum of the code in front, and the module's own bytes behind, which are
// compared, every one, with what the stream brings. An entry that does not fit costs a compilation and nothing else.
//
// A stream begins a microtask after the call, which is too late for `new WebAssembly.Module`. So there is a context of its own for that (the door), with a
// queue of its own: a checkpoint of that queue runs V8's microtask and nothing of the program's. V8 reads the code at once then, and the program's context
// gets an object of its own for it.
//
// V8 hears of an entry only when all of the module has come and is the entry's. Were it told before, it would keep the bytes and, when they turn out to be
// others, decode them as the stream ends, where 10.2 goes on after the first mistake in them with a decoder that is gone.

#include <algorithm>
#include <utility>

#include "internal.h"

namespace sl {

struct WasmStream {
    std::shared_ptr<v8::WasmStreaming> streaming;
    // Of an entry in use: what the module must be, how much of it has come, which V8 has not got yet, and its code. Borrowed.
    const uint8_t *expected = nullptr;
    size_t expected_length = 0;
    size_t matched = 0;
    const uint8_t *code = nullptr;
    size_t code_length = 0;
    // V8 has bytes of the module.
    bool has_begun = false;

    void Push(const uint8_t *bytes, size_t length) {
        if (length == 0) return;
        has_begun = true;
        streaming->OnBytesReceived(bytes, length);
    }

    // V8 gets what has come of it.
    void ForgetEntry() {
        Push(std::exchange(expected, nullptr), matched);
    }
};

namespace {

struct EntryHeader {
    uint64_t magic, checksum;  // the latter of all that follows it, up to the module's bytes
    uint64_t build, flags;
    uint64_t module_length, code_length;
};
static_assert(sizeof(EntryHeader) % 16 == 0, "the code behind the header is aligned");
constexpr uint64_t kEntryMagic = 0x3230'4D53'4157'4C53;  // "SLWASM02"
constexpr size_t kChecksumFrom = offsetof(EntryHeader, build);

size_t Padded(size_t length) { return (length + 15) & ~size_t(15); }

uint64_t FlagsHash() {
    std::string_view flags = PlatformFlags();
    return Checksum(flags.data(), flags.size());
}

// Where the module's bytes lie in an entry of `length` bytes, of which the first `head_length` are there; 0: it is damaged, or of another build. Code
// comes first, since it wants to be aligned.
size_t ModuleOffset(const uint8_t *head, size_t head_length, size_t length, EntryHeader *header) {
    if (head_length < sizeof *header || length < sizeof *header) return 0;
    memcpy(header, head, sizeof *header);
    if (header->magic != kEntryMagic || header->build != LibraryBuild() || header->flags != FlagsHash()) return 0;
    size_t left = length - sizeof *header;
    if (header->code_length == 0 || header->code_length > left || header->module_length > left) return 0;
    if (Padded(header->code_length) + header->module_length != left) return 0;
    return sizeof *header + Padded(header->code_length);
}

// Of what lies before the module's bytes. The latter need no checksum: they are compared.
uint64_t ChecksumOfCode(const uint8_t *entry, size_t module_offset) {
    return Checksum(entry + kChecksumFrom, module_offset - kChecksumFrom);
}

// ---- The door ----

// The name of its stream, which no number of the program's realm is.
constexpr uint64_t kDoorName = uint64_t{1} << 53;

// Empty: an exception is pending, or execution was terminated.
v8::MaybeLocal<v8::Context> OpenDoor(sl_v8_isolate *self) {
    v8::Isolate *isolate = self->isolate;
    WasmStreams &streams = self->wasm_streams;
    if (!streams.door.IsEmpty()) return streams.door.Get(isolate);
    if (!streams.door_queue) streams.door_queue = v8::MicrotaskQueue::New(isolate, v8::MicrotasksPolicy::kExplicit);
    v8::Local<v8::Context> door = v8::Context::New(isolate, nullptr, {}, {}, {}, streams.door_queue.get());
    if (door.IsEmpty()) return {};
    door->SetEmbedderData(kOpsSlot, v8::Undefined(isolate));
    door->SetAlignedPointerInEmbedderData(kRealmSlot, nullptr);
    streams.door.Reset(isolate, door);
    // The next collection may have it; a module that comes sooner finds it open.
    streams.door.SetWeak();
    return door;
}

// V8's promise of a module whose bytes are to come at kDoorName.
v8::MaybeLocal<v8::Promise> BeginAtDoor(v8::Isolate *isolate, v8::Local<v8::Context> door) {
    v8::Local<v8::Value> space, compile, promise;
    if (DataProperty(door, door->Global(), "WebAssembly", &space) != Lookup::kFound || !space->IsObject()) return {};
    if (DataProperty(door, space.As<v8::Object>(), "compileStreaming", &compile) != Lookup::kFound || !compile->IsFunction()) return {};
    v8::Local<v8::Value> name = v8::Number::New(isolate, static_cast<double>(kDoorName));
    if (!compile.As<v8::Function>()->Call(door, v8::Undefined(isolate), 1, &name).ToLocal(&promise) || !promise->IsPromise()) return {};
    return promise.As<v8::Promise>();
}

void OnStream(const v8::FunctionCallbackInfo<v8::Value> &info) {
    v8::Isolate *isolate = info.GetIsolate();
    sl_v8_isolate *self = Self(isolate);
    std::shared_ptr<v8::WasmStreaming> streaming = v8::WasmStreaming::Unpack(isolate, info.Data());
    double number = info[0]->IsNumber() ? info[0].As<v8::Number>()->Value() : -1;
    // The door's name is no number of the program's: the function there is the platform's alone.
    bool is_good = number >= 0 && number < 0x1p53;
    if (number == static_cast<double>(kDoorName)) is_good = RealmOf(isolate->GetCurrentContext()) == nullptr;
    auto name = static_cast<uint64_t>(is_good ? number : 0);
    if (!is_good || self->wasm_streams.size() >= kWasmStreamsMax || self->wasm_streams.count(name)) {
        streaming->Abort(NewError(isolate, "RangeError", "too many WebAssembly modules are compiled at once"));
        return;
    }
    auto stream = std::make_unique<WasmStream>();
    stream->streaming = std::move(streaming);
    self->wasm_streams[name] = std::move(stream);
}

WasmStream *FindStream(sl_v8_isolate *self, uint64_t name) {
    auto found = self->wasm_streams.find(name);
    return found == self->wasm_streams.end() ? nullptr : found->second.get();
}

std::unique_ptr<WasmStream> TakeStream(sl_v8_isolate *self, uint64_t name) {
    auto found = self->wasm_streams.find(name);
    if (found == self->wasm_streams.end()) return nullptr;
    std::unique_ptr<WasmStream> stream = std::move(found->second);
    self->wasm_streams.erase(found);
    return stream;
}

}  // namespace

WasmStreams::WasmStreams() = default;
WasmStreams::~WasmStreams() = default;

void SetUpWasm(sl_v8_isolate *self) { self->isolate->SetWasmStreamingCallback(OnStream); }

void ForgetWasmStreams(sl_v8_isolate *self) {
    // The promises stay as they are.
    for (auto &[name, stream] : self->wasm_streams) stream->streaming->Abort({});
    self->wasm_streams.clear();
    self->wasm_streams.door.Reset();
    self->wasm_streams.door_queue.reset();
}

}  // namespace sl

void sl_v8_wasm_memory_pages_max(uint32_t pages) {
    std::string flag = "--wasm-max-mem-pages=" + std::to_string(std::clamp<uint32_t>(pages, 1, 65536));
    v8::V8::SetFlagsFromString(flag.c_str(), flag.size());
}

uint32_t sl_v8_wasm_code_kind() { return v8::ScriptCompiler::CachedDataVersionTag(); }

bool sl_v8_wasm_stream_use(sl_v8_isolate *self, uint64_t name, const uint8_t *entry, size_t length) {
    sl::Entry scope(self);
    sl::WasmStream *stream = sl::FindStream(self, name);
    sl::EntryHeader header;
    if (!stream || stream->expected || stream->has_begun) return false;
    size_t module_offset = sl::ModuleOffset(entry, length, length, &header);
    if (module_offset == 0 || header.checksum != sl::ChecksumOfCode(entry, module_offset)) return false;
    stream->code = entry + sizeof header;
    stream->code_length = header.code_length;
    stream->expected = entry + module_offset;
    stream->expected_length = header.module_length;
    return true;
}

bool sl_v8_wasm_stream_push(sl_v8_isolate *self, uint64_t name, const uint8_t *bytes, size_t length) {
    sl::Entry scope(self);
    sl::WasmStream *stream = sl::FindStream(self, name);
    if (!stream) return false;
    if (length == 0) return true;
    if (stream->expected) {
        if (length <= stream->expected_length - stream->matched && memcmp(stream->expected + stream->matched, bytes, length) == 0) {
            stream->matched += length;
            return true;
        }
        stream->ForgetEntry();
    }
    stream->Push(bytes, length);
    return true;
}

bool sl_v8_wasm_stream_finish(sl_v8_realm *realm, uint64_t name) {
    sl::RealmEntry entry(realm);
    std::unique_ptr<sl::WasmStream> stream = sl::TakeStream(realm->isolate, name);
    if (!stream) return false;
    v8::TryCatch caught(entry.isolate);
    // V8's part of the seal: its version, flags and the processor.
    bool is_used = stream->expected && stream->matched == stream->expected_length &&
                   stream->streaming->SetCompiledModuleBytes(stream->code, stream->code_length);
    if (stream->expected) stream->ForgetEntry();
    stream->streaming->Finish(is_used);
    return is_used;
}

void sl_v8_wasm_stream_abort(sl_v8_realm *realm, uint64_t name, sl_v8_value *reason) {
    sl::RealmEntry entry(realm);
    std::unique_ptr<sl::WasmStream> stream = sl::TakeStream(realm->isolate, name);
    if (!stream) return;
    v8::TryCatch caught(entry.isolate);
    if (reason) stream->streaming->Abort(sl::Open(entry.isolate, reason));
    else stream->streaming->Abort({});
}

size_t sl_v8_wasm_entry_module_offset(const uint8_t *head, size_t head_length, size_t length, size_t module_length) {
    sl::EntryHeader header;
    size_t offset = sl::ModuleOffset(head, head_length, length, &header);
    return offset != 0 && header.module_length == module_length ? offset : 0;
}

sl_v8_value *sl_v8_wasm_load(sl_v8_realm *realm, const uint8_t *entry, size_t length, const uint8_t *module, size_t module_length) {
    sl::RealmEntry scope(realm);
    sl_v8_isolate *self = realm->isolate;
    sl::EntryHeader header;
    if (sl::ModuleOffset(entry, length, length + module_length, &header) != length || header.module_length != module_length) return nullptr;
    if (header.checksum != sl::ChecksumOfCode(entry, length)) return nullptr;

    v8::TryCatch caught(scope.isolate);
    v8::Local<v8::Context> door;
    v8::Local<v8::Promise> promise;
    std::unique_ptr<sl::WasmStream> stream;
    if (sl::OpenDoor(self).ToLocal(&door)) {
        v8::Context::Scope in_door(door);
        if (sl::BeginAtDoor(scope.isolate, door).ToLocal(&promise)) {
            self->wasm_streams.door_queue->PerformCheckpoint(scope.isolate);
            stream = sl::TakeStream(self, sl::kDoorName);
        }
        if (stream && stream->streaming->SetCompiledModuleBytes(entry + sizeof header, header.code_length)) {
            stream->streaming->OnBytesReceived(module, module_length);
            stream->streaming->Finish(true);
        } else if (stream) {
            stream->streaming->Abort({});
        }
    }
    if (caught.HasTerminated()) caught.ReThrow();
    if (!stream || promise->State() != v8::Promise::kFulfilled || !promise->Result()->IsWasmModuleObject()) return nullptr;
    v8::CompiledWasmModule compiled = promise->Result().As<v8::WasmModuleObject>()->GetCompiledModule();
    v8::Local<v8::WasmModuleObject> object;
    if (!v8::WasmModuleObject::FromCompiledModule(scope.isolate, compiled).ToLocal(&object)) return nullptr;
    return sl::Retain(self, object);
}

bool sl_v8_wasm_module_bytes(sl_v8_isolate *self, sl_v8_value *module, const uint8_t **bytes, size_t *length) {
    sl::Entry entry(self);
    v8::Local<v8::Value> value = sl::Open(entry.isolate, module);
    if (!value->IsWasmModuleObject()) return false;
    v8::MemorySpan<const uint8_t> span = value.As<v8::WasmModuleObject>()->GetCompiledModule().GetWireBytesRef();
    *bytes = span.data();
    *length = span.size();
    return true;
}

sl_v8_string sl_v8_wasm_module_seal(sl_v8_isolate *self, sl_v8_value *module) {
    sl::Entry entry(self);
    v8::Local<v8::Value> value = sl::Open(entry.isolate, module);
    if (!value->IsWasmModuleObject()) return {nullptr, 0};
    v8::CompiledWasmModule compiled = value.As<v8::WasmModuleObject>()->GetCompiledModule();
    v8::OwnedBuffer code = compiled.Serialize();
    if (code.size == 0) return {nullptr, 0};
    v8::MemorySpan<const uint8_t> own = compiled.GetWireBytesRef();
    sl::EntryHeader header = {sl::kEntryMagic, 0, sl::LibraryBuild(), sl::FlagsHash(), own.size(), code.size};
    size_t length = sizeof header + sl::Padded(code.size) + own.size();
    auto *bytes = static_cast<uint8_t *>(calloc(length, 1));
    if (!bytes) return {nullptr, 0};
    memcpy(bytes, &header, sizeof header);
    memcpy(bytes + sizeof header, code.buffer.get(), code.size);
    memcpy(bytes + sizeof header + sl::Padded(code.size), own.data(), own.size());
    header.checksum = sl::ChecksumOfCode(bytes, length - own.size());
    memcpy(bytes, &header, sizeof header);
    return {reinterpret_cast<char *>(bytes), length};
}
