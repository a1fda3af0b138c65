// ES modules: compile, link, instantiate, evaluate, import() and import.meta.
//
// A record (sl_v8_module) is found from V8's module by identity hash. It stays after the host has released it for as long as V8 has
// the module, for import.meta is made when it is first asked for.

#include "internal.h"

namespace sl {
namespace {

sl_v8_module *RecordOf(sl_v8_realm *realm, v8::Local<v8::Module> module) {
    auto [from, to] = realm->modules.equal_range(module->GetIdentityHash());
    for (auto found = from; found != to; ++found) {
        if (found->second->handle == module) return found->second;
    }
    return nullptr;
}

sl_v8_module *NewRecord(RealmEntry &entry, v8::Local<v8::Module> module) {
    auto *record = new sl_v8_module;
    record->realm = entry.realm;
    record->handle.Reset(entry.isolate, module);
    record->hash = module->GetIdentityHash();
    entry.realm->modules.insert({record->hash, record});
    return record;
}

void RemoveRecord(sl_v8_module *record) {
    auto &modules = record->realm->modules;
    auto [from, to] = modules.equal_range(record->hash);
    for (auto found = from; found != to; ++found) {
        if (found->second != record) continue;
        modules.erase(found);
        break;
    }
    delete record;
}

// The assertion `type` of a list of `stride` entries each; "" when there is none.
v8::Local<v8::String> TypeAssertion(v8::Isolate *isolate, v8::Local<v8::Context> context, v8::Local<v8::FixedArray> assertions,
                                    int stride) {
    for (int index = 0; index + 1 < assertions->Length(); index += stride) {
        auto key = assertions->Get(context, index).As<v8::String>();
        if (key->StringEquals(Key(isolate, "type"))) return assertions->Get(context, index + 1).As<v8::String>();
    }
    return v8::String::Empty(isolate);
}

v8::MaybeLocal<v8::Module> Resolve(v8::Local<v8::Context> context, v8::Local<v8::String> specifier,
                                   v8::Local<v8::FixedArray> assertions, v8::Local<v8::Module> referrer) {
    v8::Isolate *isolate = context->GetIsolate();
    sl_v8_realm *realm = RealmOf(context);
    sl_v8_module *record = realm ? RecordOf(realm, referrer) : nullptr;
    if (record) {
        v8::Local<v8::String> type = TypeAssertion(isolate, context, assertions, version::kStaticAssertionStride);
        v8::Local<v8::FixedArray> requests = referrer->GetModuleRequests();
        for (int index = 0; index < requests->Length() && index < static_cast<int>(record->links.size()); ++index) {
            auto request = requests->Get(context, index).As<v8::ModuleRequest>();
            if (!request->GetSpecifier()->StringEquals(specifier)) continue;
            v8::Local<v8::FixedArray> its = request->GetImportAssertions();
            if (!TypeAssertion(isolate, context, its, version::kStaticAssertionStride)->StringEquals(type)) continue;
            if (!record->links[index].IsEmpty()) return record->links[index].Get(isolate);
        }
    }
    std::string message = "module \"" + ToString(isolate, specifier, kSourceLineMax) + "\" is not linked";
    isolate->ThrowException(NewError(isolate, "Error", message));
    return {};
}

v8::MaybeLocal<v8::Value> EvaluateSynthetic(v8::Local<v8::Context> context, v8::Local<v8::Module> module) {
    v8::Isolate *isolate = context->GetIsolate();
    sl_v8_realm *realm = RealmOf(context);
    sl_v8_module *record = realm ? RecordOf(realm, module) : nullptr;
    v8::Local<v8::Promise::Resolver> resolver;
    if (!v8::Promise::Resolver::New(context).ToLocal(&resolver)) return {};
    if (record && !record->exports.IsEmpty()) {
        v8::Local<v8::Object> exports = record->exports.Get(isolate);
        for (const std::string &name : record->names) {
            v8::Local<v8::Value> value;
            v8::Local<v8::String> key = Key(isolate, name);
            if (!exports->Get(context, key).ToLocal(&value)) return {};
            if (module->SetSyntheticModuleExport(isolate, key, value).IsNothing()) return {};
        }
        record->exports.Reset();
    }
    if (resolver->Resolve(context, v8::Undefined(isolate)).IsNothing()) return {};
    return resolver->GetPromise();
}

void FillMeta(v8::Local<v8::Context> context, v8::Local<v8::Module> module, v8::Local<v8::Object> meta) {
    v8::Isolate *isolate = context->GetIsolate();
    sl_v8_realm *realm = RealmOf(context);
    sl_v8_module *record = realm ? RecordOf(realm, module) : nullptr;
    if (!record || !record->has_meta) return;
    auto set = [&](const char *name, v8::Local<v8::Value> value) {
        (void)meta->CreateDataProperty(context, Key(isolate, name), value).FromMaybe(false);
    };
    if (record->has_directory) set("dirname", Key(isolate, record->directory));
    if (record->has_filename) set("filename", Key(isolate, record->filename));
    set("main", v8::Boolean::New(isolate, record->is_main));
    set("url", Key(isolate, record->url));
}

v8::MaybeLocal<v8::Promise> OnImport(v8::Local<v8::Context> context, v8::Local<v8::Data>, v8::Local<v8::Value> referrer,
                                     v8::Local<v8::String> specifier, v8::Local<v8::FixedArray> assertions) {
    v8::Isolate *isolate = context->GetIsolate();
    v8::EscapableHandleScope handles(isolate);
    sl_v8_isolate *self = Self(isolate);
    sl_v8_realm *realm = RealmOf(context);
    v8::Local<v8::Promise::Resolver> resolver;
    if (!v8::Promise::Resolver::New(context).ToLocal(&resolver)) return {};
    if (!realm || !self->host.import) {
        (void)resolver->Reject(context, NewError(isolate, "Error", "import() is not available here"));
        return handles.Escape(resolver->GetPromise());
    }
    uint64_t token = self->next_import++;
    realm->imports[token].Reset(isolate, resolver);
    std::string name = ToString(isolate, specifier);
    std::string from = referrer->IsString() ? ToString(isolate, referrer.As<v8::String>()) : "";
    std::string type = ToString(isolate, TypeAssertion(isolate, context, assertions, version::kDynamicAssertionStride));
    self->host.import(self->host.context, realm, {name.data(), name.size()}, {from.data(), from.size()},
                      {type.data(), type.size()}, token);
    return handles.Escape(resolver->GetPromise());
}

v8::Local<v8::Promise::Resolver> TakeImport(RealmEntry &entry, uint64_t token) {
    auto found = entry.realm->imports.find(token);
    if (found == entry.realm->imports.end()) return {};
    v8::Local<v8::Promise::Resolver> resolver = found->second.Get(entry.isolate);
    entry.realm->imports.erase(found);
    return resolver;
}

void OnModuleCollected(const v8::WeakCallbackInfo<sl_v8_module> &info) {
    sl_v8_module *record = info.GetParameter();
    record->handle.Reset();
    RemoveRecord(record);
}

}  // namespace

void SetUpModules(sl_v8_isolate *self) {
    version::SetImportCallback(self->isolate, OnImport);
    self->isolate->SetHostInitializeImportMetaObjectCallback(FillMeta);
}

void ForgetModules(sl_v8_realm *realm) {
    for (auto &[hash, record] : realm->modules) {
        record->handle.Reset();
        record->exports.Reset();
        record->links.clear();
        record->realm = nullptr;
        if (record->released) delete record;
    }
    realm->modules.clear();
    realm->imports.clear();
}

}  // namespace sl

// ---- Making ----

sl_v8_module *sl_v8_module_compile(sl_v8_realm *realm, const char *source, size_t length, const char *name,
                                   sl_v8_code_cache *cache, sl_v8_exception **error) {
    *error = nullptr;
    sl::RealmEntry entry(realm);
    if (realm->isolate->Ended()) return nullptr;
    v8::TryCatch caught(entry.isolate);
    sl::SourceText text(entry, source, length, name, true, cache);
    v8::Local<v8::Module> module;
    if (!text || !v8::ScriptCompiler::CompileModule(entry.isolate, text.get(), text.options).ToLocal(&module)) {
        sl::Report(entry, caught, error);
        return nullptr;
    }
    sl_v8_module *record = sl::NewRecord(entry, module);
    record->links.resize(static_cast<size_t>(module->GetModuleRequests()->Length()));
    return record;
}

sl_v8_module *sl_v8_module_synthetic(sl_v8_realm *realm, const char *name, const char *const *names, size_t count,
                                     sl_v8_value *exports) {
    sl::RealmEntry entry(realm);
    std::vector<v8::Local<v8::String>> keys;
    for (size_t index = 0; index < count; ++index) keys.push_back(sl::Key(entry.isolate, names[index]));
    v8::Local<v8::Module> module =
        v8::Module::CreateSyntheticModule(entry.isolate, sl::Key(entry.isolate, name), keys, sl::EvaluateSynthetic);
    sl_v8_module *record = sl::NewRecord(entry, module);
    record->names.assign(names, names + count);
    v8::Local<v8::Value> value = sl::Open(entry.isolate, exports);
    if (value->IsObject()) record->exports.Reset(entry.isolate, value.As<v8::Object>());
    return record;
}

void sl_v8_module_release(sl_v8_module *module) {
    if (!module) return;
    if (!module->realm) {
        delete module;
        return;
    }
    sl::CheckThread(module->realm->isolate);
    module->released = true;
    module->links.clear();
    module->handle.SetWeak(module, sl::OnModuleCollected, v8::WeakCallbackType::kParameter);
}

// ---- Linking ----

size_t sl_v8_module_request_count(sl_v8_module *module) { return module->links.size(); }

sl_v8_module_request sl_v8_module_request_at(sl_v8_module *module, size_t index) {
    sl::RealmEntry entry(module->realm);
    v8::Local<v8::Module> local = module->handle.Get(entry.isolate);
    auto request = local->GetModuleRequests()->Get(entry.context, static_cast<int>(index)).As<v8::ModuleRequest>();
    v8::Local<v8::FixedArray> assertions = request->GetImportAssertions();
    v8::Location location = local->SourceOffsetToLocation(request->GetSourceOffset());
    return {sl::CopyString(entry.isolate, request->GetSpecifier()),
            sl::CopyString(entry.isolate, sl::TypeAssertion(entry.isolate, entry.context, assertions, sl::version::kStaticAssertionStride)),
            location.GetLineNumber() + 1, location.GetColumnNumber() + 1};
}

void sl_v8_module_link(sl_v8_module *module, size_t index, sl_v8_module *target) {
    sl::RealmEntry entry(module->realm);
    module->links[index].Reset(entry.isolate, target->handle);
}

bool sl_v8_module_instantiate(sl_v8_module *module, sl_v8_exception **error) {
    *error = nullptr;
    sl::RealmEntry entry(module->realm);
    if (entry.self->Ended()) return false;
    v8::Local<v8::Module> local = module->handle.Get(entry.isolate);
    if (local->GetStatus() >= v8::Module::kInstantiated) return true;
    v8::TryCatch caught(entry.isolate);
    if (!local->InstantiateModule(entry.context, sl::Resolve).FromMaybe(false)) {
        sl::Report(entry, caught, error);
        return false;
    }
    return true;
}

sl_v8_value *sl_v8_module_evaluate(sl_v8_module *module, sl_v8_exception **error) {
    *error = nullptr;
    sl::RealmEntry entry(module->realm);
    if (entry.self->Ended()) return nullptr;
    v8::Local<v8::Module> local = module->handle.Get(entry.isolate);
    if (local->GetStatus() < v8::Module::kInstantiated) {
        sl::Fail(entry, "Error", "the module was not instantiated", error);
        return nullptr;
    }
    v8::TryCatch caught(entry.isolate);
    v8::Local<v8::Value> promise;
    if (!local->Evaluate(entry.context).ToLocal(&promise)) {
        sl::Report(entry, caught, error);
        return nullptr;
    }
    // V8 returns a promise even when evaluation was terminated on the way.
    if (caught.HasTerminated() || entry.self->Ended()) return nullptr;
    return sl::Retain(entry.self, promise);
}

sl_v8_value *sl_v8_module_namespace(sl_v8_module *module) {
    sl::RealmEntry entry(module->realm);
    v8::Local<v8::Module> local = module->handle.Get(entry.isolate);
    if (local->GetStatus() < v8::Module::kInstantiated) return sl::Retain(entry.self, v8::Undefined(entry.isolate));
    return sl::Retain(entry.self, local->GetModuleNamespace());
}

void sl_v8_module_set_meta(sl_v8_module *module, const char *url, const char *filename, const char *dirname, bool main) {
    module->has_meta = true;
    module->url = url;
    module->has_filename = filename;
    module->filename = filename ? filename : "";
    module->has_directory = dirname;
    module->directory = dirname ? dirname : "";
    module->is_main = main;
}

sl_v8_string sl_v8_module_cache(sl_v8_module *module) {
    sl::RealmEntry entry(module->realm);
    v8::Local<v8::Module> local = module->handle.Get(entry.isolate);
    if (!local->IsSourceTextModule() || entry.self->Ended()) return {nullptr, 0};
    v8::TryCatch caught(entry.isolate);
    return sl::SealCache(std::unique_ptr<v8::ScriptCompiler::CachedData>(
        v8::ScriptCompiler::CreateCodeCache(local->GetUnboundModuleScript())));
}

// ---- import() ----

void sl_v8_import_resolve(sl_v8_realm *realm, uint64_t token, sl_v8_value *namespace_object) {
    sl::RealmEntry entry(realm);
    v8::Local<v8::Promise::Resolver> resolver = sl::TakeImport(entry, token);
    if (entry.self->Ended()) entry.isolate->TerminateExecution();
    v8::TryCatch caught(entry.isolate);
    if (!resolver.IsEmpty()) (void)resolver->Resolve(entry.context, sl::Open(entry.isolate, namespace_object));
}

void sl_v8_import_reject(sl_v8_realm *realm, uint64_t token, sl_v8_value *reason) {
    sl::RealmEntry entry(realm);
    v8::Local<v8::Promise::Resolver> resolver = sl::TakeImport(entry, token);
    v8::TryCatch caught(entry.isolate);
    if (!resolver.IsEmpty()) (void)resolver->Reject(entry.context, sl::Open(entry.isolate, reason));
}
