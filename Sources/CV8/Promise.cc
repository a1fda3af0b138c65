// Promises: their state, promises the host settles, and rejections nobody handles.

#include "internal.h"

#include <iterator>

namespace sl {
namespace {

void OnRejection(v8::PromiseRejectMessage message) {
    v8::PromiseRejectEvent event = message.GetEvent();
    if (event != v8::kPromiseRejectWithNoHandler && event != v8::kPromiseHandlerAddedAfterReject) return;

    v8::Local<v8::Promise> promise = message.GetPromise();
    v8::Isolate *isolate = promise->GetIsolate();
    v8::HandleScope handles(isolate);
    sl_v8_isolate *self = Self(isolate);
    if (!self->host.rejection) return;
    v8::Local<v8::Context> context;
    if (!version::CreationContext(promise).ToLocal(&context)) return;
    sl_v8_realm *realm = RealmOf(context);
    if (!realm) return;

    auto &rejections = self->rejections;
    if (event == v8::kPromiseRejectWithNoHandler) {
        if (rejections.size() >= kRejectionsMax) {
            std::erase_if(rejections, [](const auto &one) { return one.second.promise.IsEmpty(); });
            // Still full: an eighth at a time, so that a program that rejects in a loop does not search the table each time.
            if (rejections.size() >= kRejectionsMax) rejections.erase(rejections.begin(), std::next(rejections.begin(), kRejectionsMax / 8));
        }
        uint64_t id = self->next_rejection++;
        auto place = rejections.emplace(promise->GetIdentityHash(), sl_v8_isolate::Rejection{id, v8::Global<v8::Promise>(isolate, promise)});
        place->second.promise.SetWeak();
        sl_v8_value *reason = Retain(self, message.GetValue());
        sl_v8_value *rejected = Retain(self, promise);
        self->host.rejection(self->host.context, realm, id, false, rejected, reason);
        sl_v8_value_release(rejected);
        sl_v8_value_release(reason);
        return;
    }
    auto [candidate, end] = rejections.equal_range(promise->GetIdentityHash());
    for (; candidate != end; ++candidate) {
        if (candidate->second.promise != promise) continue;
        uint64_t id = candidate->second.id;
        rejections.erase(candidate);
        sl_v8_value *handled = Retain(self, promise);
        self->host.rejection(self->host.context, realm, id, true, handled, nullptr);
        sl_v8_value_release(handled);
        return;
    }
}

// Only where their number is limited: V8 calls this four times a promise.
void OnPromise(v8::PromiseHookType type, v8::Local<v8::Promise> promise, v8::Local<v8::Value>) {
    if (type != v8::PromiseHookType::kInit && type != v8::PromiseHookType::kResolve) return;
    sl_v8_isolate *self = Self(promise->GetIsolate());
    if (type == v8::PromiseHookType::kResolve) {
        if (self->promises_pending > 0) --self->promises_pending;
        return;
    }
    if (++self->promises_pending <= self->promises_max) return;
    int none = SL_V8_END_NONE;
    self->end_reason.compare_exchange_strong(none, SL_V8_END_PROMISE_LIMIT);
    self->isolate->TerminateExecution();
}

// Settling runs user code (a thenable's `then`), which may throw into the promise or be terminated.
template <typename Settle>
void SettleAndFree(sl_v8_resolver *resolver, Settle settle) {
    if (sl_v8_isolate *self = resolver->isolate) {
        Entry entry(self);
        // Of an ended isolate the promise is settled too, but a getter named `then` ends at its first instruction.
        if (self->Ended()) entry.isolate->TerminateExecution();
        v8::Local<v8::Context> context = resolver->context.Get(entry.isolate);
        v8::Context::Scope scope(context);
        v8::TryCatch caught(entry.isolate);
        settle(entry.isolate, context, resolver->handle.Get(entry.isolate));
        self->resolvers.Remove(resolver);
    }
    delete resolver;
}

}  // namespace

void SetUpRejections(sl_v8_isolate *self) { self->isolate->SetPromiseRejectCallback(OnRejection); }

void LimitPromises(sl_v8_isolate *self, size_t count) {
    self->promises_max = count;
    self->isolate->SetPromiseHook(OnPromise);
}

}  // namespace sl

sl_v8_promise_state sl_v8_promise_state_of(sl_v8_isolate *self, sl_v8_value *promise) {
    sl::Entry entry(self);
    v8::Local<v8::Value> value = sl::Open(entry.isolate, promise);
    if (!value->IsPromise()) return SL_V8_FULFILLED;
    switch (value.As<v8::Promise>()->State()) {
    case v8::Promise::kPending: return SL_V8_PENDING;
    case v8::Promise::kFulfilled: return SL_V8_FULFILLED;
    case v8::Promise::kRejected: return SL_V8_REJECTED;
    }
}

sl_v8_value *sl_v8_promise_result(sl_v8_isolate *self, sl_v8_value *promise) {
    sl::Entry entry(self);
    v8::Local<v8::Value> value = sl::Open(entry.isolate, promise);
    if (!value->IsPromise()) return sl::Retain(self, value);
    if (value.As<v8::Promise>()->State() == v8::Promise::kPending) return sl::Retain(self, v8::Undefined(entry.isolate));
    return sl::Retain(self, value.As<v8::Promise>()->Result());
}

sl_v8_resolver *sl_v8_resolver_create(sl_v8_realm *realm) {
    sl::RealmEntry entry(realm);
    v8::Local<v8::Promise::Resolver> handle;
    auto *resolver = new sl_v8_resolver;
    resolver->isolate = realm->isolate;
    resolver->context.Reset(entry.isolate, entry.context);
    // Fails only when a stack overflow or termination is under way; settling such a resolver does nothing.
    v8::TryCatch caught(entry.isolate);
    if (v8::Promise::Resolver::New(entry.context).ToLocal(&handle)) resolver->handle.Reset(entry.isolate, handle);
    realm->isolate->resolvers.Insert(resolver);
    return resolver;
}

sl_v8_value *sl_v8_resolver_promise(sl_v8_resolver *resolver) {
    sl::Entry entry(resolver->isolate);
    if (resolver->handle.IsEmpty()) return sl::Retain(resolver->isolate, v8::Undefined(entry.isolate));
    return sl::Retain(resolver->isolate, resolver->handle.Get(entry.isolate)->GetPromise());
}

void sl_v8_resolver_resolve(sl_v8_resolver *resolver, sl_v8_value *value) {
    sl::SettleAndFree(resolver, [value](v8::Isolate *isolate, v8::Local<v8::Context> context, auto handle) {
        if (!handle.IsEmpty()) (void)handle->Resolve(context, sl::Open(isolate, value));
    });
}

void sl_v8_resolver_reject(sl_v8_resolver *resolver, sl_v8_value *reason) {
    sl::SettleAndFree(resolver, [reason](v8::Isolate *isolate, v8::Local<v8::Context> context, auto handle) {
        if (!handle.IsEmpty()) (void)handle->Reject(context, sl::Open(isolate, reason));
    });
}

void sl_v8_isolate_forget_promises(sl_v8_isolate *self) { self->promises_pending = 0; }
