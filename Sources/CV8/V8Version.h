// What differs between versions of V8, and nothing else: the rest of the bridge does not test version numbers.
// Written against 10.2 (Debian's libnode-dev 18). To move to another V8, add its branch here until the bridge compiles.
#pragma once

#include <v8-version.h>
#if __has_include(<v8-fast-api-calls.h>)
#include <v8-fast-api-calls.h>
#else
// Debian's folder of V8's headers has all but this one, which is in Node's, beside it.
#include <../nodejs/deps/v8/include/v8-fast-api-calls.h>
#endif

#if V8_MAJOR_VERSION != 10 || V8_MINOR_VERSION != 2
#error "The V8 bridge knows V8 10.2 only: add the differences of this version to V8Version.h"
#endif

namespace sl::version {

// A language feature of this V8 that is on in every browser and Node of its time, but not in V8 itself; direct calls of native functions
// from optimised code, which later versions have on; no checksum of the snapshot for every isolate, which later versions check in debug builds
// only: eight million instructions for two megabytes, and Snapshot.cc has checked them; and, as later versions have it, a function of
// WebAssembly is compiled when it is first called. It is validated with its module all the same.
constexpr char kDefaultFlags[] =
    "--harmony-import-assertions --turbo-fast-api-calls --no-verify-snapshot-checksum --wasm-lazy-compilation";

// ModuleRequest::GetImportAssertions is a flat list of (key, value, source offset); the list given to the host's import() callback
// is one of (key, value).
constexpr int kStaticAssertionStride = 3;
constexpr int kDynamicAssertionStride = 2;

// Continuation-preserved embedder data belongs to the native context here; later versions keep it on the isolate.
inline v8::Local<v8::Value> ContinuationData(v8::Local<v8::Context> context) {
    return context->GetContinuationPreservedEmbedderData();
}

inline void SetContinuationData(v8::Local<v8::Context> context, v8::Local<v8::Value> value) {
    context->SetContinuationPreservedEmbedderData(value);
}

// A native function with a second address, or null, that optimised code calls directly.
inline v8::MaybeLocal<v8::Function> NewFunction(v8::Local<v8::Context> context, v8::FunctionCallback callback, v8::Local<v8::Value> data,
                                                const v8::CFunction *direct) {
    return v8::FunctionTemplate::New(context->GetIsolate(), callback, data, {}, 0, v8::ConstructorBehavior::kThrow,
                                     v8::SideEffectType::kHasSideEffect, direct)
        ->GetFunction(context);
}

inline v8::MaybeLocal<v8::Context> CreationContext(v8::Local<v8::Object> object) { return object->GetCreationContext(); }

inline int Utf8Length(v8::Isolate *isolate, v8::Local<v8::String> string) { return string->Utf8Length(isolate); }

// Bytes written. `characters` tells how many UTF-16 units of the string fitted.
inline int WriteUtf8(v8::Isolate *isolate, v8::Local<v8::String> string, char *target, int capacity, int *characters) {
    return string->WriteUtf8(isolate, target, capacity, characters,
                             v8::String::NO_NULL_TERMINATION | v8::String::REPLACE_INVALID_UTF8);
}

// What `sl_v8_host.gc` calls a kind of collection.
inline uint32_t CollectionKind(v8::GCType type) {
    switch (type) {
    case v8::kGCTypeScavenge:
    case v8::kGCTypeMinorMarkCompact: return 1;
    case v8::kGCTypeMarkSweepCompact: return 2;
    case v8::kGCTypeIncrementalMarking: return 4;
    case v8::kGCTypeProcessWeakCallbacks: return 8;
    default: return 0;
    }
}

inline v8::ScriptOrigin Origin(v8::Isolate *isolate, v8::Local<v8::Value> name, bool is_module) {
    return v8::ScriptOrigin(isolate, name, 0, 0, false, -1, v8::Local<v8::Value>(), false, false, is_module);
}

using ImportCallback = v8::MaybeLocal<v8::Promise> (*)(v8::Local<v8::Context>, v8::Local<v8::Data>, v8::Local<v8::Value>,
                                                       v8::Local<v8::String>, v8::Local<v8::FixedArray>);

inline void SetImportCallback(v8::Isolate *isolate, ImportCallback callback) {
    isolate->SetHostImportModuleDynamicallyCallback(static_cast<v8::HostImportModuleDynamicallyCallback>(callback));
}

}  // namespace sl::version
