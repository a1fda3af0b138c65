// WebAssembly: streaming compilation, and compiled code that outlives the process.
//
// V8 offers both at one door. `WebAssembly.compileStreaming(number)`, which the platform keeps to itself, calls OnStream below; what it hands over is
// kept under that number until the stream is finished or aborted. The only way to use compiled code again is to give it to such a stream.
//
// V8 trusts compiled code: it checks version, flags and CPU features, not that the code belongs to the module, nor that its bytes are sound, nor that
// the library is the very build. So an entry is sealed here: build and checksum in front, and the module's own bytes behind, which are
// compared, every one, with what the stream brings. An entry that does not fit costs a compilation and nothing else.
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
    uint64_t magic, checksum;  // the latter of all that follows it
    uint64_t build, flags;
    uint64_t module_length, code_length;
};
static_assert(sizeof(EntryHeader) % 16 == 0, "the code behind the header is aligned");
constexpr uint64_t kEntryMagic = 0x3130'4D53'4157'4C53;  // "SLWASM01"
constexpr size_t kChecksumFrom = offsetof(EntryHeader, build);

size_t Padded(size_t length) { return (length + 15) & ~size_t(15); }

uint64_t FlagsHash() {
    std::string_view flags = PlatformFlags();
    return Checksum(flags.data(), flags.size());
}

// The parts of an entry: code first, since it wants to be aligned. False: it is damaged, or of another build.
bool OpenEntry(const uint8_t *bytes, size_t length, EntryHeader *header) {
    if (length < sizeof *header) return false;
    memcpy(header, bytes, sizeof *header);
    if (header->magic != kEntryMagic || header->build != LibraryBuild() || header->flags != FlagsHash()) return false;
    size_t left = length - sizeof *header;
    if (header->code_length == 0 || header->code_length > left || header->module_length > left) return false;
    if (Padded(header->code_length) + header->module_length != left) return false;
    return header->checksum == Checksum(bytes + kChecksumFrom, length - kChecksumFrom);
}

void OnStream(const v8::FunctionCallbackInfo<v8::Value> &info) {
    v8::Isolate *isolate = info.GetIsolate();
    sl_v8_isolate *self = Self(isolate);
    std::shared_ptr<v8::WasmStreaming> streaming = v8::WasmStreaming::Unpack(isolate, info.Data());
    double number = info[0]->IsNumber() ? info[0].As<v8::Number>()->Value() : -1;
    bool is_good = number >= 0 && number < 0x1p53;
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
    if (!stream || stream->expected || stream->has_begun || !sl::OpenEntry(entry, length, &header)) return false;
    stream->code = entry + sizeof header;
    stream->code_length = header.code_length;
    stream->expected = stream->code + sl::Padded(header.code_length);
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
    header.checksum = sl::Checksum(bytes + sl::kChecksumFrom, length - sl::kChecksumFrom);
    memcpy(bytes, &header, sizeof header);
    return {reinterpret_cast<char *>(bytes), length};
}
