// Values the host holds, and what can be done with them.

#include "internal.h"

namespace sl {

sl_v8_value *Retain(sl_v8_isolate *isolate, v8::Local<v8::Value> value) {
    auto *retained = new sl_v8_value;
    retained->isolate = isolate;
    retained->handle.Reset(isolate->isolate, value);
    isolate->values.Insert(retained);
    return retained;
}

void ForgetValues(sl_v8_isolate *isolate) {
    while (sl_v8_value *value = isolate->values.first) {
        isolate->values.Remove(value);
        value->handle.Reset();
        value->isolate = nullptr;
    }
    while (sl_v8_resolver *resolver = isolate->resolvers.first) {
        isolate->resolvers.Remove(resolver);
        resolver->handle.Reset();
        resolver->context.Reset();
        resolver->isolate = nullptr;
    }
}

sl_v8_type TypeOf(v8::Local<v8::Value> value) {
    if (value->IsUndefined()) return SL_V8_UNDEFINED;
    if (value->IsNull()) return SL_V8_NULL;
    if (value->IsString()) return SL_V8_STRING;
    if (value->IsNumber()) return SL_V8_NUMBER;
    if (value->IsBoolean()) return SL_V8_BOOL;
    if (value->IsFunction()) return SL_V8_FUNCTION;
    if (value->IsArray()) return SL_V8_ARRAY;
    if (value->IsArrayBufferView() || value->IsArrayBuffer() || value->IsSharedArrayBuffer()) return SL_V8_BYTES;
    if (value->IsPromise()) return SL_V8_PROMISE;
    if (value->IsBigInt()) return SL_V8_BIGINT;
    if (value->IsSymbol()) return SL_V8_SYMBOL;
    return SL_V8_OBJECT;
}

bool BytesOf(v8::Local<v8::Value> value, uint8_t **bytes, size_t *length) {
    if (value->IsArrayBufferView()) {
        auto view = value.As<v8::ArrayBufferView>();
        v8::Local<v8::ArrayBuffer> buffer = view->Buffer();
        if (buffer->WasDetached()) return false;
        *bytes = static_cast<uint8_t *>(buffer->Data()) + view->ByteOffset();
        *length = view->ByteLength();
        return true;
    }
    if (value->IsArrayBuffer()) {
        auto buffer = value.As<v8::ArrayBuffer>();
        if (buffer->WasDetached()) return false;
        *bytes = static_cast<uint8_t *>(buffer->Data());
        *length = buffer->ByteLength();
        return true;
    }
    if (value->IsSharedArrayBuffer()) {
        auto buffer = value.As<v8::SharedArrayBuffer>();
        *bytes = static_cast<uint8_t *>(buffer->Data());
        *length = buffer->ByteLength();
        return true;
    }
    return false;
}

}  // namespace sl

void sl_v8_value_release(sl_v8_value *value) {
    if (!value) return;
    if (sl_v8_isolate *isolate = value->isolate) {
        sl::CheckThread(isolate);
        isolate->values.Remove(value);
    }
    delete value;
}

sl_v8_type sl_v8_value_type(sl_v8_isolate *self, sl_v8_value *value) {
    sl::Entry entry(self);
    return sl::TypeOf(sl::Open(entry.isolate, value));
}

// ---- Making ----

sl_v8_value *sl_v8_value_string(sl_v8_isolate *self, const char *bytes, size_t length) {
    sl::Entry entry(self);
    v8::Local<v8::String> string;
    if (!sl::NewString(entry.isolate, bytes, length).ToLocal(&string)) string = v8::String::Empty(entry.isolate);
    return sl::Retain(self, string);
}

sl_v8_value *sl_v8_value_number(sl_v8_isolate *self, double number) {
    sl::Entry entry(self);
    return sl::Retain(self, v8::Number::New(entry.isolate, number));
}

sl_v8_value *sl_v8_value_bool(sl_v8_isolate *self, bool flag) {
    sl::Entry entry(self);
    return sl::Retain(self, v8::Boolean::New(entry.isolate, flag));
}

sl_v8_value *sl_v8_value_undefined(sl_v8_isolate *self) {
    sl::Entry entry(self);
    return sl::Retain(self, v8::Undefined(entry.isolate));
}

sl_v8_value *sl_v8_value_null(sl_v8_isolate *self) {
    sl::Entry entry(self);
    return sl::Retain(self, v8::Null(entry.isolate));
}

sl_v8_value *sl_v8_value_copy(sl_v8_isolate *self, sl_v8_value *value) {
    sl::Entry entry(self);
    return sl::Retain(self, sl::Open(entry.isolate, value));
}

sl_v8_value *sl_v8_value_object(sl_v8_realm *realm) {
    sl::RealmEntry entry(realm);
    return sl::Retain(realm->isolate, v8::Object::New(entry.isolate));
}

sl_v8_value *sl_v8_value_buffer(sl_v8_realm *realm, const void *bytes, size_t length) {
    sl::RealmEntry entry(realm);
    std::unique_ptr<v8::BackingStore> store = sl::CopyToBackingStore(realm->isolate, bytes, bytes ? length : 0);
    return sl::Retain(realm->isolate, v8::ArrayBuffer::New(entry.isolate, std::move(store)));
}

sl_v8_value *sl_v8_value_uint8_array(sl_v8_realm *realm, const void *bytes, size_t length) {
    sl::RealmEntry entry(realm);
    std::unique_ptr<v8::BackingStore> store = sl::CopyToBackingStore(realm->isolate, bytes, bytes ? length : 0);
    v8::Local<v8::ArrayBuffer> buffer = v8::ArrayBuffer::New(entry.isolate, std::move(store));
    return sl::Retain(realm->isolate, v8::Uint8Array::New(buffer, 0, buffer->ByteLength()));
}

sl_v8_value *sl_v8_value_owned_bytes(sl_v8_realm *realm, void *memory, size_t length, size_t shown, void (*release)(void *, size_t)) {
    struct Owner {
        std::shared_ptr<sl::BufferAllocator> allocator;
        void (*release)(void *, size_t);
    };
    sl::RealmEntry entry(realm);
    auto *owner = new Owner{realm->isolate->allocator, release};
    if (owner->allocator) owner->allocator->Count(length);
    auto release_counted = [](void *data, size_t length, void *context) {
        std::unique_ptr<Owner> owner(static_cast<Owner *>(context));
        if (owner->allocator) owner->allocator->Uncount(length);
        owner->release(data, length);
    };
    std::unique_ptr<v8::BackingStore> store = v8::ArrayBuffer::NewBackingStore(memory, length, release_counted, owner);
    v8::Local<v8::ArrayBuffer> buffer = v8::ArrayBuffer::New(entry.isolate, std::move(store));
    return sl::Retain(realm->isolate, v8::Uint8Array::New(buffer, 0, shown < length ? shown : length));
}

sl_v8_value *sl_v8_value_external_buffer(sl_v8_realm *realm, void *bytes, size_t length) {
    sl::RealmEntry entry(realm);
    std::unique_ptr<v8::BackingStore> store =
        v8::ArrayBuffer::NewBackingStore(bytes, length, v8::BackingStore::EmptyDeleter, nullptr);
    realm->isolate->external_buffers.push_back(bytes);
    return sl::Retain(realm->isolate, v8::ArrayBuffer::New(entry.isolate, std::move(store)));
}

// ---- Reading ----

sl_v8_string sl_v8_value_utf8(sl_v8_isolate *self, sl_v8_value *value) {
    sl::Entry entry(self);
    v8::Local<v8::Value> local = sl::Open(entry.isolate, value);
    if (local->IsString()) return sl::CopyString(entry.isolate, local.As<v8::String>());
    v8::Local<v8::Context> context;
    if (self->realms.first) context = self->realms.first->context.Get(entry.isolate);
    return sl::CopyString(sl::Describe(entry.isolate, context, local));
}

double sl_v8_value_to_number(sl_v8_isolate *self, sl_v8_value *value) {
    sl::Entry entry(self);
    v8::Local<v8::Value> local = sl::Open(entry.isolate, value);
    return local->IsNumber() ? local.As<v8::Number>()->Value() : __builtin_nan("");
}

bool sl_v8_value_to_bool(sl_v8_isolate *self, sl_v8_value *value) {
    sl::Entry entry(self);
    return sl::Open(entry.isolate, value)->BooleanValue(entry.isolate);
}

bool sl_v8_value_bytes(sl_v8_isolate *self, sl_v8_value *value, uint8_t **bytes, size_t *length) {
    sl::Entry entry(self);
    return sl::BytesOf(sl::Open(entry.isolate, value), bytes, length);
}

// ---- Properties and calls ----

sl_v8_value *sl_v8_value_get(sl_v8_realm *realm, sl_v8_value *object, const char *key, sl_v8_exception **error) {
    *error = nullptr;
    sl::RealmEntry entry(realm);
    if (realm->isolate->Ended()) return nullptr;
    v8::TryCatch caught(entry.isolate);
    v8::Local<v8::Object> target;
    v8::Local<v8::Value> value;
    if (!sl::Open(entry.isolate, object)->ToObject(entry.context).ToLocal(&target) ||
        !target->Get(entry.context, sl::Key(entry.isolate, key)).ToLocal(&value)) {
        sl::Report(entry, caught, error);
        return nullptr;
    }
    return sl::Retain(realm->isolate, value);
}

bool sl_v8_value_set(sl_v8_realm *realm, sl_v8_value *object, const char *key, sl_v8_value *value) {
    sl::RealmEntry entry(realm);
    if (realm->isolate->Ended()) return false;
    v8::TryCatch caught(entry.isolate);
    v8::Local<v8::Object> target;
    return sl::Open(entry.isolate, object)->ToObject(entry.context).ToLocal(&target) &&
           target->Set(entry.context, sl::Key(entry.isolate, key), sl::Open(entry.isolate, value)).FromMaybe(false);
}

sl_v8_value *sl_v8_call(sl_v8_realm *realm, sl_v8_value *function, sl_v8_value *receiver, sl_v8_value *const *arguments,
                        size_t count, sl_v8_exception **error) {
    *error = nullptr;
    sl::RealmEntry entry(realm);
    if (realm->isolate->Ended()) return nullptr;
    v8::Local<v8::Value> callee = sl::Open(entry.isolate, function);
    if (!callee->IsFunction()) {
        sl::Fail(entry, "TypeError", "what was to be called is not a function", error);
        return nullptr;
    }
    v8::Local<v8::Value> few[8];
    std::vector<v8::Local<v8::Value>> many;
    v8::Local<v8::Value> *locals = few;
    if (count > std::size(few)) {
        many.resize(count);
        locals = many.data();
    }
    for (size_t index = 0; index < count; ++index) locals[index] = sl::Open(entry.isolate, arguments[index]);

    v8::TryCatch caught(entry.isolate);
    v8::Local<v8::Value> self = receiver ? sl::Open(entry.isolate, receiver) : v8::Undefined(entry.isolate).As<v8::Value>();
    v8::Local<v8::Value> result;
    if (!callee.As<v8::Function>()->Call(entry.context, self, static_cast<int>(count), locals).ToLocal(&result)) {
        sl::Report(entry, caught, error);
        return nullptr;
    }
    return sl::Retain(realm->isolate, result);
}

namespace {

// The end of both calls below. Nothing is kept of the result.
bool CallAndForget(sl::RealmEntry &entry, sl_v8_value *function, int count, v8::Local<v8::Value> *arguments, sl_v8_exception **error) {
    v8::Local<v8::Value> callee = sl::Open(entry.isolate, function);
    if (!callee->IsFunction()) {
        sl::Fail(entry, "TypeError", "what was to be called is not a function", error);
        return false;
    }
    v8::TryCatch caught(entry.isolate);
    if (!callee.As<v8::Function>()->Call(entry.context, v8::Undefined(entry.isolate), count, arguments).IsEmpty()) return true;
    sl::Report(entry, caught, error);
    return false;
}

}  // namespace

bool sl_v8_call_text(sl_v8_realm *realm, sl_v8_value *function, double number, const uint8_t *bytes, size_t length, sl_v8_exception **error) {
    *error = nullptr;
    sl::RealmEntry entry(realm);
    if (realm->isolate->Ended()) return false;
    v8::Local<v8::String> text;
    if (length > v8::String::kMaxLength ||
        !v8::String::NewFromOneByte(entry.isolate, bytes, v8::NewStringType::kNormal, static_cast<int>(length)).ToLocal(&text)) {
        sl::Fail(entry, "RangeError", "string is too long for V8", error);
        return false;
    }
    v8::Local<v8::Value> arguments[] = {v8::Number::New(entry.isolate, number), text};
    if (!CallAndForget(entry, function, 2, arguments, error)) return false;
    sl::version::SetContinuationData(entry.context, v8::Undefined(entry.isolate));
    v8::TryCatch caught(entry.isolate);
    entry.isolate->PerformMicrotaskCheckpoint();
    return !caught.HasTerminated() && !realm->isolate->Ended();
}

bool sl_v8_call_numbers(sl_v8_realm *realm, sl_v8_value *function, const double *numbers, size_t count, sl_v8_exception **error) {
    *error = nullptr;
    sl::RealmEntry entry(realm);
    if (realm->isolate->Ended()) return false;
    v8::Local<v8::Value> arguments[4];
    if (count > std::size(arguments)) sl::Misuse("more than four numbers in a call");
    for (size_t index = 0; index < count; ++index) arguments[index] = v8::Number::New(entry.isolate, numbers[index]);
    return CallAndForget(entry, function, static_cast<int>(count), arguments, error);
}
