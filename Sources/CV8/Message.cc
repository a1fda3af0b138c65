// Structured serialization with transfer (https://html.spec.whatwg.org/#structuredserializewithtransfer), through V8's serializer: a value becomes a
// message, which another realm, of this isolate or of one on another thread, reads.
//
// What is not copied goes along as itself, and is named in the bytes by its index: memory of SharedArrayBuffers and compiled WebAssembly, which both
// sides then share; memory of ArrayBuffers that are transferred, which is taken from the sender without a copy; and host objects (MessagePorts), of
// which only their number travels: who reads makes new ones for it. None of it belongs to an isolate, so a message may outlive its sender and be freed
// on any thread.
//
// Host objects that have no number but a payload (Blobs, DOMExceptions) are copied: the payload's values one by one, but for the memory of its
// Uint8Arrays, which nobody changes, so both sides have it. One whose payload begins with a text is refused by that name. Objects of all other
// interfaces of the platform look like plain ones here; Suspects says which are shown to the script, to be refused.

#include <algorithm>
#include <unordered_map>

#include "internal.h"

struct sl_v8_message {
    uint8_t *bytes = nullptr;  // malloc's, V8's
    size_t length = 0;
    size_t moved_bytes = 0;
    size_t kept_bytes = 0;
    std::vector<std::shared_ptr<v8::BackingStore>> shared;
    std::vector<std::shared_ptr<v8::BackingStore>> moved;
    std::vector<std::shared_ptr<v8::BackingStore>> kept;  // of payloads
    std::vector<v8::CompiledWasmModule> modules;
    std::vector<double> objects;

    ~sl_v8_message() { free(bytes); }
};

namespace sl {
namespace {

constexpr int kHostObjectFields = 1;    // its number, or its payload
constexpr uint32_t kPayloadMax = 64;    // values
constexpr size_t kSuspectsMax = 10'000; // objects looked at, those next to the root first
// What a host object's bytes begin with: a payload follows, or, less this, the index in the transfer list.
constexpr uint32_t kPayloadFollows = 0, kFirstTransferred = 1;
// What a payload's value is.
constexpr uint32_t kPlainValue = 0, kSharedBytes = 1;

void ThrowCloneError(v8::Isolate *isolate, std::string_view message) {
    isolate->ThrowException(NewError(isolate, "DataCloneError", message));
}

// 11_limits.js knows it by its beginning.
void ThrowTooLarge(v8::Isolate *isolate, size_t bytes_max) {
    ThrowCloneError(isolate, "the message is larger than its limit of " + std::to_string(bytes_max) + " bytes");
}

bool IsHostObject(sl_v8_isolate *self, v8::Local<v8::Value> value) {
    return !self->host_object_shape.IsEmpty() && self->host_object_shape.Get(self->isolate)->HasInstance(value);
}

double NumberOf(v8::Isolate *isolate, v8::Local<v8::Object> object) {
    v8::Local<v8::Value> number = object->GetInternalField(0);
    return number->IsNumber() ? number.As<v8::Number>()->Value() : -1;
}

v8::MaybeLocal<v8::Object> NewHostObject(sl_v8_isolate *self, v8::Local<v8::Context> context, v8::Local<v8::Value> content) {
    v8::Isolate *isolate = self->isolate;
    if (self->host_object_shape.IsEmpty()) {
        v8::Local<v8::FunctionTemplate> shape = v8::FunctionTemplate::New(isolate);
        shape->InstanceTemplate()->SetInternalFieldCount(kHostObjectFields);
        self->host_object_shape.Reset(isolate, shape);
    }
    v8::Local<v8::Object> object;
    if (!self->host_object_shape.Get(isolate)->InstanceTemplate()->NewInstance(context).ToLocal(&object)) return {};
    object->SetInternalField(0, content);
    return object;
}

bool HasPayload(v8::Local<v8::Object> object) { return object->GetInternalField(0)->IsArray(); }

// ---- Writing ----

// Different objects in the order in which they were added.
class Objects {
public:
    // How many there are when it is not among them.
    size_t Find(v8::Local<v8::Object> object) const {
        auto [first, last] = places_.equal_range(object->GetIdentityHash());
        auto found = std::find_if(first, last, [&](const auto &entry) { return list_[entry.second] == object; });
        return found == last ? list_.size() : found->second;
    }

    // False: it is among them.
    bool Add(v8::Local<v8::Object> object) {
        if (Find(object) < list_.size()) return false;
        places_.emplace(object->GetIdentityHash(), list_.size());
        list_.push_back(object);
        return true;
    }

    size_t size() const { return list_.size(); }
    v8::Local<v8::Object> operator[](size_t index) const { return list_[index]; }

private:
    std::vector<v8::Local<v8::Object>> list_;
    std::unordered_multimap<int, size_t> places_;  // by identity hash
};

// Memory in the order in which it was added; each once.
class Stores {
public:
    explicit Stores(std::vector<std::shared_ptr<v8::BackingStore>> &list) : list_(list) {}

    // Its place. Whether it is new there.
    std::pair<uint32_t, bool> Add(std::shared_ptr<v8::BackingStore> store) {
        auto [found, is_new] = places_.try_emplace(store.get(), static_cast<uint32_t>(list_.size()));
        if (is_new) list_.push_back(std::move(store));
        return {found->second, is_new};
    }

private:
    std::vector<std::shared_ptr<v8::BackingStore>> &list_;
    std::unordered_map<const v8::BackingStore *, uint32_t> places_;
};

struct TransferList {
    Objects buffers;
    Objects objects;

    v8::Local<v8::ArrayBuffer> BufferAt(size_t index) const { return buffers[index].As<v8::ArrayBuffer>(); }
};

class Writing final : public v8::ValueSerializer::Delegate {
public:
    Writing(sl_v8_isolate *self, sl_v8_message *message, const TransferList &transfer)
        : serializer(self->isolate, this), bytes_max_(self->clone_bytes_max), isolate_(self->isolate), message_(message), transfer_(transfer), shared_(message->shared), kept_(message->kept) {}

    void ThrowDataCloneError(v8::Local<v8::String> message) override {
        if (is_over_) return ThrowTooLarge(isolate_, bytes_max_);
        ThrowCloneError(isolate_, ToString(isolate_, message, kExceptionTextMax));
    }

    // V8 asks for twice what it has at least. Null: it throws a DataCloneError.
    void *ReallocateBufferMemory(void *old, size_t size, size_t *actual_size) override {
        is_over_ = bytes_max_ && size > 2 * bytes_max_ + kCloneSlack;
        if (is_over_) return nullptr;
        *actual_size = size;
        return realloc(old, size);
    }

    void FreeBufferMemory(void *buffer) override { free(buffer); }

    v8::Maybe<uint32_t> GetSharedArrayBufferId(v8::Isolate *, v8::Local<v8::SharedArrayBuffer> buffer) override {
        return v8::Just(shared_.Add(buffer->GetBackingStore()).first);
    }

    v8::Maybe<uint32_t> GetWasmModuleTransferId(v8::Isolate *, v8::Local<v8::WasmModuleObject> module) override {
        message_->modules.push_back(module->GetCompiledModule());
        return v8::Just(static_cast<uint32_t>(message_->modules.size() - 1));
    }

    v8::Maybe<bool> WriteHostObject(v8::Isolate *, v8::Local<v8::Object> object) override {
        if (HasPayload(object)) return WritePayload(object);
        size_t place = transfer_.objects.Find(object);
        if (place == transfer_.objects.size()) {
            ThrowCloneError(isolate_, "Object that needs transfer was found in message but not listed in transferList");
            return v8::Nothing<bool>();
        }
        serializer.WriteUint32(kFirstTransferred + static_cast<uint32_t>(place));
        return v8::Just(true);
    }

    v8::ValueSerializer serializer;

private:
    v8::Maybe<bool> WritePayload(v8::Local<v8::Object> object) {
        v8::Local<v8::Context> context = isolate_->GetCurrentContext();
        auto payload = object->GetInternalField(0).As<v8::Array>();
        uint32_t count = std::min(payload->Length(), kPayloadMax - 1);
        v8::Local<v8::Value> kind, stack;
        if (!payload->Get(context, 0).ToLocal(&kind)) return v8::Nothing<bool>();
        if (kind->IsString()) {
            ThrowCloneError(isolate_, "#<" + ToString(isolate_, kind.As<v8::String>(), kExceptionTextMax) + "> could not be cloned.");
            return v8::Nothing<bool>();
        }
        bool has_stack = kind->IsNumber() && kind.As<v8::Number>()->Value() < 0;
        serializer.WriteUint32(kPayloadFollows);
        serializer.WriteUint32(has_stack ? count + 1 : count);
        for (uint32_t index = 0; index < count; ++index) {
            v8::Local<v8::Value> value;
            if (!payload->Get(context, index).ToLocal(&value) || !WriteOfPayload(context, value)) return v8::Nothing<bool>();
        }
        if (!has_stack) return v8::Just(true);
        if (!object->Get(context, Key(isolate_, "stack")).ToLocal(&stack)) return v8::Nothing<bool>();
        if (!stack->IsString()) stack = v8::Undefined(isolate_);
        return WriteOfPayload(context, stack) ? v8::Just(true) : v8::Nothing<bool>();
    }

    bool WriteOfPayload(v8::Local<v8::Context> context, v8::Local<v8::Value> value) {
        if (!value->IsUint8Array()) {
            serializer.WriteUint32(kPlainValue);
            return serializer.WriteValue(context, value).FromMaybe(false);
        }
        auto bytes = value.As<v8::Uint8Array>();
        std::shared_ptr<v8::BackingStore> store = bytes->Buffer()->GetBackingStore();
        size_t store_bytes = store->ByteLength();
        auto [place, is_new] = kept_.Add(std::move(store));
        if (is_new) message_->kept_bytes += store_bytes;
        serializer.WriteUint32(kSharedBytes);
        serializer.WriteUint32(place);
        serializer.WriteUint64(bytes->ByteOffset());
        serializer.WriteUint64(bytes->ByteLength());
        return true;
    }

    static constexpr size_t kCloneSlack = 1024;
    const size_t bytes_max_;  // 0: no limit
    bool is_over_ = false;
    v8::Isolate *const isolate_;
    sl_v8_message *const message_;
    const TransferList &transfer_;
    Stores shared_, kept_;
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
        if (IsHostObject(self, value) && NumberOf(isolate, value.As<v8::Object>()) >= 0) {
            if (!transfer->objects.Add(value.As<v8::Object>())) {
                ThrowCloneError(isolate, "an object is in the transfer list twice");
                return false;
            }
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
        if (!transfer->buffers.Add(buffer)) {
            ThrowCloneError(isolate, "an ArrayBuffer is in the transfer list twice");
            return false;
        }
    }
    return true;
}

// Finds objects of the platform that V8 took for plain ones: what `value` holds and has a class's prototype. Asks no getter again, so what one gave the
// serializer stays unseen.
class Suspects {
public:
    Suspects(v8::Isolate *isolate, v8::Local<v8::Context> context) : isolate_(isolate), context_(context), found_(v8::Array::New(isolate)) {}

    // Whether it is worth while: objects of the platform have no properties that V8 writes, but for those a program gave them, and for an event's.
    static bool MayBeIn(v8::Local<v8::Value> value, const uint8_t *bytes, size_t length) {
        if (!value->IsObject() || value->IsArrayBufferView() || value->IsArrayBuffer() || value->IsSharedArrayBuffer()) return false;
        constexpr std::string_view empty_object("o{\0", 3), event = "isTrusted";
        return HasClass(value.As<v8::Object>()) || memmem(bytes, length, empty_object.data(), empty_object.size()) ||
               memmem(bytes, length, event.data(), event.size());
    }

    v8::Local<v8::Array> Find(v8::Local<v8::Value> value) {
        Add(value);
        for (size_t at = 0; at < queue_.size(); ++at) Look(queue_[at]);
        return found_;
    }

private:
    // Its prototype is not the last: Object's is.
    static bool HasClass(v8::Local<v8::Object> object) {
        v8::Local<v8::Value> prototype = object->GetPrototype();
        return prototype->IsObject() && prototype.As<v8::Object>()->GetPrototype()->IsObject();
    }

    void Add(v8::Local<v8::Value> value) {
        if (!value->IsObject() || queue_.size() >= kSuspectsMax) return;
        auto object = value.As<v8::Object>();
        if (!object->IsProxy()) queue_.Add(object);
    }

    void Look(v8::Local<v8::Object> object) {
        if (object->IsMap() || object->IsSet()) {
            v8::Local<v8::Array> members = object->IsMap() ? object.As<v8::Map>()->AsArray() : object.As<v8::Set>()->AsArray();
            AddElements(members);
        } else if (object->IsArray()) {
            AddElements(object.As<v8::Array>());
        } else if (!IsLeaf(object)) {
            if (HasClass(object)) (void)found_->CreateDataProperty(context_, found_->Length(), object).FromMaybe(false);
            AddProperties(object);
        }
    }

    void AddElements(v8::Local<v8::Array> array) {
        uint32_t length = std::min<uint32_t>(array->Length(), kSuspectsMax);
        v8::Local<v8::Value> value;
        for (uint32_t index = 0; index < length; ++index) {
            if (array->Get(context_, index).ToLocal(&value)) Add(value);
        }
    }

    void AddProperties(v8::Local<v8::Object> object) {
        v8::Local<v8::Array> names;
        constexpr auto filter = static_cast<v8::PropertyFilter>(v8::ONLY_ENUMERABLE | v8::SKIP_SYMBOLS);
        if (!object->GetOwnPropertyNames(context_, filter, v8::KeyConversionMode::kConvertToString).ToLocal(&names)) return;
        uint32_t length = std::min<uint32_t>(names->Length(), kSuspectsMax);
        v8::Local<v8::Value> name, value;
        for (uint32_t index = 0; index < length; ++index) {
            if (names->Get(context_, index).ToLocal(&name) && name->IsName() && DataOf(object, name.As<v8::Name>()).ToLocal(&value)) Add(value);
        }
    }

    // Empty of an accessor.
    v8::MaybeLocal<v8::Value> DataOf(v8::Local<v8::Object> object, v8::Local<v8::Name> name) {
        v8::Local<v8::Value> descriptor;
        if (!object->GetOwnPropertyDescriptor(context_, name).ToLocal(&descriptor) || !descriptor->IsObject()) return {};
        return descriptor.As<v8::Object>()->GetRealNamedProperty(context_, Key(isolate_, "value"));
    }

    static bool IsLeaf(v8::Local<v8::Object> object) {
        return object->IsArrayBufferView() || object->IsArrayBuffer() || object->IsSharedArrayBuffer() || object->IsNativeError() ||
               object->InternalFieldCount() > 0 || object->IsStringObject();
    }

    v8::Isolate *const isolate_;
    const v8::Local<v8::Context> context_;
    const v8::Local<v8::Array> found_;
    Objects queue_;
};

// False: an exception is pending. `refuse` throws when it is given an array with an object that cannot be cloned; or it is no function.
bool Accept(v8::Isolate *isolate, v8::Local<v8::Context> context, v8::Local<v8::Value> value, v8::Local<v8::Value> refuse, const uint8_t *bytes,
            size_t length) {
    if (!refuse->IsFunction() || !Suspects::MayBeIn(value, bytes, length)) return true;
    v8::Local<v8::Array> found;
    {
        v8::TryCatch caught(isolate);  // of what cannot be looked at
        found = Suspects(isolate, context).Find(value);
        if (caught.HasTerminated()) {
            caught.ReThrow();
            return false;
        }
    }
    if (found->Length() == 0) return true;
    v8::Local<v8::Value> argument = found;
    return !refuse.As<v8::Function>()->Call(context, v8::Undefined(isolate), 1, &argument).IsEmpty();
}

// Null: an exception is pending or execution was terminated.
std::unique_ptr<sl_v8_message> Write(sl_v8_isolate *self, v8::Local<v8::Context> context, v8::Local<v8::Value> value,
                                     v8::Local<v8::Value> transfer_list, v8::Local<v8::Value> refuse) {
    auto message = std::make_unique<sl_v8_message>();
    TransferList transfer;
    if (!OpenTransferList(self, context, transfer_list, &transfer)) return nullptr;

    Writing writing(self, message.get(), transfer);
    writing.serializer.WriteHeader();
    for (uint32_t id = 0; id < transfer.buffers.size(); ++id) writing.serializer.TransferArrayBuffer(id, transfer.BufferAt(id));
    if (!writing.serializer.WriteValue(context, value).FromMaybe(false)) return nullptr;
    std::tie(message->bytes, message->length) = writing.serializer.Release();
    if (self->clone_bytes_max && message->length > self->clone_bytes_max) {
        ThrowTooLarge(self->isolate, self->clone_bytes_max);
        return nullptr;
    }
    if (!Accept(self->isolate, context, value, refuse, message->bytes, message->length)) return nullptr;
    // A getter among what was serialized may have detached what was to be moved.
    for (size_t index = 0; index < transfer.buffers.size(); ++index) {
        if (!transfer.BufferAt(index)->WasDetached()) continue;
        ThrowCloneError(self->isolate, "an ArrayBuffer is detached or cannot be transferred");
        return nullptr;
    }
    for (size_t index = 0; index < transfer.objects.size(); ++index) {
        message->objects.push_back(NumberOf(self->isolate, transfer.objects[index]));
    }
    for (size_t index = 0; index < transfer.buffers.size(); ++index) {
        v8::Local<v8::ArrayBuffer> buffer = transfer.BufferAt(index);
        message->moved_bytes += buffer->ByteLength();
        message->moved.push_back(buffer->GetBackingStore());
        buffer->Detach();
    }
    return message;
}

// ---- Reading ----

class Reading final : public v8::ValueDeserializer::Delegate {
public:
    Reading(sl_v8_isolate *self, v8::Local<v8::Context> context, const sl_v8_message *message, v8::Local<v8::Value> objects,
            v8::Local<v8::Value> revived)
        : deserializer(self->isolate, message->bytes, message->length, this), self_(self), isolate_(self->isolate), context_(context),
          message_(message), objects_(objects), revived_(revived), stores_(message->kept.size()) {}

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
        bool is_whole = deserializer.ReadUint32(&index);
        if (is_whole && index == kPayloadFollows) return ReadPayload();
        if (!is_whole || !objects_->IsArray() ||
            !objects_.As<v8::Array>()->Get(context_, index - kFirstTransferred).ToLocal(&object) || !object->IsObject()) {
            ThrowCloneError(isolate_, "an object of the message is not there");
            return {};
        }
        return object.As<v8::Object>();
    }

    v8::ValueDeserializer deserializer;

private:
    // A bare host object: the script makes of it what the payload says.
    v8::MaybeLocal<v8::Object> ReadPayload() {
        uint32_t count = 0;
        v8::Local<v8::Value> values[kPayloadMax];
        if (!revived_->IsArray() || !deserializer.ReadUint32(&count) || count > kPayloadMax) return {};
        for (uint32_t index = 0; index < count; ++index) {
            if (!ReadOfPayload().ToLocal(&values[index])) return {};
        }
        v8::Local<v8::Array> payload = v8::Array::New(isolate_, values, count);
        v8::Local<v8::Object> object;
        if (!NewHostObject(self_, context_, payload).ToLocal(&object)) return {};
        auto revived = revived_.As<v8::Array>();
        uint32_t at = revived->Length();
        if (!revived->CreateDataProperty(context_, at, object).FromMaybe(false) ||
            !revived->CreateDataProperty(context_, at + 1, payload).FromMaybe(false)) {
            return {};
        }
        return object;
    }

    v8::MaybeLocal<v8::Value> ReadOfPayload() {
        uint32_t what = 0, index = 0;
        uint64_t offset = 0, length = 0;
        if (!deserializer.ReadUint32(&what)) return {};
        if (what == kPlainValue) return deserializer.ReadValue(context_);
        if (!deserializer.ReadUint32(&index) || !deserializer.ReadUint64(&offset) || !deserializer.ReadUint64(&length)) return {};
        if (index >= stores_.size()) return {};
        v8::Local<v8::ArrayBuffer> &buffer = stores_[index];
        if (buffer.IsEmpty()) buffer = v8::ArrayBuffer::New(isolate_, message_->kept[index]);
        if (offset > buffer->ByteLength() || length > buffer->ByteLength() - offset) return {};
        return v8::Uint8Array::New(buffer, static_cast<size_t>(offset), static_cast<size_t>(length)).As<v8::Value>();
    }

    sl_v8_isolate *const self_;
    v8::Isolate *const isolate_;
    const v8::Local<v8::Context> context_;
    const sl_v8_message *const message_;
    const v8::Local<v8::Value> objects_;
    const v8::Local<v8::Value> revived_;
    std::vector<v8::Local<v8::ArrayBuffer>> stores_;  // of the message's kept memory, made when asked for
};

// Empty: an exception is pending or execution was terminated. `objects` and `revived` are arrays or undefined. A message whose memory was moved is
// read once.
v8::MaybeLocal<v8::Value> Read(sl_v8_isolate *self, v8::Local<v8::Context> context, sl_v8_message *message, v8::Local<v8::Value> objects,
                               v8::Local<v8::Value> revived) {
    v8::Isolate *isolate = self->isolate;
    Reading reading(self, context, message, objects, revived);
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
    v8::Local<v8::Value> none = v8::Undefined(entry.isolate);
    std::unique_ptr<sl_v8_message> message = sl::Write(entry.self, entry.context, sl::Open(entry.isolate, value), list, none);
    if (!message || !sl::Read(entry.self, entry.context, message.get(), none, none).ToLocal(&clone)) {
        sl::Report(entry, caught, error);
        return nullptr;
    }
    return sl::Retain(realm->isolate, clone);
}

sl_v8_message *sl_v8_args_write_message(sl_v8_args *args, size_t value, size_t transfer, size_t refuse) {
    v8::Isolate *isolate = args->info.GetIsolate();
    return sl::Write(args->isolate, isolate->GetCurrentContext(), args->info[static_cast<int>(value)],
                     args->info[static_cast<int>(transfer)], args->info[static_cast<int>(refuse)])
        .release();
}

bool sl_v8_args_return_message(sl_v8_args *args, sl_v8_message *message, size_t objects, size_t revived) {
    v8::Isolate *isolate = args->info.GetIsolate();
    v8::Local<v8::Value> value;
    bool is_read = sl::Read(args->isolate, isolate->GetCurrentContext(), message, args->info[static_cast<int>(objects)],
                            args->info[static_cast<int>(revived)])
                       .ToLocal(&value);
    if (is_read) args->info.GetReturnValue().Set(value);
    return is_read;
}

void sl_v8_args_return_host_object(sl_v8_args *args, double number) {
    v8::Isolate *isolate = args->info.GetIsolate();
    v8::Local<v8::Object> object;
    if (sl::NewHostObject(args->isolate, isolate->GetCurrentContext(), v8::Number::New(isolate, number)).ToLocal(&object)) {
        args->info.GetReturnValue().Set(object);
    }
}

void sl_v8_args_return_serializable(sl_v8_args *args, size_t prototype, size_t payload) {
    v8::Local<v8::Context> context = args->info.GetIsolate()->GetCurrentContext();
    v8::Local<v8::Object> object;
    if (!sl::NewHostObject(args->isolate, context, args->info[static_cast<int>(payload)]).ToLocal(&object)) return;
    if (!object->SetPrototype(context, args->info[static_cast<int>(prototype)]).FromMaybe(false)) return;
    args->info.GetReturnValue().Set(object);
}

size_t sl_v8_message_bytes(const sl_v8_message *message) { return message->length + message->moved_bytes + message->kept_bytes; }

size_t sl_v8_message_object_count(const sl_v8_message *message) { return message->objects.size(); }

double sl_v8_message_object_at(const sl_v8_message *message, size_t index) {
    return index < message->objects.size() ? message->objects[index] : -1;
}

void sl_v8_message_free(sl_v8_message *message) { delete message; }
