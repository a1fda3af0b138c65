// Structured clone within an isolate, through V8's serializer.

#include <algorithm>

#include "internal.h"

namespace sl {
namespace {

// What is shared rather than copied is kept here while a clone is on its way, and named by its index.
class Shared final : public v8::ValueSerializer::Delegate, public v8::ValueDeserializer::Delegate {
public:
    explicit Shared(v8::Isolate *isolate) : isolate_(isolate) {}

    void ThrowDataCloneError(v8::Local<v8::String> message) override {
        isolate_->ThrowException(NewError(isolate_, "DataCloneError", ToString(isolate_, message, kExceptionTextMax)));
    }

    v8::Maybe<uint32_t> GetSharedArrayBufferId(v8::Isolate *, v8::Local<v8::SharedArrayBuffer> buffer) override {
        std::shared_ptr<v8::BackingStore> store = buffer->GetBackingStore();
        auto found = std::find(buffers_.begin(), buffers_.end(), store);
        if (found == buffers_.end()) found = buffers_.insert(found, store);
        return v8::Just(static_cast<uint32_t>(found - buffers_.begin()));
    }

    v8::MaybeLocal<v8::SharedArrayBuffer> GetSharedArrayBufferFromId(v8::Isolate *, uint32_t id) override {
        if (id >= buffers_.size()) return {};
        return v8::SharedArrayBuffer::New(isolate_, buffers_[id]);
    }

    v8::Maybe<uint32_t> GetWasmModuleTransferId(v8::Isolate *, v8::Local<v8::WasmModuleObject> module) override {
        modules_.push_back(module->GetCompiledModule());
        return v8::Just(static_cast<uint32_t>(modules_.size() - 1));
    }

    v8::MaybeLocal<v8::WasmModuleObject> GetWasmModuleFromId(v8::Isolate *, uint32_t id) override {
        if (id >= modules_.size()) return {};
        return v8::WasmModuleObject::FromCompiledModule(isolate_, modules_[id]);
    }

    bool SupportsSharedValues() const override { return false; }

private:
    v8::Isolate *const isolate_;
    std::vector<std::shared_ptr<v8::BackingStore>> buffers_;
    std::vector<v8::CompiledWasmModule> modules_;
};

void ThrowCloneError(v8::Isolate *isolate, std::string_view message) {
    isolate->ThrowException(NewError(isolate, "DataCloneError", message));
}

// The buffers of a transfer list. False: an exception is pending.
bool OpenTransferList(RealmEntry &entry, v8::Local<v8::Value> list, std::vector<v8::Local<v8::ArrayBuffer>> *buffers) {
    if (list->IsUndefined() || list->IsNull()) return true;
    if (!list->IsArray()) {
        ThrowCloneError(entry.isolate, "the transfer list is not an array");
        return false;
    }
    const std::vector<void *> &external = entry.self->external_buffers;
    auto array = list.As<v8::Array>();
    for (uint32_t index = 0; index < array->Length(); ++index) {
        v8::Local<v8::Value> value;
        if (!array->Get(entry.context, index).ToLocal(&value)) return false;
        if (!value->IsArrayBuffer()) {
            ThrowCloneError(entry.isolate, "a value in the transfer list cannot be transferred");
            return false;
        }
        auto buffer = value.As<v8::ArrayBuffer>();
        bool is_external = std::find(external.begin(), external.end(), buffer->Data()) != external.end();
        if (!buffer->IsDetachable() || buffer->WasDetached() || (is_external && buffer->ByteLength() > 0)) {
            ThrowCloneError(entry.isolate, "an ArrayBuffer is detached or cannot be transferred");
            return false;
        }
        if (std::find(buffers->begin(), buffers->end(), buffer) != buffers->end()) {
            ThrowCloneError(entry.isolate, "an ArrayBuffer is in the transfer list twice");
            return false;
        }
        buffers->push_back(buffer);
    }
    return true;
}

// Empty: an exception is pending or execution was terminated.
v8::MaybeLocal<v8::Value> Clone(RealmEntry &entry, v8::Local<v8::Value> value, v8::Local<v8::Value> transfer_list) {
    Shared shared(entry.isolate);
    std::vector<v8::Local<v8::ArrayBuffer>> buffers;
    if (!OpenTransferList(entry, transfer_list, &buffers)) return {};

    v8::ValueSerializer serializer(entry.isolate, &shared);
    serializer.WriteHeader();
    for (uint32_t id = 0; id < buffers.size(); ++id) serializer.TransferArrayBuffer(id, buffers[id]);
    if (!serializer.WriteValue(entry.context, value).FromMaybe(false)) return {};
    auto [bytes, size] = serializer.Release();
    std::unique_ptr<uint8_t, decltype(&free)> owned(bytes, free);

    v8::ValueDeserializer deserializer(entry.isolate, bytes, size, &shared);
    for (uint32_t id = 0; id < buffers.size(); ++id) {
        std::shared_ptr<v8::BackingStore> store = buffers[id]->GetBackingStore();
        buffers[id]->Detach();
        deserializer.TransferArrayBuffer(id, v8::ArrayBuffer::New(entry.isolate, std::move(store)));
    }
    if (!deserializer.ReadHeader(entry.context).FromMaybe(false)) return {};
    return deserializer.ReadValue(entry.context);
}

}  // namespace
}  // namespace sl

sl_v8_value *sl_v8_value_clone(sl_v8_realm *realm, sl_v8_value *value, sl_v8_value *transfer_list, sl_v8_exception **error) {
    *error = nullptr;
    sl::RealmEntry entry(realm);
    if (realm->isolate->Ended()) return nullptr;
    v8::TryCatch caught(entry.isolate);
    v8::Local<v8::Value> list = v8::Undefined(entry.isolate);
    if (transfer_list) list = sl::Open(entry.isolate, transfer_list);
    v8::Local<v8::Value> clone;
    if (!sl::Clone(entry, sl::Open(entry.isolate, value), list).ToLocal(&clone)) {
        sl::Report(entry, caught, error);
        return nullptr;
    }
    return sl::Retain(realm->isolate, clone);
}
