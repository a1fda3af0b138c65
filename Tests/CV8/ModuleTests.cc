// ES modules, import() and code caches.

#include <map>

#include "test.h"

using namespace test;

namespace {

// A loader that knows its sources by name and links a whole graph.
class Loader {
public:
    explicit Loader(World &world) : world(world) {}
    ~Loader() {
        for (auto &[name, module] : modules) sl_v8_module_release(module);
    }

    sl_v8_module *Load(const std::string &name) {
        if (auto found = modules.find(name); found != modules.end()) return found->second;
        sl_v8_exception *error = nullptr;
        sl_v8_module *module = nullptr;
        if (name.ends_with(".json")) {
            sl_v8_value *exports = world.Value("({ default: " + sources[name] + " })");
            const char *names[] = {"default"};
            module = sl_v8_module_synthetic(world.realm, name.c_str(), names, 1, exports);
            sl_v8_value_release(exports);
        } else {
            const std::string &source = sources[name];
            module = sl_v8_module_compile(world.realm, source.data(), source.size(), name.c_str(), nullptr, &error);
        }
        if (!module) {
            failure = Describe(error);
            return nullptr;
        }
        modules[name] = module;
        for (size_t index = 0; index < sl_v8_module_request_count(module); ++index) {
            sl_v8_module_request request = sl_v8_module_request_at(module, index);
            requests.push_back(Text(request.specifier) + "|" + Text(request.type) + "|" + std::to_string(request.line) + ":" +
                               std::to_string(request.column));
            std::string specifier = Text(request.specifier);
            sl_v8_string_free(request.specifier);
            sl_v8_string_free(request.type);
            if (!sources.contains(specifier)) continue;
            if (sl_v8_module *target = Load(specifier)) sl_v8_module_link(module, index, target);
        }
        return module;
    }

    std::string Describe(sl_v8_exception *error) {
        if (!error) return "ended";
        std::string text = "threw " + Text(error->name) + ": " + Text(error->message);
        sl_v8_exception_free(error);
        return text;
    }

    // What the module's `default` is after evaluation, or how it failed.
    std::string Evaluate(const std::string &name) {
        sl_v8_exception *error = nullptr;
        sl_v8_module *module = Load(name);
        if (!module) return failure;
        if (!sl_v8_module_instantiate(module, &error)) return Describe(error);
        sl_v8_value *promise = sl_v8_module_evaluate(module, &error);
        if (!promise) return Describe(error);
        world.Microtasks();
        std::string text;
        sl_v8_value *result = sl_v8_promise_result(world.isolate, promise);
        switch (sl_v8_promise_state_of(world.isolate, promise)) {
        case SL_V8_PENDING: text = "pending"; break;
        case SL_V8_REJECTED: text = "rejected " + Take(sl_v8_value_utf8(world.isolate, result)); break;
        case SL_V8_FULFILLED: {
            sl_v8_value *names = sl_v8_module_namespace(module);
            sl_v8_value *value = sl_v8_value_get(world.realm, names, "default", &error);
            text = value ? Take(sl_v8_value_utf8(world.isolate, value)) : Describe(error);
            sl_v8_value_release(value);
            sl_v8_value_release(names);
        }
        }
        sl_v8_value_release(result);
        sl_v8_value_release(promise);
        return text;
    }

    World &world;
    std::map<std::string, std::string> sources;
    std::map<std::string, sl_v8_module *> modules;
    std::vector<std::string> requests;
    std::string failure;
};

}  // namespace

TEST(modulesImportEachOther) {
    World world;
    Loader loader(world);
    loader.sources = {{"main", "import { a } from 'a';\nimport data from 'd.json' assert { type: 'json' };\nexport default a() + data.x"},
                      {"a", "import { b } from 'b'; export const a = () => 'a' + b(); export const name = 'A'"},
                      {"b", "import { name } from 'a'; export const b = () => 'b' + name"},
                      {"d.json", "{ x: 5 }"}};
    CHECK_EQUAL(loader.Evaluate("main"), "abA5");
    CHECK_EQUAL(loader.requests[0], "a||1:19");
    bool found = false;
    for (const std::string &request : loader.requests) found |= request == "d.json|json|2:18";
    CHECK(found);
}

TEST(modulesFailWithTheirError) {
    World world;
    Loader loader(world);
    loader.sources = {{"syntax", "export default )"},
                      {"missing", "import 'nowhere'"},
                      {"name", "import { nothing } from 'empty'; export default nothing"},
                      {"empty", ""},
                      {"throws", "export default 1; throw new RangeError('at evaluation')"},
                      {"above", "import 'throws'; export default 2"},
                      {"waits", "await new Promise(() => {}); export default 3"},
                      {"top", "export default await Promise.resolve('awaited')"},
                      {"tdz", "import * as self from 'tdz'; export default (() => { try { return self.later } catch (e) { return e.name } })(); export let later = 1"}};
    CHECK_EQUAL(loader.Evaluate("syntax"), "threw SyntaxError: Unexpected token ')'");
    CHECK_EQUAL(loader.Evaluate("missing"), "threw Error: module \"nowhere\" is not linked");
    CHECK_EQUAL(loader.Evaluate("name"), "threw SyntaxError: The requested module 'empty' does not provide an export named 'nothing'");
    CHECK_EQUAL(loader.Evaluate("throws"), "rejected RangeError: at evaluation");
    CHECK_EQUAL(loader.Evaluate("above"), "rejected RangeError: at evaluation");
    CHECK_EQUAL(loader.Evaluate("throws"), "rejected RangeError: at evaluation");
    CHECK_EQUAL(loader.Evaluate("waits"), "pending");
    CHECK_EQUAL(loader.Evaluate("top"), "awaited");
    CHECK_EQUAL(loader.Evaluate("tdz"), "ReferenceError");
    sl_v8_exception *error = nullptr;
    sl_v8_module *loose = sl_v8_module_compile(world.realm, "1", 1, "loose", nullptr, &error);
    CHECK(sl_v8_module_evaluate(loose, &error) == nullptr && error != nullptr);
    sl_v8_exception_free(error);
    sl_v8_module_release(loose);
}

TEST(aModuleOnceRefusedCanBeLinkedLater) {
    World world;
    Loader loader(world);
    loader.sources = {{"main", "import x from 'late'; export default x"}};
    CHECK_EQUAL(loader.Evaluate("main"), "threw Error: module \"late\" is not linked");
    loader.sources["late"] = "export default 'here now'";
    sl_v8_module_link(loader.Load("main"), 0, loader.Load("late"));
    CHECK_EQUAL(loader.Evaluate("main"), "here now");
}

TEST(modulesKnowWhatTheyAre) {
    World world;
    Loader loader(world);
    loader.sources = {{"main", "export default () => JSON.stringify(import.meta)"}, {"plain", "export default Object.keys(import.meta).length"}};
    sl_v8_module *main = loader.Load("main");
    sl_v8_module_set_meta(main, "file:///main.js", "/main.js", "/", true);
    loader.Evaluate("main");
    sl_v8_value *names = sl_v8_module_namespace(main), *global = sl_v8_realm_global(world.realm);
    sl_v8_value_set(world.realm, global, "names", names);
    sl_v8_value_release(names);
    sl_v8_value_release(global);
    // Asked for only after the host has released the module.
    sl_v8_module_release(main);
    loader.modules.erase("main");
    sl_v8_isolate_low_memory(world.isolate);
    CHECK_EQUAL(world.Run("names.default()"), R"({"dirname":"/","filename":"/main.js","main":true,"url":"file:///main.js"})");
    CHECK_EQUAL(loader.Evaluate("plain"), "0");
}

TEST(modulesOutliveTheirRealmUntilReleased) {
    World world;
    sl_v8_realm *other = sl_v8_realm_create(world.isolate, false);
    sl_v8_exception *error = nullptr;
    sl_v8_module *kept = sl_v8_module_compile(other, "export {}", 9, "kept", nullptr, &error);
    sl_v8_module *released = sl_v8_module_compile(other, "export {}", 9, "released", nullptr, &error);
    sl_v8_module_release(released);
    sl_v8_realm_dispose(other);
    sl_v8_isolate_low_memory(world.isolate);
    sl_v8_module_release(kept);
}

TEST(releasedModulesAreCollected) {
    World world({.heap_bytes_max = 32 * kMiB});
    std::string source = "export const big = new Array(1000).fill(1.5); /*" + std::string(10'000, 'x');
    for (int round = 0; round < 5000; ++round) {
        std::string text = source + std::to_string(round) + "*/";
        sl_v8_exception *error = nullptr;
        sl_v8_module *module = sl_v8_module_compile(world.realm, text.data(), text.size(), "m", nullptr, &error);
        if (!module || !sl_v8_module_instantiate(module, &error)) {
            CHECK(module != nullptr);
            sl_v8_exception_free(error);
            break;
        }
        sl_v8_value_release(sl_v8_module_evaluate(module, &error));
        sl_v8_module_release(module);
    }
    CHECK_EQUAL(int(sl_v8_isolate_end_reason(world.isolate)), int(SL_V8_END_NONE));
}

// ---- import() ----

namespace {

struct Imports {
    World *world;
    std::vector<std::string> seen;
    std::vector<uint64_t> tokens;
    bool at_once = false;
};

void Listen(World &world, Imports &imports) {
    imports.world = &world;
    sl_v8_host host = {};
    host.context = &imports;
    host.import = [](void *context, sl_v8_realm *realm, sl_v8_string specifier, sl_v8_string referrer, sl_v8_string type, uint64_t token) {
        auto *imports = static_cast<Imports *>(context);
        imports->seen.push_back(Text(specifier) + "|" + Text(referrer) + "|" + Text(type));
        imports->tokens.push_back(token);
        if (!imports->at_once) return;
        sl_v8_value *value = sl_v8_value_string(imports->world->isolate, "at once", 7);
        sl_v8_import_reject(realm, token, value);
        sl_v8_value_release(value);
    };
    sl_v8_isolate_set_host(world.isolate, &host);
}

}  // namespace

TEST(dynamicImportsAreSettledByTheHost) {
    World world;
    Imports imports;
    Listen(world, imports);
    world.Run("var seen = []; ops.setContext('mine'); import('x').then(ns => seen.push(ns.default, ops.context())); ops.setContext(undefined);"
              "import('y', { assert: { type: 'json' } }).catch(e => seen.push('no ' + e.message)); 0",
              "file:///importer.js");
    CHECK_EQUAL(imports.seen.size(), 2u);
    CHECK_EQUAL(imports.seen[0], "x|file:///importer.js|");
    CHECK_EQUAL(imports.seen[1], "y|file:///importer.js|json");
    Loader loader(world);
    loader.sources = {{"x", "export default 'imported'"}};
    loader.Evaluate("x");
    sl_v8_value *names = sl_v8_module_namespace(loader.Load("x")), *error = world.Value("new Error('found')");
    sl_v8_import_resolve(world.realm, imports.tokens[0], names);
    sl_v8_import_reject(world.realm, imports.tokens[1], error);
    // Settled twice, and one that never was: nothing happens.
    sl_v8_import_reject(world.realm, imports.tokens[1], error);
    sl_v8_import_reject(world.realm, 999, error);
    sl_v8_value_release(names);
    sl_v8_value_release(error);
    world.Microtasks();
    CHECK_EQUAL(world.Run("seen.join()"), "imported,mine,no found");
    imports.at_once = true;
    world.Run("import('z').catch(e => seen.push(e))");
    world.Microtasks();
    CHECK_EQUAL(world.Run("seen.at(-1)"), "at once");
}

TEST(dynamicImportWithoutAHostRejects) {
    World world;
    world.Run("var seen; import('x').catch(e => { seen = e.message }); 0");
    world.Microtasks();
    CHECK_EQUAL(world.Run("seen"), "import() is not available here");
}

// ---- Code cache ----

TEST(codeCachesAreTakenWhenSoundAndRefusedOtherwise) {
    std::string source = "export default (() => { let sum = 0; for (let i = 0; i < 10; i++) sum += i; return sum })()";
    std::string cache;
    {
        World world;
        Loader loader(world);
        loader.sources = {{"main", source}};
        CHECK_EQUAL(loader.Evaluate("main"), "45");
        cache = Take(sl_v8_module_cache(loader.Load("main")));
        CHECK(!cache.empty());
    }
    auto rejected = [&](std::string bytes, const std::string &text) {
        World world;
        sl_v8_exception *error = nullptr;
        sl_v8_code_cache given = {reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size(), false};
        sl_v8_module *module = sl_v8_module_compile(world.realm, text.data(), text.size(), "main", &given, &error);
        CHECK(module && sl_v8_module_instantiate(module, &error));
        sl_v8_value_release(sl_v8_module_evaluate(module, &error));
        sl_v8_module_release(module);
        return given.rejected;
    };
    CHECK(!rejected(cache, source));
    CHECK(rejected(cache, source + " "));
    CHECK(rejected(cache.substr(0, cache.size() / 2), source));
    CHECK(rejected("x", source));
    for (size_t at = 0; at < cache.size(); at += 1 + cache.size() / 40) {
        std::string damaged = cache;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
        CHECK(rejected(damaged, source));
    }
}

TEST(scriptsHaveCodeCachesToo) {
    std::string source = "(function () { return 'cached' })()", cache;
    {
        World world;
        CHECK_EQUAL(world.Run(source), "cached");
        cache = Take(sl_v8_script_cache(world.realm, source.data(), source.size(), "file:///test.js"));
        CHECK(!cache.empty());
    }
    World world;
    sl_v8_exception *error = nullptr;
    sl_v8_code_cache given = {reinterpret_cast<const uint8_t *>(cache.data()), cache.size(), false};
    sl_v8_value *value = sl_v8_script_run(world.realm, source.data(), source.size(), "file:///test.js", &given, &error);
    CHECK(!given.rejected);
    CHECK_EQUAL(Take(sl_v8_value_utf8(world.isolate, value)), "cached");
    sl_v8_value_release(value);
}
