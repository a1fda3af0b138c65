// WebAssembly: streams, compiled code that is used again, and bytes that are not what they should be.

#include <algorithm>
#include <thread>

#include "test.h"

using namespace test;

namespace {

// A module of `count` functions, the first of which is exported as f: f(n) runs a loop n times. Distinct for each `salt`.
constexpr const char *kMake = R"(
    var number = (n) => { const out = []; do { const low = n & 127; n >>>= 7; out.push(n ? low | 128 : low); } while (n); return out; };
    var section = (id, bytes) => [id, ...number(bytes.length), ...bytes];
    function make(count, salt) {
        const body = [1, 1, 127, 3, 64, 32, 1, 65, ...number(salt & 63), 106, 33, 1, 32, 0, 65, 1, 107, 34, 0, 13, 0, 11, 32, 1, 11];
        const code = number(count), kinds = number(count);
        for (let i = 0; i < count; i++) { code.push(...number(body.length), ...body); kinds.push(0); }
        return new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, ...section(1, [1, 96, 1, 127, 1, 127]), ...section(3, kinds),
            ...section(7, [1, 1, 102, 0, 0]), ...section(10, code)]);
    }
    var outcome;
    function stream(name) { outcome = 'pending'; seen = undefined; WebAssembly.compileStreaming(name).then((m) => { outcome = 'module'; seen = m; }, (e) => { outcome = String(e); }); }
    var seen;
)";

struct Bytes {
    std::vector<uint8_t> data;
    Bytes(World &world, const char *source) {
        sl_v8_value *value = world.Value(source);
        uint8_t *bytes = nullptr;
        size_t length = 0;
        CHECK(sl_v8_value_bytes(world.isolate, value, &bytes, &length));
        data.assign(bytes, bytes + length);
        sl_v8_value_release(value);
    }
};

void Settle(World &world) {
    CHECK(world.Microtasks());
    while (sl_v8_isolate_has_pending_work(world.isolate)) {
        if (sl_v8_isolate_run_tasks(world.isolate) == 0) std::this_thread::yield();
        CHECK(world.Microtasks());
    }
    CHECK(world.Microtasks());
}

void Begin(World &world, int name) {
    world.Run("stream(" + std::to_string(name) + ")");
    CHECK(world.Microtasks());
}

// The sealed code of a module whose f was called until V8 had optimised it.
std::string Sealed(World &world, const char *expression) {
    world.Run("var instance = new WebAssembly.Instance(" + std::string(expression) + ")");
    for (int attempt = 0; attempt < 10'000; ++attempt) {
        world.Run("instance.exports.f(1000000)");
        sl_v8_isolate_run_tasks(world.isolate);
        sl_v8_value *module = world.Value(expression);
        std::string sealed = Take(sl_v8_wasm_module_seal(world.isolate, module));
        sl_v8_value_release(module);
        if (!sealed.empty()) return sealed;
    }
    CHECK(!"V8 optimised nothing");
    return "";
}

bool Use(World &world, int name, const std::string &entry) {
    return sl_v8_wasm_stream_use(world.isolate, name, reinterpret_cast<const uint8_t *>(entry.data()), entry.size());
}

}  // namespace

TEST(aStreamCompilesWhatIsPushed) {
    World world;
    world.Run(kMake);
    Bytes module(world, "make(20, 1)");
    Begin(world, 7);
    for (uint8_t byte : module.data) CHECK(sl_v8_wasm_stream_push(world.isolate, 7, &byte, 1));
    CHECK_EQUAL(world.Run("outcome"), "pending");
    CHECK(!sl_v8_wasm_stream_finish(world.realm, 7));
    Settle(world);
    CHECK_EQUAL(world.Run("outcome"), "module");
    CHECK_EQUAL(world.Run("new WebAssembly.Instance(seen).exports.f(3)"), "3");
    CHECK(!sl_v8_wasm_stream_push(world.isolate, 7, module.data.data(), 1));
}

TEST(aStreamOfNonsenseRejects) {
    World world;
    world.Run(kMake);
    const uint8_t nonsense[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    for (size_t length = 0; length <= sizeof nonsense; ++length) {
        Begin(world, 1);
        CHECK(sl_v8_wasm_stream_push(world.isolate, 1, nonsense, length));
        sl_v8_wasm_stream_finish(world.realm, 1);
        Settle(world);
        CHECK_EQUAL(world.Run("outcome.startsWith('CompileError: WebAssembly.compileStreaming()')"), "true");
    }
    Bytes module(world, "make(20, 1)");
    for (size_t length = 0; length < module.data.size(); length += 17) {
        Begin(world, 2);
        CHECK(sl_v8_wasm_stream_push(world.isolate, 2, module.data.data(), length));
        sl_v8_wasm_stream_finish(world.realm, 2);
        Settle(world);
        // A module may end after any section; this one then lacks the code of its functions.
        CHECK(world.Run("outcome.startsWith('CompileError') || outcome === 'module'") == "true");
    }
}

TEST(anAbortedStreamRejectsWithTheReason) {
    World world;
    world.Run(kMake);
    Bytes module(world, "make(20, 1)");
    for (size_t pushed : {size_t(0), size_t(5), module.data.size()}) {
        Begin(world, 3);
        CHECK(sl_v8_wasm_stream_push(world.isolate, 3, module.data.data(), pushed));
        sl_v8_value *reason = world.Value("new RangeError('the network')");
        sl_v8_wasm_stream_abort(world.realm, 3, reason);
        sl_v8_value_release(reason);
        Settle(world);
        CHECK_EQUAL(world.Run("outcome"), "RangeError: the network");
    }
    Begin(world, 4);
    sl_v8_wasm_stream_abort(world.realm, 4, nullptr);
    Settle(world);
    CHECK_EQUAL(world.Run("outcome"), "pending");
}

TEST(whatIsNoNameOfAStreamIsRefused) {
    World world;
    world.Run(kMake);
    for (const char *name : {"'a'", "{}", "-1", "NaN", "2 ** 53", "undefined"}) {
        world.Run(std::string("stream(") + name + ")");
        Settle(world);
        CHECK_EQUAL(world.Run("outcome"), "RangeError: too many WebAssembly modules are compiled at once");
    }
    Begin(world, 1);
    Begin(world, 1);
    CHECK_EQUAL(world.Run("outcome"), "RangeError: too many WebAssembly modules are compiled at once");
    for (int name = 2; name <= 256; ++name) Begin(world, name);
    CHECK_EQUAL(world.Run("outcome"), "pending");
    Begin(world, 257);
    CHECK_EQUAL(world.Run("outcome"), "RangeError: too many WebAssembly modules are compiled at once");
    // And the world ends with all of them open.
}

// Null: it does not fit. The entry's own copy of the module is not looked at.
sl_v8_value *Load(World &world, const std::string &entry, const std::vector<uint8_t> &module) {
    auto *bytes = reinterpret_cast<const uint8_t *>(entry.data());
    size_t offset = sl_v8_wasm_entry_module_offset(bytes, std::min<size_t>(entry.size(), 64), entry.size(), module.size());
    if (offset == 0) return nullptr;
    CHECK(offset == entry.size() - module.size());
    return sl_v8_wasm_load(world.realm, bytes, offset, module.data(), module.size());
}

TEST(compiledCodeIsUsedAgain) {
    std::string entry;
    std::vector<uint8_t> bytes;
    {
        World world;
        world.Run(kMake);
        bytes = Bytes(world, "make(50, 2)").data;
        entry = Sealed(world, "globalThis.one ??= new WebAssembly.Module(make(50, 2))");
    }
    World world;
    world.Run(kMake);
    for (int name = 0; name < 3; ++name) {
        Begin(world, name);
        CHECK(Use(world, name, entry));
        CHECK(!Use(world, name, entry));
        size_t half = bytes.size() / 2;
        CHECK(sl_v8_wasm_stream_push(world.isolate, name, bytes.data(), half));
        CHECK(sl_v8_wasm_stream_push(world.isolate, name, bytes.data() + half, bytes.size() - half));
        CHECK(sl_v8_wasm_stream_finish(world.realm, name));
        CHECK(world.Microtasks());
        CHECK_EQUAL(world.Run("outcome"), "module");
        CHECK_EQUAL(world.Run("new WebAssembly.Instance(seen).exports.f(5)"), "10");
        sl_v8_value *module = world.Value("seen");
        const uint8_t *own = nullptr;
        size_t length = 0;
        CHECK(sl_v8_wasm_module_bytes(world.isolate, module, &own, &length));
        CHECK(std::equal(own, own + length, bytes.begin(), bytes.end()));
        sl_v8_value_release(module);
    }
}

TEST(aModuleIsLoadedAtOnceInTheMidstOfAProgram) {
    std::string entry;
    std::vector<uint8_t> bytes;
    {
        World world;
        world.Run(kMake);
        bytes = Bytes(world, "make(50, 2)").data;
        entry = Sealed(world, "globalThis.one ??= new WebAssembly.Module(make(50, 2))");
    }
    World world;
    // The program's microtasks wait meanwhile, and what it has made of WebAssembly and of promises is not asked.
    world.Run("globalThis.ran = 0; Promise.resolve().then(() => { ran = 1; });"
              "WebAssembly.compileStreaming = () => { ran = 2; }; Promise.prototype.then = () => { ran = 3; };"
              "Object.defineProperty(Promise, Symbol.species, { get() { ran = 4; } })");
    for (int round = 0; round < 3; ++round) {
        sl_v8_value *module = Load(world, entry, bytes);
        CHECK(module != nullptr);
        sl_v8_value *global = sl_v8_realm_global(world.realm);
        CHECK(sl_v8_value_set(world.realm, global, "seen", module));
        sl_v8_value_release(global);
        sl_v8_value_release(module);
        CHECK_EQUAL(world.Run("ran"), "0");
        CHECK_EQUAL(world.Run("seen instanceof WebAssembly.Module && Object.getPrototypeOf(seen) === WebAssembly.Module.prototype"), "true");
        CHECK_EQUAL(world.Run("new WebAssembly.Instance(seen).exports.f(5)"), "10");
        if (round == 1) world.Run("seen = undefined");
        if (round == 1) sl_v8_isolate_low_memory(world.isolate);
    }
    CHECK(!Load(world, entry, std::vector<uint8_t>(bytes.begin(), bytes.end() - 1)));
    CHECK(!Load(world, entry.substr(0, 40), bytes));
}

TEST(codeOfAnotherModuleIsNotUsed) {
    World world;
    world.Run(kMake);
    std::string entry = Sealed(world, "globalThis.one ??= new WebAssembly.Module(make(50, 2))");
    for (const char *other : {"make(50, 3)", "make(49, 2)", "make(51, 2)", "make(50, 2).subarray(0, 40)"}) {
        Bytes module(world, other);
        Begin(world, 1);
        CHECK(Use(world, 1, entry));
        CHECK(sl_v8_wasm_stream_push(world.isolate, 1, module.data.data(), module.data.size()));
        CHECK(!sl_v8_wasm_stream_finish(world.realm, 1));
        Settle(world);
        if (module.data.size() > 40) CHECK_EQUAL(world.Run(std::string("new WebAssembly.Instance(seen).exports.f(5)")), std::string(other) == "make(50, 3)" ? "15" : "10");
        else CHECK(world.Run("outcome").starts_with("CompileError"));
    }
}

TEST(aMistakeInAnotherModuleIsTold) {
    World world;
    world.Run(kMake);
    std::string entry = Sealed(world, "globalThis.one ??= new WebAssembly.Module(make(50, 2))");
    Bytes module(world, "make(50, 2)");
    for (size_t wrong = 8; wrong < module.data.size(); wrong += 3) {
        std::vector<uint8_t> bytes = module.data;
        bytes[wrong] = 5;  // an else without an if, among functions
        if (bytes == module.data) continue;
        for (size_t piece : {size_t(7), bytes.size()}) {
            Begin(world, 1);
            CHECK(Use(world, 1, entry));
            for (size_t at = 0; at < bytes.size(); at += piece) {
                CHECK(sl_v8_wasm_stream_push(world.isolate, 1, bytes.data() + at, std::min(piece, bytes.size() - at)));
            }
            CHECK(!sl_v8_wasm_stream_finish(world.realm, 1));
            Settle(world);
            CHECK(world.Run("outcome.startsWith('CompileError') || outcome === 'module'") == "true");
        }
    }
    Begin(world, 1);
    CHECK(sl_v8_wasm_stream_push(world.isolate, 1, module.data.data(), 8));
    CHECK(!Use(world, 1, entry));
    sl_v8_wasm_stream_abort(world.realm, 1, nullptr);
}

TEST(aDamagedEntryIsRefused) {
    World world;
    world.Run(kMake);
    std::string entry = Sealed(world, "globalThis.one ??= new WebAssembly.Module(make(50, 2))");
    Begin(world, 1);
    for (size_t length = 0; length < entry.size(); length += 1 + length / 7) CHECK(!Use(world, 1, entry.substr(0, length)));
    CHECK(!Use(world, 1, entry + "x"));
    uint32_t random = 12345;
    Bytes module(world, "make(50, 2)");
    size_t code_end = entry.size() - module.data.size();
    for (int round = 0; round < 2'000; ++round) {
        random = random * 1664525 + 1013904223;
        std::string damaged = entry;
        // Every byte of the header, then anywhere in the code. The module's own bytes are compared with those that come.
        size_t at = round < 64 ? round : (random >> 4) % code_end;
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << (random >> 29)));
        CHECK(!Use(world, 1, damaged));
        CHECK(!Load(world, damaged, module.data));
    }
    CHECK(sl_v8_wasm_stream_push(world.isolate, 1, module.data.data(), module.data.size()));
    CHECK(!sl_v8_wasm_stream_finish(world.realm, 1));
    Settle(world);
    CHECK_EQUAL(world.Run("outcome"), "module");
    std::string other = entry;
    other.back() ^= 1;
    Begin(world, 2);
    CHECK(Use(world, 2, other));
    CHECK(sl_v8_wasm_stream_push(world.isolate, 2, module.data.data(), module.data.size()));
    CHECK(!sl_v8_wasm_stream_finish(world.realm, 2));
    Settle(world);
    CHECK_EQUAL(world.Run("outcome"), "module");
}

TEST(onlyModulesAreSealed) {
    World world;
    world.Run(kMake);
    for (const char *value : {"1", "({})", "new WebAssembly.Memory({ initial: 1 })", "make(1, 1)", "new Proxy(new WebAssembly.Module(make(1, 1)), {})"}) {
        sl_v8_value *other = world.Value(value);
        const uint8_t *bytes = nullptr;
        size_t length = 0;
        CHECK(Take(sl_v8_wasm_module_seal(world.isolate, other)).empty());
        CHECK(!sl_v8_wasm_module_bytes(world.isolate, other, &bytes, &length));
        sl_v8_value_release(other);
    }
    // Compiled, and not optimised.
    sl_v8_value *fresh = world.Value("new WebAssembly.Module(make(1, 1))");
    CHECK(Take(sl_v8_wasm_module_seal(world.isolate, fresh)).empty());
    sl_v8_value_release(fresh);
}

TEST(integersOfAnyKindAreArguments) {
    World world;
    std::vector<int64_t> seen;
    world.on_call = [&](sl_v8_args *args) { seen.push_back(sl_v8_args_int64(args, 0)); };
    for (const char *value : {"1n", "-1n", "2n ** 63n", "2n ** 64n + 5n", "1.9", "-1.9", "NaN", "1e300", "-1e300", "'7'", "undefined"}) {
        world.Run(std::string("ops.call(") + value + ")");
    }
    const std::vector<int64_t> expected = {1, -1, INT64_MIN, 5, 1, -1, 0, INT64_MAX, INT64_MIN, 0, 0};
    CHECK(seen == expected);
}
