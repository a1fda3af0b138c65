// Functions of the host that JavaScript calls.
//
// An op is a JS function whose data is an index into the process's table, and whose native address is one of the few below: a snapshot
// holds such functions as index and address, so they work in another process, where the realm's `context` pointer is found
// when they are called. The native ops have addresses of their own.

#include <cmath>

#include "internal.h"

namespace sl {
namespace {

using Info = v8::FunctionCallbackInfo<v8::Value>;

// ---- Table ----

struct Op {
    std::string name;
    sl_v8_callback callback;
};

// Grows only, and only before the first isolate; never freed, for worker threads outlive static destructors.
struct OpTable {
    std::mutex lock;
    std::vector<Op> ops;
};

OpTable &Ops() {
    static auto *table = new OpTable;
    return *table;
}

// ---- Native ops: the hot path ----
//
// Each has two entries. Optimised code calls the direct one like any C function: 10 ns, where the way through V8's call of an API function takes
// 40. Within a direct call nothing may be allocated on the JavaScript heap and nothing thrown; it returns numbers and bools only. Its
// receiver is the ops object, which belongs to the caller's realm.

inline void StoreTime(sl_v8_isolate *self) {
    *self->clock_cell = TimeFor(self);
    self->waker.Look();
}

void Now(const Info &info) { StoreTime(Self(info.GetIsolate())); }

void NowDirect(v8::Local<v8::Object>) { StoreTime(entered_isolate); }

void GetContext(const Info &info) {
    info.GetReturnValue().Set(version::ContinuationData(info.GetIsolate()->GetCurrentContext()));
}

void SetContext(const Info &info) { version::SetContinuationData(info.GetIsolate()->GetCurrentContext(), info[0]); }

// Calls `body` with the caller's realm in a direct call. Looking up where an object was created costs 130 instructions, and is needed only
// where there are, or were, several realms.
template <typename Body>
auto WithContextOf(v8::Local<v8::Object> ops, Body body) {
    sl_v8_isolate *self = entered_isolate;
    // A Global's slot is as good as a Local's while the Global lives, and needs no handle scope.
    if (self->only_realm) return body(self, *reinterpret_cast<v8::Local<v8::Context> *>(&self->only_realm->context));
    v8::HandleScope scope(self->isolate);
    return body(self, version::CreationContext(ops).ToLocalChecked());
}

void SetContextDirect(v8::Local<v8::Object> ops, v8::Local<v8::Value> value) {
    WithContextOf(ops, [&](sl_v8_isolate *, v8::Local<v8::Context> context) { version::SetContinuationData(context, value); });
}

// enter(value): sets the context and stores the time; returns the context before.
void EnterContext(const Info &info) {
    v8::Isolate *isolate = info.GetIsolate();
    v8::Local<v8::Context> context = isolate->GetCurrentContext();
    info.GetReturnValue().Set(version::ContinuationData(context));
    version::SetContinuationData(context, info[0]);
    StoreTime(Self(isolate));
}

// enterFrom(expected, value): whether the context was `expected`; if so it is `value` now and the time is stored. For callers that have a
// good guess: a direct call cannot return the context.
bool TryEnter(sl_v8_isolate *self, v8::Local<v8::Context> context, v8::Local<v8::Value> expected, v8::Local<v8::Value> value) {
    v8::HandleScope scope(self->isolate);
    if (version::ContinuationData(context) != expected) return false;
    version::SetContinuationData(context, value);
    StoreTime(self);
    return true;
}

void EnterContextFrom(const Info &info) {
    v8::Isolate *isolate = info.GetIsolate();
    info.GetReturnValue().Set(TryEnter(Self(isolate), isolate->GetCurrentContext(), info[0], info[1]));
}

bool EnterContextFromDirect(v8::Local<v8::Object> ops, v8::Local<v8::Value> expected, v8::Local<v8::Value> value) {
    return WithContextOf(
        ops, [&](sl_v8_isolate *self, v8::Local<v8::Context> context) { return TryEnter(self, context, expected, value); });
}

struct NativeOp {
    const char *name;
    v8::FunctionCallback callback;
    v8::CFunction direct;
};
const NativeOp kNativeOps[] = {
    {"now", Now, v8::CFunction::Make(NowDirect)},
    {"enter", EnterContext, {}},
    {"enterFrom", EnterContextFrom, v8::CFunction::Make(EnterContextFromDirect)},
    {"context", GetContext, {}},
    {"setContext", SetContext, v8::CFunction::Make(SetContextDirect)},
};

// ---- All others ----

void CallOp(const Info &info) {
    v8::Isolate *isolate = info.GetIsolate();
    sl_v8_isolate *self = Self(isolate);
    sl_v8_realm *realm = RealmOf(isolate->GetCurrentContext());
    if (!realm) {
        isolate->ThrowException(NewError(isolate, "Error", "the realm of this function is gone"));
        return;
    }
    auto index = static_cast<size_t>(info.Data().As<v8::Int32>()->Value());
    sl_v8_args args = {info, self, realm};
    Ops().ops[index].callback(realm->ops_context, &args);
    // Whoever ended the isolate within this call meant the code around it too.
    if (self->Ended() && !isolate->IsExecutionTerminating()) isolate->TerminateExecution();
}

void InstallFunction(RealmEntry &entry, v8::Local<v8::Object> ops, std::string_view name, v8::FunctionCallback callback, int index,
                     const v8::CFunction &direct = {}) {
    v8::Local<v8::String> key = Key(entry.isolate, name);
    v8::Local<v8::Function> function;
    if (!version::NewFunction(entry.context, callback, v8::Integer::New(entry.isolate, index), direct.GetAddress() ? &direct : nullptr)
             .ToLocal(&function)) {
        return;
    }
    function->SetName(key);
    (void)ops->CreateDataProperty(entry.context, key, function).FromMaybe(false);
}

}  // namespace

const intptr_t *ExternalReferences() {
    static const std::vector<intptr_t> references = [] {
        std::vector<intptr_t> addresses = {reinterpret_cast<intptr_t>(CallOp)};
        for (const NativeOp &native : kNativeOps) {
            addresses.push_back(reinterpret_cast<intptr_t>(native.callback));
            if (!native.direct.GetAddress()) continue;
            addresses.push_back(reinterpret_cast<intptr_t>(native.direct.GetAddress()));
            addresses.push_back(reinterpret_cast<intptr_t>(native.direct.GetTypeInfo()));
        }
        AddStaticTexts(&addresses);
        addresses.push_back(0);
        return addresses;
    }();
    return references.data();
}

size_t OpCount() { return Ops().ops.size(); }

bool IsOp(std::string_view name) {
    for (const Op &op : Ops().ops) {
        if (op.name == name) return true;
    }
    return false;
}

uint64_t OpNamesHash(size_t count) {
    uint64_t hash = 0;
    for (size_t index = 0; index < count; ++index) {
        const std::string &name = Ops().ops[index].name;
        hash = Checksum(name.data(), name.size(), hash + 1);
    }
    return hash;
}

}  // namespace sl

bool sl_v8_op_register(const char *name, sl_v8_callback callback) {
    sl::OpTable &table = sl::Ops();
    std::lock_guard lock(table.lock);
    if (table.ops.size() >= sl::kOpsMax) return false;
    for (const sl::NativeOp &native : sl::kNativeOps) {
        if (native.name == std::string_view(name)) return false;
    }
    for (const sl::Op &op : table.ops) {
        if (op.name == name) return false;
    }
    table.ops.push_back({name, callback});
    return true;
}

sl_v8_value *sl_v8_realm_install_ops(sl_v8_realm *realm, void *context) {
    sl::RealmEntry entry(realm);
    realm->ops_context = context;
    v8::Local<v8::Value> installed = entry.context->GetEmbedderData(sl::kOpsSlot);
    size_t first = 0;
    v8::Local<v8::Object> ops;
    if (installed->IsObject()) {
        // Of a snapshot, or asked for again. Ops registered since the snapshot was made are added.
        ops = installed.As<v8::Object>();
        first = realm->ops_installed;
    } else {
        ops = v8::Object::New(entry.isolate);
        entry.context->SetEmbedderData(sl::kOpsSlot, ops);
        for (const sl::NativeOp &native : sl::kNativeOps) sl::InstallFunction(entry, ops, native.name, native.callback, 0, native.direct);
    }
    const std::vector<sl::Op> &table = sl::Ops().ops;
    for (size_t index = first; index < table.size(); ++index) {
        sl::InstallFunction(entry, ops, table[index].name, sl::CallOp, static_cast<int>(index));
    }
    realm->ops_installed = table.size();
    return sl::Retain(realm->isolate, ops);
}

void sl_v8_isolate_set_clock(sl_v8_isolate *self, double *cell, double monotonic_base_nanoseconds) {
    sl::CheckThread(self);
    self->clock_cell = cell;
    self->clock.set_base(monotonic_base_nanoseconds);
}

void sl_v8_isolate_set_waker(sl_v8_isolate *self, const uint32_t *head, const uint32_t *wake_at, int descriptor) {
    sl::CheckThread(self);
    self->waker = {reinterpret_cast<const std::atomic<uint32_t> *>(head), reinterpret_cast<const std::atomic<uint32_t> *>(wake_at), descriptor};
}

void sl_v8_isolate_wake_if_due(sl_v8_isolate *self) {
    sl::CheckThread(self);
    self->waker.Look();
}

sl_v8_value *sl_v8_isolate_continuation(sl_v8_isolate *self) {
    sl::Entry entry(self);
    // During a collection no context is current, but the one that was entered is still known.
    v8::Local<v8::Context> context =
        entry.isolate->InContext() ? entry.isolate->GetCurrentContext() : entry.isolate->GetEnteredOrMicrotaskContext();
    if (context.IsEmpty()) return nullptr;
    return sl::Retain(self, sl::version::ContinuationData(context));
}

double sl_v8_isolate_now(sl_v8_isolate *self) {
    sl::CheckThread(self);
    return sl::TimeFor(self);
}

// ---- Arguments ----

size_t sl_v8_args_count(sl_v8_args *args) { return static_cast<size_t>(args->info.Length()); }

sl_v8_type sl_v8_args_type(sl_v8_args *args, size_t index) { return sl::TypeOf(args->info[static_cast<int>(index)]); }

double sl_v8_args_number(sl_v8_args *args, size_t index) {
    v8::Local<v8::Value> value = args->info[static_cast<int>(index)];
    return value->IsNumber() ? value.As<v8::Number>()->Value() : NAN;
}

int64_t sl_v8_args_int64(sl_v8_args *args, size_t index) {
    v8::Local<v8::Value> value = args->info[static_cast<int>(index)];
    if (value->IsBigInt()) return value.As<v8::BigInt>()->Int64Value();
    if (!value->IsNumber()) return 0;
    double number = value.As<v8::Number>()->Value();
    if (std::isnan(number)) return 0;
    return number >= 0x1p63 ? INT64_MAX : number < -0x1p63 ? INT64_MIN : static_cast<int64_t>(number);
}

bool sl_v8_args_bool(sl_v8_args *args, size_t index) {
    return args->info[static_cast<int>(index)]->BooleanValue(args->info.GetIsolate());
}

sl_v8_string sl_v8_args_string(sl_v8_args *args, size_t index) {
    v8::Isolate *isolate = args->info.GetIsolate();
    v8::Local<v8::Value> value = args->info[static_cast<int>(index)];
    if (value->IsString()) return sl::CopyString(isolate, value.As<v8::String>());
    if (value->IsObject()) return sl::CopyString("");
    return sl::CopyString(sl::Describe(isolate, isolate->GetCurrentContext(), value));
}

sl_v8_value *sl_v8_args_value(sl_v8_args *args, size_t index) {
    return sl::Retain(args->isolate, args->info[static_cast<int>(index)]);
}

bool sl_v8_args_bytes(sl_v8_args *args, size_t index, uint8_t **bytes, size_t *length) {
    return sl::BytesOf(args->info[static_cast<int>(index)], bytes, length);
}

ptrdiff_t sl_v8_args_write_utf8(sl_v8_args *args, size_t index, void *target, size_t capacity) {
    v8::Local<v8::Value> value = args->info[static_cast<int>(index)];
    if (!value->IsString()) return 0;
    auto string = value.As<v8::String>();
    int units = 0;
    int written = sl::version::WriteUtf8(args->info.GetIsolate(), string, static_cast<char *>(target),
                                         static_cast<int>(std::min<size_t>(capacity, INT32_MAX)), &units);
    return units == string->Length() ? written : -1;
}

size_t sl_v8_args_write_utf8_prefix(sl_v8_args *args, size_t index, void *target, size_t capacity, size_t *units) {
    *units = 0;
    v8::Local<v8::Value> value = args->info[static_cast<int>(index)];
    if (!value->IsString() || capacity == 0) return 0;
    int characters = 0;
    int written = sl::version::WriteUtf8(args->info.GetIsolate(), value.As<v8::String>(), static_cast<char *>(target),
                                         static_cast<int>(std::min<size_t>(capacity, INT32_MAX)), &characters);
    *units = static_cast<size_t>(characters);
    return static_cast<size_t>(written);
}

size_t sl_v8_args_utf8_max(sl_v8_args *args, size_t index) {
    v8::Local<v8::Value> value = args->info[static_cast<int>(index)];
    if (!value->IsString()) return 0;
    auto string = value.As<v8::String>();
    return static_cast<size_t>(string->Length()) * (string->IsOneByte() ? 2 : 3);
}

ptrdiff_t sl_v8_args_write_latin1(sl_v8_args *args, size_t index, void *target, size_t capacity) {
    v8::Local<v8::Value> value = args->info[static_cast<int>(index)];
    if (!value->IsString()) return -1;
    auto string = value.As<v8::String>();
    if (static_cast<size_t>(string->Length()) > capacity || !string->ContainsOnlyOneByte()) return -1;
    return string->WriteOneByte(args->info.GetIsolate(), static_cast<uint8_t *>(target), 0, string->Length(),
                                v8::String::NO_NULL_TERMINATION);
}

sl_v8_brand sl_v8_args_brand(sl_v8_args *args, size_t index) {
    v8::Local<v8::Value> value = args->info[static_cast<int>(index)];
    if (!value->IsObject()) return SL_V8_BRAND_NONE;
    if (value->IsProxy()) return SL_V8_BRAND_PROXY;
    if (value->IsFunction()) {
        bool is_async = value->IsAsyncFunction();
        if (value->IsGeneratorFunction()) return is_async ? SL_V8_BRAND_ASYNC_GENERATOR_FUNCTION : SL_V8_BRAND_GENERATOR_FUNCTION;
        return is_async ? SL_V8_BRAND_ASYNC_FUNCTION : SL_V8_BRAND_NONE;
    }
    if (value->IsPromise()) return SL_V8_BRAND_PROMISE;
    if (value->IsNativeError()) return SL_V8_BRAND_ERROR;
    if (value->IsMapIterator()) return SL_V8_BRAND_MAP_ITERATOR;
    if (value->IsSetIterator()) return SL_V8_BRAND_SET_ITERATOR;
    if (value->IsWeakMap()) return SL_V8_BRAND_WEAK_MAP;
    if (value->IsWeakSet()) return SL_V8_BRAND_WEAK_SET;
    if (value->IsArgumentsObject()) return SL_V8_BRAND_ARGUMENTS;
    if (value->IsGeneratorObject()) return SL_V8_BRAND_GENERATOR;
    if (value->IsModuleNamespaceObject()) return SL_V8_BRAND_MODULE;
    return value->IsExternal() ? SL_V8_BRAND_EXTERNAL : SL_V8_BRAND_NONE;
}

// Of V8's own (src/objects/js-objects.h), by its symbol: the interface has nothing that does it. A handle is the address of a slot, as a v8::Local is. Where V8 has
// no such function nothing is done, which costs speed only.
extern "C" __attribute__((weak)) void sl_v8_normalize_properties(v8::Isolate *isolate, v8::Value **object, int mode, int expected, const char *reason) __asm__(
    "_ZN2v88internal8JSObject19NormalizePropertiesEPNS0_7IsolateENS0_6HandleIS1_EENS0_25PropertyNormalizationModeEiPKc");

void sl_v8_args_make_slow(sl_v8_args *args, size_t index) {
    v8::Local<v8::Value> value = args->info[static_cast<int>(index)];
    if (!value->IsObject() || value->IsProxy()) sl::Misuse("only plain objects can be made slow");
    constexpr int kKeepInObjectProperties = 1;
    if (sl_v8_normalize_properties != nullptr) sl_v8_normalize_properties(args->info.GetIsolate(), reinterpret_cast<v8::Value **>(*value), kKeepInObjectProperties, 0, "sidelight");
}

void sl_v8_args_return_inside(sl_v8_args *args, size_t index) {
    v8::Isolate *isolate = args->info.GetIsolate();
    v8::Local<v8::Value> value = args->info[static_cast<int>(index)];
    v8::Local<v8::Value> pair[2];
    if (value->IsProxy()) {
        pair[0] = value.As<v8::Proxy>()->GetTarget();
        pair[1] = value.As<v8::Proxy>()->GetHandler();
    } else if (value->IsPromise()) {
        v8::Promise::PromiseState state = value.As<v8::Promise>()->State();
        pair[0] = v8::Integer::New(isolate, state == v8::Promise::kPending     ? SL_V8_PENDING
                                            : state == v8::Promise::kFulfilled ? SL_V8_FULFILLED
                                                                               : SL_V8_REJECTED);
        pair[1] = state == v8::Promise::kPending ? v8::Undefined(isolate).As<v8::Value>() : value.As<v8::Promise>()->Result();
    } else if (value->IsMapIterator() || value->IsSetIterator() || value->IsWeakMap() || value->IsWeakSet()) {
        bool are_pairs = false;
        v8::Local<v8::Array> entries;
        if (!value.As<v8::Object>()->PreviewEntries(&are_pairs).ToLocal(&entries)) return args->info.GetReturnValue().SetNull();
        pair[0] = v8::Boolean::New(isolate, are_pairs);
        pair[1] = entries;
    } else {
        return args->info.GetReturnValue().SetNull();
    }
    args->info.GetReturnValue().Set(v8::Array::New(isolate, pair, 2));
}

sl_v8_isolate *sl_v8_args_isolate(sl_v8_args *args) { return args->isolate; }

sl_v8_realm *sl_v8_args_realm(sl_v8_args *args) { return args->realm; }

// ---- Result ----

void sl_v8_args_return_number(sl_v8_args *args, double number) {
    if (number >= INT32_MIN && number <= INT32_MAX) {
        auto whole = static_cast<int32_t>(number);
        if (whole == number && !(whole == 0 && std::signbit(number))) {
            args->info.GetReturnValue().Set(whole);
            return;
        }
    }
    args->info.GetReturnValue().Set(number);
}

void sl_v8_args_return_bool(sl_v8_args *args, bool flag) { args->info.GetReturnValue().Set(flag); }

void sl_v8_args_return_null(sl_v8_args *args) { args->info.GetReturnValue().SetNull(); }

namespace {

void ReturnString(sl_v8_args *args, v8::MaybeLocal<v8::String> made) {
    v8::Local<v8::String> string;
    if (!made.ToLocal(&string)) {
        constexpr std::string_view message = "string is too long for V8";
        sl_v8_args_throw(args, "RangeError", message.data(), message.size(), nullptr);
        return;
    }
    args->info.GetReturnValue().Set(string);
}

}  // namespace

void sl_v8_args_return_string(sl_v8_args *args, const char *bytes, size_t length) {
    ReturnString(args, sl::NewString(args->info.GetIsolate(), bytes, length));
}

bool sl_v8_args_return_ascii(sl_v8_args *args, const char *bytes, size_t length) {
    if (!sl::IsAscii(bytes, length)) return false;
    v8::Isolate *isolate = args->info.GetIsolate();
    if (length > static_cast<size_t>(v8::String::kMaxLength)) {
        ReturnString(args, {});
    } else {
        ReturnString(args, length == 0 ? v8::String::Empty(isolate)
                                       : sl::NewOneByteString(isolate, reinterpret_cast<const uint8_t *>(bytes), length));
    }
    return true;
}

void sl_v8_args_return_utf16(sl_v8_args *args, uint16_t *units, size_t length) {
    v8::Isolate *isolate = args->info.GetIsolate();
    if (length > static_cast<size_t>(v8::String::kMaxLength)) return ReturnString(args, {});
    if (length == 0) return ReturnString(args, v8::String::Empty(isolate));
    uint16_t all = 0;
    for (size_t index = 0; index < length; ++index) all |= units[index];
    if (all > 0xFF) {
        return ReturnString(args, sl::NewTwoByteString(isolate, units, length));
    }
    // In place: what is written lies before what is still to be read.
    auto *bytes = reinterpret_cast<uint8_t *>(units);
    for (size_t index = 0; index < length; ++index) bytes[index] = static_cast<uint8_t>(units[index]);
    ReturnString(args, sl::NewOneByteString(isolate, bytes, length));
}

void sl_v8_args_return_utf8_of(sl_v8_args *args, size_t index) {
    v8::Isolate *isolate = args->info.GetIsolate();
    v8::Local<v8::Value> value = args->info[static_cast<int>(index)];
    auto string = value->IsString() ? value.As<v8::String>() : v8::String::Empty(isolate);
    size_t length = static_cast<size_t>(string->Length());
    std::unique_ptr<v8::BackingStore> store;
    // A one-byte string is ASCII more often than not: its bytes are copied, and then looked at.
    if (length > 0 && string->IsOneByte()) {
        store = sl::CopyToBackingStore(args->isolate, nullptr, length);
        auto *bytes = static_cast<char *>(store->Data());
        string->WriteOneByte(isolate, reinterpret_cast<uint8_t *>(bytes), 0, static_cast<int>(length), v8::String::NO_NULL_TERMINATION);
        if (!sl::IsAscii(bytes, length)) store.reset();
    }
    if (!store) {
        length = static_cast<size_t>(sl::version::Utf8Length(isolate, string));
        store = sl::CopyToBackingStore(args->isolate, nullptr, length);
        int units = 0;
        if (length > 0) sl::version::WriteUtf8(isolate, string, static_cast<char *>(store->Data()), static_cast<int>(length), &units);
    }
    v8::Local<v8::ArrayBuffer> buffer = v8::ArrayBuffer::New(isolate, std::move(store));
    args->info.GetReturnValue().Set(v8::Uint8Array::New(buffer, 0, length));
}

void sl_v8_args_return_value(sl_v8_args *args, sl_v8_value *value) { args->info.GetReturnValue().Set(value->handle); }

void sl_v8_args_throw(sl_v8_args *args, const char *kind, const char *message, size_t message_length, const char *code) {
    v8::Isolate *isolate = args->info.GetIsolate();
    v8::Local<v8::Value> error = sl::NewError(isolate, kind, {message, message_length});
    if (code && error->IsObject()) {
        (void)error.As<v8::Object>()->CreateDataProperty(isolate->GetCurrentContext(), sl::Key(isolate, "code"),
                                                         sl::Key(isolate, code));
    }
    isolate->ThrowException(error);
}

void sl_v8_args_throw_value(sl_v8_args *args, sl_v8_value *value) {
    v8::Isolate *isolate = args->info.GetIsolate();
    isolate->ThrowException(sl::Open(isolate, value));
}
