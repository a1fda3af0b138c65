// A realm: a V8 context, its modules and its pending imports.

#include "internal.h"

namespace sl {

sl_v8_realm *AdoptContext(sl_v8_isolate *isolate, v8::Local<v8::Context> context) {
    auto *realm = new sl_v8_realm;
    realm->isolate = isolate;
    realm->context.Reset(isolate->isolate, context);
    context->SetAlignedPointerInEmbedderData(kRealmSlot, realm);
    v8::Local<v8::Value> error;
    if (DataProperty(context, context->Global(), "Error", &error) == Lookup::kFound && error->IsObject()) {
        realm->error_constructor.Reset(isolate->isolate, error.As<v8::Object>());
    }
    isolate->realms.Insert(realm);
    isolate->only_realm = isolate->had_realm ? nullptr : realm;
    isolate->had_realm = true;
    return realm;
}

void DisposeRealm(sl_v8_realm *realm) {
    sl_v8_isolate *self = realm->isolate;
    realm->context.Get(self->isolate)->SetAlignedPointerInEmbedderData(kRealmSlot, nullptr);
    ForgetModules(realm);
    self->realms.Remove(realm);
    if (self->only_realm == realm) self->only_realm = nullptr;
    delete realm;
}

}  // namespace sl

sl_v8_realm *sl_v8_realm_create(sl_v8_isolate *self, bool from_snapshot) {
    sl::Entry entry(self);
    v8::Local<v8::Context> context;
    if (from_snapshot && self->has_snapshot_realm) {
        if (!v8::Context::FromSnapshot(self->isolate, 0).ToLocal(&context)) {
            sl::ReportFatal("sl_v8_realm_create", "the snapshot has no realm");
        }
    } else {
        context = v8::Context::New(self->isolate);
        // No context: the heap is full at the very start, or this thread's stack is. Nothing can run without one.
        if (context.IsEmpty()) sl::ReportFatal("sl_v8_realm_create", "V8 could not create a context");
        context->SetEmbedderData(sl::kOpsSlot, v8::Undefined(self->isolate));
    }
    sl_v8_realm *realm = sl::AdoptContext(self, context);
    if (from_snapshot) realm->ops_installed = self->snapshot_ops;
    return realm;
}

void sl_v8_realm_dispose(sl_v8_realm *realm) {
    sl_v8_isolate *self = realm->isolate;
    sl::Entry entry(self);
    sl::DisposeRealm(realm);
    self->isolate->ContextDisposedNotification(false);
}

sl_v8_isolate *sl_v8_realm_isolate(sl_v8_realm *realm) { return realm->isolate; }

sl_v8_value *sl_v8_realm_global(sl_v8_realm *realm) {
    sl::RealmEntry entry(realm);
    return sl::Retain(realm->isolate, entry.context->Global());
}

void sl_v8_realm_allow_eval(sl_v8_realm *realm, bool allowed, const char *message) {
    sl::RealmEntry entry(realm);
    entry.context->AllowCodeGenerationFromStrings(allowed);
    entry.context->SetErrorMessageForCodeGenerationFromStrings(sl::Key(entry.isolate, message));
}
