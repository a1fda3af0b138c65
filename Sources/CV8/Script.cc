// Classic scripts and functions, and code caches.

#include "internal.h"

namespace sl {

// ---- Code cache ----
//
// V8 checks that a cache fits its version, flags and source, but not in every build that its bytes are sound, and a cache comes from a disk.
// So ours starts with a magic number and a checksum. The header keeps V8's data aligned.

namespace {

struct CacheHeader {
    uint64_t magic, checksum;
};
constexpr uint64_t kCacheMagic = 0x3145'4843'4143'4C53;  // "SLCACHE1"

std::unique_ptr<v8::ScriptCompiler::CachedData> OpenCache(sl_v8_code_cache *cache) {
    if (!cache || !cache->bytes) return nullptr;
    CacheHeader header;
    cache->rejected = true;
    if (cache->length <= sizeof header || cache->length > INT32_MAX) return nullptr;
    memcpy(&header, cache->bytes, sizeof header);
    const uint8_t *data = cache->bytes + sizeof header;
    size_t length = cache->length - sizeof header;
    if (header.magic != kCacheMagic || header.checksum != Checksum(data, length)) return nullptr;
    cache->rejected = false;
    return std::make_unique<v8::ScriptCompiler::CachedData>(data, static_cast<int>(length));
}

}  // namespace

sl_v8_string SealCache(std::unique_ptr<v8::ScriptCompiler::CachedData> data) {
    if (!data || data->length <= 0) return {nullptr, 0};
    auto length = static_cast<size_t>(data->length);
    CacheHeader header = {kCacheMagic, Checksum(data->data, length)};
    auto *bytes = static_cast<char *>(malloc(sizeof header + length));
    if (!bytes) ReportOutOfMemory("code cache", false);
    memcpy(bytes, &header, sizeof header);
    memcpy(bytes + sizeof header, data->data, length);
    return {bytes, sizeof header + length};
}

SourceText::SourceText(RealmEntry &entry, const char *source, size_t length, const char *name, bool is_module,
                       sl_v8_code_cache *cache)
    : cache_(cache) {
    v8::Local<v8::String> text;
    if (!NewStaticString(entry.isolate, source, length).ToLocal(&text) && !NewString(entry.isolate, source, length).ToLocal(&text)) {
        entry.isolate->ThrowException(NewError(entry.isolate, "RangeError", "source text is too long for V8"));
        return;
    }
    std::unique_ptr<v8::ScriptCompiler::CachedData> data = OpenCache(cache);
    if (data) options = v8::ScriptCompiler::kConsumeCodeCache;
    source_.emplace(text, version::Origin(entry.isolate, Key(entry.isolate, name), is_module), data.release());
}

SourceText::~SourceText() {
    if (cache_ && source_ && source_->GetCachedData()) cache_->rejected = source_->GetCachedData()->rejected;
}

}  // namespace sl

sl_v8_value *sl_v8_script_run(sl_v8_realm *realm, const char *source, size_t length, const char *name, sl_v8_code_cache *cache,
                              sl_v8_exception **error) {
    *error = nullptr;
    sl::RealmEntry entry(realm);
    if (realm->isolate->Ended()) return nullptr;
    v8::TryCatch caught(entry.isolate);
    v8::Local<v8::Script> script;
    v8::Local<v8::Value> value;
    {
        sl::SourceText text(entry, source, length, name, false, cache);
        if (text && v8::ScriptCompiler::Compile(entry.context, text.get(), text.options).ToLocal(&script)) {
            (void)script->Run(entry.context).ToLocal(&value);
        }
    }
    if (value.IsEmpty()) {
        sl::Report(entry, caught, error);
        return nullptr;
    }
    return sl::Retain(realm->isolate, value);
}

bool sl_v8_script_check(sl_v8_realm *realm, const char *source, size_t length, const char *name, sl_v8_exception **error) {
    *error = nullptr;
    sl::RealmEntry entry(realm);
    if (realm->isolate->Ended()) return false;
    v8::TryCatch caught(entry.isolate);
    sl::SourceText text(entry, source, length, name, false, nullptr);
    v8::Local<v8::UnboundScript> script;
    if (text && v8::ScriptCompiler::CompileUnboundScript(entry.isolate, text.get()).ToLocal(&script)) return true;
    sl::Report(entry, caught, error);
    return false;
}

sl_v8_string sl_v8_script_cache(sl_v8_realm *realm, const char *source, size_t length, const char *name) {
    sl::RealmEntry entry(realm);
    if (realm->isolate->Ended()) return {nullptr, 0};
    v8::TryCatch caught(entry.isolate);
    sl::SourceText text(entry, source, length, name, false, nullptr);
    v8::Local<v8::UnboundScript> script;
    // Found in the isolate's compilation cache when it has run before, then with the functions that were compiled since.
    if (!text || !v8::ScriptCompiler::CompileUnboundScript(entry.isolate, text.get()).ToLocal(&script)) return {nullptr, 0};
    return sl::SealCache(std::unique_ptr<v8::ScriptCompiler::CachedData>(v8::ScriptCompiler::CreateCodeCache(script)));
}

sl_v8_value *sl_v8_function_compile(sl_v8_realm *realm, const char *source, size_t length, const char *name,
                                    const char *const *parameters, size_t parameter_count, sl_v8_code_cache *cache,
                                    sl_v8_exception **error) {
    *error = nullptr;
    sl::RealmEntry entry(realm);
    if (realm->isolate->Ended()) return nullptr;
    v8::TryCatch caught(entry.isolate);
    std::vector<v8::Local<v8::String>> names;
    for (size_t index = 0; index < parameter_count; ++index) names.push_back(sl::Key(entry.isolate, parameters[index]));
    v8::Local<v8::Function> function;
    {
        sl::SourceText text(entry, source, length, name, false, cache);
        if (text) {
            (void)v8::ScriptCompiler::CompileFunction(entry.context, text.get(), names.size(), names.data(), 0, nullptr, text.options)
                .ToLocal(&function);
        }
    }
    if (function.IsEmpty()) {
        sl::Report(entry, caught, error);
        return nullptr;
    }
    return sl::Retain(realm->isolate, function);
}

sl_v8_string sl_v8_function_cache(sl_v8_realm *realm, sl_v8_value *function) {
    sl::RealmEntry entry(realm);
    v8::Local<v8::Value> value = sl::Open(entry.isolate, function);
    if (!value->IsFunction()) return {nullptr, 0};
    return sl::SealCache(
        std::unique_ptr<v8::ScriptCompiler::CachedData>(v8::ScriptCompiler::CreateCodeCacheForFunction(value.As<v8::Function>())));
}
