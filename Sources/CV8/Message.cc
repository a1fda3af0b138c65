// Structured serialization with transfer (https://html.spec.whatwg.org/#structuredserializewithtransfer), through V8's serializer: a value becomes a
// message, which another realm, of this isolate or of one on another thread, reads.
//
// What is not copied goes along as itself, and is named in the bytes by its index: memory of SharedArrayBuffers and compiled WebAssembly, which both
// sides then share; memory of ArrayBuffers that are transferred, which is taken from the sender without a copy; and host objects (MessagePorts), of
// which only their number travels: who reads makes new ones for it. None of it belongs to an isolate, so a message may outlive its sender and be freed
// on any thread.

#include <algorithm>

#include "internal.h"

struct sl_v8_message {
    uint8_t *bytes = nullptr;  // malloc's, V8's
    size_t length = 0;
    size_t moved_bytes = 0;
    std::vector<std::shared_ptr<v8::BackingStore>> shared;
    std::vector<std::shared_ptr<v8::BackingStore>> moved;
    std::vector<v8::CompiledWasmModule> modules;
    std::vector<double> objects;

    ~sl_v8_message() { free(bytes); }
};

namespace sl {
namespace {

constexpr int kHostObjectFields = 1;  // its number

void ThrowCloneError(v8::Isolate *isolate, std::string_view message) {
    isolate->ThrowException(NewError(isolate, "DataCloneError", message));
}

bool IsHostObject(sl_v8_isolate *self, v8::Local<v8::Value> value) {
    return !self->host_object_shape.IsEmpty() && self->host_object_shape.Get(self->isolate)->HasInstance(value);
}

double NumberOf(v8::Isolate *isolate, v8::Local<v8::Object> object) {
    v8::Local<v8::Value> number = object->GetInternalField(0);
    return number->IsNumber() ? number.As<v8::Number>()->Value() : -1;
}

// ---- Writing ----

struct TransferList {
    std::vector<v8::Local<v8::ArrayBuffer>> buffers;
    std::vector<v8::Local<v8::Object>> objects;
};

class Writing final : public v8::ValueSerializer::Delegate {
public:
    Writing(v8::Isolate *isolate, sl_v8_message *message, const TransferList &transfer)
        : serializer(isolate, this), isolate_(isolate), message_(message), transfer_(transfer) {}

    void ThrowDataCloneError(v8::Local<v8::String> message) override {
        ThrowCloneError(isolate_, ToString(isolate_, message, kExceptionTextMax));
    }

    v8::Maybe<uint32_t> GetSharedArrayBufferId(v8::Isolate *, v8::Local<v8::SharedArrayBuffer> buffer) override {
        std::shared_ptr<v8::BackingStore> store = buffer->GetBackingStore();
        auto &shared = message_->shared;
        auto found = std::find(shared.begin(), shared.end(), store);
        if (found == shared.end()) found = shared.insert(found, store);
        return v8::Just(static_cast<uint32_t>(found - shared.begin()));
    }

    v8::Maybe<uint32_t> GetWasmModuleTransferId(v8::Isolate *, v8::Local<v8::WasmModuleObject> module) override {
        message_->modules.push_back(module->GetCompiledModule());
        return v8::Just(static_cast<uint32_t>(message_->modules.size() - 1));
    }

    v8::Maybe<bool> WriteHostObject(v8::Isolate *, v8::Local<v8::Object> object) override {
        const auto &objects = transfer_.objects;
        auto found = std::find(objects.begin(), objects.end(), object);
        if (found == objects.end()) {
            ThrowCloneError(isolate_, "Object that needs transfer was found in message but not listed in transferList");
            return v8::Nothing<bool>();
        }
        serializer.WriteUint32(static_cast<uint32_t>(found - objects.begin()));
        return v8::Just(true);
    }

    v8::ValueSerializer serializer;

private:
    v8::Isolate *const isolate_;
    sl_v8_message *const message_;
    const TransferList &transfer_;
};

// False: an exception is pending.
bool OpenTransferList(sl_v8_isolate *self, v8::Local<v8::Context> context, v8::Local<v8::Value> list, TransferList *transfer) {
    v8::Isolate *isolate = self->isolate;
    if (list->IsUndefined() || list->IsNull()) return true;
    if (!list->IsArray()) {
        ThrowCloneError(isolate, "the transfer list is not an array");
        return false;
    }
    const std::vector<void *> &external = self->external_buffers;
    auto array = list.As<v8::Array>();
    for (uint32_t index = 0; index < array->Length(); ++index) {
        v8::Local<v8::Value> value;
        if (!array->Get(context, index).ToLocal(&value)) return false;
        if (IsHostObject(self, value)) {
            auto object = value.As<v8::Object>();
            // A Worker, say: known to serialization so that it is refused.
            if (NumberOf(isolate, object) < 0) {
                ThrowCloneError(isolate, "a value in the transfer list cannot be transferred");
                return false;
            }
            if (std::find(transfer->objects.begin(), transfer->objects.end(), object) != transfer->objects.end()) {
                ThrowCloneError(isolate, "an object is in the transfer list twice");
                return false;
            }
            transfer->objects.push_back(object);
            continue;
        }
        if (!value->IsArrayBuffer()) {
            ThrowCloneError(isolate, "a value in the transfer list cannot be transferred");
            return false;
        }
        auto buffer = value.As<v8::ArrayBuffer>();
        bool is_external = std::find(external.begin(), external.end(), buffer->Data()) != external.end();
        if (!buffer->IsDetachable() || buffer->WasDetached() || (is_external && buffer->ByteLength() > 0)) {
            ThrowCloneError(isolate, "an ArrayBuffer is detached or cannot be transferred");
            return false;
        }
        if (std::find(transfer->buffers.begin(), transfer->buffers.end(), buffer) != transfer->buffers.end()) {
            ThrowCloneError(isolate, "an ArrayBuffer is in the transfer list twice");
            return false;
        }
        transfer->buffers.push_back(buffer);
    }
    return true;
}

// Null: an exception is pending or execution was terminated.
std::unique_ptr<sl_v8_message> Write(sl_v8_isolate *self, v8::Local<v8::Context> context, v8::Local<v8::Value> value,
                                     v8::Local<v8::Value> transfer_list) {
    auto message = std::make_unique<sl_v8_message>();
    TransferList transfer;
    if (!OpenTransferList(self, context, transfer_list, &transfer)) return nullptr;

    Writing writing(self->isolate, message.get(), transfer);
    writing.serializer.WriteHeader();
    for (uint32_t id = 0; id < transfer.buffers.size(); ++id) writing.serializer.TransferArrayBuffer(id, transfer.buffers[id]);
    if (!writing.serializer.WriteValue(context, value).FromMaybe(false)) return nullptr;
    // A getter among what was serialized may have detached what was to be moved.
    for (v8::Local<v8::ArrayBuffer> buffer : transfer.buffers) {
        if (!buffer->WasDetached()) continue;
        ThrowCloneError(self->isolate, "an ArrayBuffer is detached or cannot be transferred");
        return nullptr;
    }
    for (v8::Local<v8::Object> object : transfer.objects) message->objects.push_back(NumberOf(self->isolate, object));
    for (v8::Local<v8::ArrayBuffer> buffer : transfer.buffers) {
        message->moved_bytes += buffer->ByteLength();
        message->moved.push_back(buffer->GetBackingStore());
        buffer->Detach();
    }
    auto [bytes, length] = writing.serializer.Release();
    message->bytes = bytes;
    message->length = length;
    return message;
}

// ---- Reading ----

class Reading final : public v8::ValueDeserializer::Delegate {
public:
    Reading(v8::Isolate *isolate, v8::Local<v8::Context> context, const sl_v8_message *message, v8::Local<v8::Value> objects)
        : deserializer(isolate, message->bytes, message->length, this), isolate_(isolate), context_(context), message_(message),
          objects_(objects) {}

    v8::MaybeLocal<v8::SharedArrayBuffer> GetSharedArrayBufferFromId(v8::Isolate *, uint32_t id) override {
        if (id >= message_->shared.size()) return {};
        return v8::SharedArrayBuffer::New(isolate_, message_->shared[id]);
    }

    v8::MaybeLocal<v8::WasmModuleObject> GetWasmModuleFromId(v8::Isolate *, uint32_t id) override {
        if (id >= message_->modules.size()) return {};
        return v8::WasmModuleObject::FromCompiledModule(isolate_, message_->modules[id]);
    }

    v8::MaybeLocal<v8::Object> ReadHostObject(v8::Isolate *) override {
        uint32_t index = 0;
        v8::Local<v8::Value> object;
        if (!deserializer.ReadUint32(&index) || !objects_->IsArray() ||
            !objects_.As<v8::Array>()->Get(context_, index).ToLocal(&object) || !object->IsObject()) {
            ThrowCloneError(isolate_, "an object of the message is not there");
            return {};
        }
        return object.As<v8::Object>();
    }

    v8::ValueDeserializer deserializer;

private:
    v8::Isolate *const isolate_;
    const v8::Local<v8::Context> context_;
    const sl_v8_message *const message_;
    const v8::Local<v8::Value> objects_;
};

// Empty: an exception is pending or execution was terminated. `objects` is an array or undefined. A message whose memory was moved is read once.
v8::MaybeLocal<v8::Value> Read(v8::Isolate *isolate, v8::Local<v8::Context> context, sl_v8_message *message, v8::Local<v8::Value> objects) {
    Reading reading(isolate, context, message, objects);
    for (uint32_t id = 0; id < message->moved.size(); ++id) {
        reading.deserializer.TransferArrayBuffer(id, v8::ArrayBuffer::New(isolate, std::move(message->moved[id])));
    }
    // One that several read (BroadcastChannel) moves nothing, and is not written to.
    if (!message->moved.empty()) message->moved.clear();
    if (!reading.deserializer.ReadHeader(context).FromMaybe(false)) return {};
    return reading.deserializer.ReadValue(context);
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
    std::unique_ptr<sl_v8_message> message = sl::Write(entry.self, entry.context, sl::Open(entry.isolate, value), list);
    if (!message || !sl::Read(entry.isolate, entry.context, message.get(), v8::Undefined(entry.isolate)).ToLocal(&clone)) {
        sl::Report(entry, caught, error);
        return nullptr;
    }
    return sl::Retain(realm->isolate, clone);
}

sl_v8_message *sl_v8_args_write_message(sl_v8_args *args, size_t value, size_t transfer) {
    v8::Isolate *isolate = args->info.GetIsolate();
    return sl::Write(args->isolate, isolate->GetCurrentContext(), args->info[static_cast<int>(value)],
                     args->info[static_cast<int>(transfer)])
        .release();
}

bool sl_v8_args_return_message(sl_v8_args *args, sl_v8_message *message, size_t objects) {
    v8::Isolate *isolate = args->info.GetIsolate();
    v8::Local<v8::Value> value;
    bool is_read =
        sl::Read(isolate, isolate->GetCurrentContext(), message, args->info[static_cast<int>(objects)]).ToLocal(&value);
    if (is_read) args->info.GetReturnValue().Set(value);
    return is_read;
}

void sl_v8_args_return_host_object(sl_v8_args *args, double number) {
    v8::Isolate *isolate = args->info.GetIsolate();
    sl_v8_isolate *self = args->isolate;
    if (self->host_object_shape.IsEmpty()) {
        v8::Local<v8::FunctionTemplate> shape = v8::FunctionTemplate::New(isolate);
        shape->InstanceTemplate()->SetInternalFieldCount(sl::kHostObjectFields);
        self->host_object_shape.Reset(isolate, shape);
    }
    v8::Local<v8::FunctionTemplate> shape = self->host_object_shape.Get(isolate);
    v8::Local<v8::Object> object;
    if (!shape->InstanceTemplate()->NewInstance(isolate->GetCurrentContext()).ToLocal(&object)) return;
    object->SetInternalField(0, v8::Number::New(isolate, number));
    args->info.GetReturnValue().Set(object);
}

size_t sl_v8_message_bytes(const sl_v8_message *message) { return message->length + message->moved_bytes; }

size_t sl_v8_message_object_count(const sl_v8_message *message) { return message->objects.size(); }

double sl_v8_message_object_at(const sl_v8_message *message, size_t index) {
    return index < message->objects.size() ? message->objects[index] : -1;
}

void sl_v8_message_free(sl_v8_message *message) { delete message; }
