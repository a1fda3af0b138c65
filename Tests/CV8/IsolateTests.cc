// Isolates: tasks, snapshots, figures, the profiler, and very many of them.

#include <atomic>
#include <chrono>
#include <thread>

#include "test.h"

using namespace test;

// ---- Tasks ----

namespace {

struct Waker {
    std::atomic<int> calls = 0;
    std::atomic<bool> now = false;
    static void Wake(void *context, double delay_seconds) {
        auto *waker = static_cast<Waker *>(context);
        ++waker->calls;
        if (delay_seconds == 0) {
            waker->now = true;
            waker->now.notify_one();
        }
    }
};

constexpr const char *kWasm =
    "new Uint8Array([0,97,115,109,1,0,0,0,1,7,1,96,2,127,127,1,127,3,2,1,0,7,7,1,3,97,100,100,0,0,10,9,1,7,0,32,0,32,1,106,11])";

}  // namespace

TEST(asynchronousCompilationWakesTheHost) {
    World world;
    Waker waker;
    sl_v8_isolate_set_wake(world.isolate, Waker::Wake, &waker);
    world.Run(std::string("var seen; WebAssembly.instantiate(") + kWasm + ").then(r => { seen = r.instance.exports.add(2, 3) }, e => { seen = e }); 0");
    while (sl_v8_isolate_has_pending_work(world.isolate)) {
        waker.now.wait(false);
        waker.now = false;
        sl_v8_isolate_run_tasks(world.isolate);
        CHECK(world.Microtasks());
    }
    CHECK(world.Microtasks());
    CHECK_EQUAL(world.Run("seen"), "5");
    CHECK(!sl_v8_isolate_has_pending_work(world.isolate));
    sl_v8_isolate_set_wake(world.isolate, nullptr, nullptr);
}

TEST(finalizationRegistriesAreCalledThroughTasks) {
    World world;
    world.Run("var seen = 0; const registry = new FinalizationRegistry(() => seen++); (() => { for (let i = 0; i < 100; i++) registry.register({}, i) })()");
    sl_v8_isolate_low_memory(world.isolate);
    sl_v8_isolate_run_tasks(world.isolate);
    CHECK_EQUAL(world.Run("seen > 0"), "true");
}

TEST(anIsolateCanGoWhileItCompiles) {
    for (int time = 0; time < 5; ++time) {
        World world;
        world.Run(std::string("for (let i = 0; i < 20; i++) WebAssembly.compile(") + kWasm + ")");
    }
}

// ---- Snapshots ----

namespace {

std::string RunInSnapshot(sl_v8_realm *realm, const char *source) {
    sl_v8_exception *error = nullptr;
    sl_v8_value *value = sl_v8_script_run(realm, source, strlen(source), "internal:prepare", nullptr, &error);
    std::string text = error ? Text(error->message) : "";
    sl_v8_exception_free(error);
    sl_v8_value_release(value);
    return text;
}

// What the preparation leaves behind on purpose: a host may hold on to values, and give them back when the isolate is long gone.
struct Left {
    std::vector<sl_v8_value *> values;
    sl_v8_resolver *resolver;
    sl_v8_module *module;
};

bool Prepare(void *context, sl_v8_realm *realm) {
    sl_v8_value *ops = sl_v8_realm_install_ops(realm, nullptr);
    sl_v8_value *global = sl_v8_realm_global(realm);
    sl_v8_value_set(realm, global, "ops", ops);
    CHECK_EQUAL(RunInSnapshot(realm, "globalThis.baked = { log: ops.log, table: new Map([['k', new Uint8Array([1, 2, 3])]]), twice: x => x * 2,"
                                     "async later() { await 1; return 'later' }, symbol: Symbol('s'), pattern: /a+/g };"
                                     "baked.twice(4); baked.waited = 0; Promise.resolve().then(() => baked.waited++); ops.setContext('prepared')"), "");
    auto *left = static_cast<Left *>(context);
    sl_v8_exception *error = nullptr;
    left->values = {ops, global, sl_v8_value_object(realm)};
    left->resolver = sl_v8_resolver_create(realm);
    left->module = sl_v8_module_compile(realm, "export {}", 9, "left", nullptr, &error);
    return true;
}

std::string NewSnapshot() {
    sl_v8_exception *error = nullptr;
    Left left = {};
    std::string snapshot = Take(sl_v8_snapshot_create(Prepare, &left, &error));
    CHECK(!snapshot.empty() && error == nullptr);
    sl_v8_resolver_reject(left.resolver, left.values[0]);
    for (sl_v8_value *value : left.values) sl_v8_value_release(value);
    sl_v8_module_release(left.module);
    return snapshot;
}

const std::string &Snapshot() {
    static const std::string snapshot = NewSnapshot();
    return snapshot;
}

sl_v8_isolate_options With(const std::string &snapshot) {
    return {.snapshot = reinterpret_cast<const uint8_t *>(snapshot.data()), .snapshot_length = snapshot.size()};
}

}  // namespace

TEST(aSnapshotHoldsAPreparedRealm) {
    std::string snapshot = Snapshot();
    World world(With(snapshot), true);
    CHECK_EQUAL(world.Run("baked.twice(21)"), "42");
    CHECK_EQUAL(world.Run("baked.table.get('k').join()"), "1,2,3");
    CHECK_EQUAL(world.Run("baked.waited"), "1");
    CHECK_EQUAL(world.Run("'caat'.replace(baked.pattern, '-')"), "c-t");
    CHECK_EQUAL(world.Run("ops.context()"), "undefined");
    world.Run("baked.later().then(v => { baked.seen = v })");
    CHECK(world.Microtasks());
    CHECK_EQUAL(world.Run("baked.seen"), "later");
    CHECK_EQUAL(world.Run("typeof WebAssembly + typeof Intl"), "objectobject");
}

TEST(opsOfASnapshotReachTheNewContext) {
    std::string snapshot = Snapshot();
    World world(With(snapshot), true);
    CHECK_EQUAL(world.Run("ops.log('by name'); baked.log('kept'); ops.log === baked.log"), "true");
    CHECK_EQUAL(world.log.size(), 2u);
    double cell = -1;
    sl_v8_isolate_set_clock(world.isolate, &cell, 0);
    CHECK_EQUAL(world.Run("ops.now(); ops.enter('e'); ops.context()"), "e");
    CHECK(cell > 0);
}

TEST(anIsolateOfASnapshotMakesBothKindsOfRealm) {
    std::string snapshot = Snapshot();
    World world(With(snapshot), true);
    World *self = &world;
    sl_v8_realm *empty = sl_v8_realm_create(world.isolate, false), *second = sl_v8_realm_create(world.isolate, true);
    CHECK_EQUAL(world.RunIn(empty, "typeof baked + typeof ops"), "undefinedundefined");
    world.Install(empty, self);
    CHECK_EQUAL(world.RunIn(empty, "ops.log('from the empty one'); 1"), "1");
    world.Install(second, self);
    CHECK_EQUAL(world.RunIn(second, "baked.mark = 1; baked.twice(3)"), "6");
    CHECK_EQUAL(world.Run("typeof baked.mark"), "undefined");
    CHECK_EQUAL(world.log.size(), 1u);
    sl_v8_realm_dispose(empty);
    sl_v8_realm_dispose(second);
}

namespace {

sl_v8_value *CompileStaticText(sl_v8_realm *realm, sl_v8_code_cache *cache = nullptr) {
    sl_v8_exception *error = nullptr;
    sl_v8_value *function =
        sl_v8_function_compile(realm, kStaticText, strlen(kStaticText), "internal:static", nullptr, 0, cache, &error);
    CHECK(function != nullptr && error == nullptr);
    sl_v8_value *result = sl_v8_call(realm, function, nullptr, nullptr, 0, &error);
    CHECK(result != nullptr && error == nullptr);
    sl_v8_value_release(result);
    return function;
}

bool PrepareOfStaticText(void *, sl_v8_realm *realm) {
    sl_v8_value_release(CompileStaticText(realm));
    return true;
}

}  // namespace

TEST(aStaticTextIsNeitherInTheSnapshotNorCopied) {
    sl_v8_exception *error = nullptr;
    std::string snapshot = Take(sl_v8_snapshot_create(PrepareOfStaticText, nullptr, &error));
    CHECK(!snapshot.empty() && error == nullptr);
    CHECK(snapshot.find("not compiled yet") == std::string::npos);
    // Each isolate that ends lets go of its string, and none of them of the text.
    for (int time = 0; time < 3; ++time) {
        World world(With(snapshot), true), other(With(snapshot), true);
        CHECK_EQUAL(world.Run("never()"), "not compiled yet");
        CHECK_EQUAL(world.Run("called.toString()"), "function called() { return 'kept' }");
        sl_v8_isolate_low_memory(world.isolate);
        CHECK_EQUAL(other.Run("called()"), "kept");
    }
}

TEST(theCodeOfAFunctionHasWhatWasCalledInIt) {
    std::string code;
    {
        World world;
        sl_v8_value *function = CompileStaticText(world.realm);
        std::string before = Take(sl_v8_function_cache(world.realm, function));
        CHECK_EQUAL(world.Run("called()"), "kept");
        code = Take(sl_v8_function_cache(world.realm, function));
        CHECK(code.size() > before.size());
        sl_v8_value_release(function);
        sl_v8_value *number = sl_v8_value_number(world.isolate, 1);
        CHECK(sl_v8_function_cache(world.realm, number).bytes == nullptr);
        sl_v8_value_release(number);
    }
    World world;
    sl_v8_code_cache cache = {reinterpret_cast<const uint8_t *>(code.data()), code.size(), false};
    sl_v8_value_release(CompileStaticText(world.realm, &cache));
    CHECK(!cache.rejected);
    CHECK_EQUAL(world.Run("called() + never()"), "keptnot compiled yet");
    code[code.size() - 1] = static_cast<char>(code[code.size() - 1] ^ 1);
    sl_v8_value_release(CompileStaticText(world.realm, &cache));
    CHECK(cache.rejected);
}

TEST(theYoungGenerationBeginsAsLargeAsAsked) {
    auto young = [](sl_v8_isolate_options options) {
        World world(options);
        sl_v8_heap_space spaces[16];
        size_t count = std::min<size_t>(sl_v8_heap_spaces(world.isolate, spaces, 16), 16);
        for (size_t index = 0; index < count; ++index) {
            if (spaces[index].name == std::string_view("new_space")) return spaces[index].size_bytes;
        }
        return size_t(0);
    };
    CHECK(young({}) < 4 * kMiB);
    CHECK(young({.young_bytes_initial = 24 * kMiB}) >= 8 * kMiB);
}

TEST(aSnapshotNeedNotBeAligned) {
    std::string shifted = "x" + Snapshot();
    sl_v8_isolate_options options = {.snapshot = reinterpret_cast<const uint8_t *>(shifted.data()) + 1, .snapshot_length = shifted.size() - 1};
    World world(options, true);
    CHECK_EQUAL(world.Run("baked.twice(1)"), "2");
}

TEST(aSnapshotThatDoesNotFitIsRefused) {
    const std::string &snapshot = Snapshot();
    auto refused = [](const std::string &bytes) {
        sl_v8_isolate_options options = With(bytes);
        sl_v8_isolate *isolate = sl_v8_isolate_create(&options);
        if (isolate) sl_v8_isolate_dispose(isolate);
        return isolate == nullptr;
    };
    for (size_t length : {size_t(0), size_t(1), size_t(50), size_t(96), size_t(200), snapshot.size() / 2, snapshot.size() - 1}) {
        CHECK(refused(snapshot.substr(0, length)));
    }
    CHECK(refused(snapshot + "x"));
    CHECK(refused(std::string(100'000, 'x')));
    for (size_t at = 0; at < snapshot.size(); at += at < 96 ? 1 : 1 + snapshot.size() / 50) {
        std::string damaged = snapshot;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
        CHECK(refused(damaged));
    }
}

TEST(aFailedPreparationGivesNoSnapshot) {
    sl_v8_exception *error = nullptr;
    sl_v8_string none = sl_v8_snapshot_create([](void *, sl_v8_realm *) { return false; }, nullptr, &error);
    CHECK(none.bytes == nullptr);
    CHECK(error != nullptr);
    sl_v8_exception_free(error);
}

// ---- Figures ----

TEST(heapFiguresMakeSense) {
    World world;
    sl_v8_heap before = sl_v8_heap_statistics(world.isolate);
    CHECK(before.used_bytes > 0 && before.used_bytes <= before.total_bytes && before.limit_bytes > before.total_bytes);
    CHECK_EQUAL(before.native_contexts, 1u);
    world.Run("var keep = new Array(500000).fill(1.5); var buffer = new ArrayBuffer(3 << 20)");
    sl_v8_heap after = sl_v8_heap_statistics(world.isolate);
    CHECK(after.used_bytes > before.used_bytes + 3 * kMiB);
    CHECK_EQUAL(after.array_buffer_bytes, 3 * kMiB);
    sl_v8_heap_space spaces[32];
    size_t count = sl_v8_heap_spaces(world.isolate, spaces, 32);
    CHECK(count >= 6 && count <= 32);
    bool old_space = false;
    for (size_t index = 0; index < count; ++index) old_space |= std::string_view(spaces[index].name) == "old_space";
    CHECK(old_space);
    CHECK_EQUAL(sl_v8_heap_spaces(world.isolate, spaces, 1), count);
}

TEST(codeFiguresGrowWithWhatIsCompiled) {
    World world;
    sl_v8_code before = sl_v8_code_statistics(world.isolate);
    world.Run("var keep = []; for (let i = 0; i < 500; i++) keep.push(eval(`(function () { return [${i}, 'a' + ${i}]; })`)); for (const each of keep) each();");
    sl_v8_code after = sl_v8_code_statistics(world.isolate);
    CHECK(after.bytecode_bytes > before.bytecode_bytes + 500 * 16);
    CHECK(after.code_bytes > 0);
    sl_v8_heap heap = sl_v8_heap_statistics(world.isolate);
    CHECK(heap.used_global_handles_bytes > 0 && heap.used_global_handles_bytes <= heap.global_handles_bytes);
}

TEST(collectionsAreTold) {
    World world;
    struct Seen {
        uint32_t kinds = 0;
        bool pauses = true;
        int forced = 0;
    } seen;
    sl_v8_host host = {};
    host.context = &seen;
    host.gc = [](void *context, uint32_t kind, double pause_nanoseconds, bool forced) {
        auto *seen = static_cast<Seen *>(context);
        seen->kinds |= kind;
        seen->pauses &= pause_nanoseconds >= 0 && pause_nanoseconds < 60e9;
        seen->forced += forced;
    };
    sl_v8_isolate_set_host(world.isolate, &host);
    world.Run("for (let i = 0; i < 3e6; i++) ({ i })");
    sl_v8_isolate_low_memory(world.isolate);
    CHECK(seen.kinds & 1);
    CHECK(seen.kinds & 2);
    CHECK(seen.pauses);
    CHECK(seen.forced > 0);
}

TEST(theProfilerSeesFunctions) {
    World world;
    CHECK(sl_v8_profile_stop(world.isolate, nullptr, 0).bytes == nullptr);
    CHECK(sl_v8_profile_start(world.isolate, 100));
    CHECK(!sl_v8_profile_start(world.isolate, 100));
    world.Run("function hot() { let x = 0; for (let i = 0; i < 1e7; i++) x += Math.sqrt(i); return x } for (let i = 0; i < 5; i++) hot()", "file:///\"hot\".js");
    std::string json = Take(sl_v8_profile_stop(world.isolate, nullptr, 0));
    CHECK(json.starts_with("{\"nodes\":[{\"id\":1,\"callFrame\":{\"functionName\":\"(root)\""));
    CHECK(json.find("\"functionName\":\"hot\"") != std::string::npos);
    sl_v8_value *global = sl_v8_realm_global(world.realm), *text = sl_v8_value_string(world.isolate, json.data(), json.size());
    sl_v8_value_set(world.realm, global, "json", text);
    CHECK_EQUAL(world.Run("const p = JSON.parse(json); [p.samples.length === p.timeDeltas.length, p.samples.length > 10, p.endTime > p.startTime,"
                          "p.nodes.find(n => n.callFrame.functionName === 'hot').callFrame.url].join()"),
                "true,true,true,file:///\"hot\".js");
    sl_v8_value_release(global);
    sl_v8_value_release(text);
    CHECK(sl_v8_profile_start(world.isolate, 1000));  // and left running at the end
}

TEST(samplesGoUnderTheMarkBeforeThem) {
    World world;
    CHECK(sl_v8_profile_start(world.isolate, 200));
    std::vector<sl_v8_profile_mark> marks;
    auto mark = [&](int32_t label) {
        timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        marks.push_back({double(now.tv_sec) * 1e9 + double(now.tv_nsec), label});
    };
    const char *spin = "{ const end = Date.now() + 200; while (Date.now() < end) {} }";
    mark(7);
    world.Run(spin);
    mark(-1);
    world.Run(spin);
    mark(3);
    world.Run(spin);
    std::string json = Take(sl_v8_profile_stop(world.isolate, marks.data(), marks.size()));
    sl_v8_value *global = sl_v8_realm_global(world.realm), *text = sl_v8_value_string(world.isolate, json.data(), json.size());
    sl_v8_value_set(world.realm, global, "json", text);
    CHECK_EQUAL(world.Run("const p = JSON.parse(json), l = p.sidelightSamples; const n = (x) => l.filter((y) => y === x).length;"
                          "[l.length === p.samples.length, n(7) > 3, n(-1) > 3, n(3) > 3, n(7) + n(-1) + n(3) === l.length].join()"),
                "true,true,true,true,true");
    sl_v8_value_release(global);
    sl_v8_value_release(text);
}

TEST(theProfilerStartsAndStopsWhileJavaScriptRuns) {
    World world;
    sl_v8_profile_prepare(world.isolate);
    struct Asked {
        sl_v8_isolate *isolate;
        std::atomic<int> step = 0;
        std::string json;
    } asked{world.isolate};
    std::thread other([&] {
        auto wait = [&](int step) {
            while (asked.step.load() != step) usleep(1000);
            usleep(60'000);
        };
        wait(0);
        sl_v8_isolate_interrupt(world.isolate, [](void *context) {
            auto *asked = static_cast<Asked *>(context);
            asked->step = sl_v8_profile_start(asked->isolate, 500) ? 1 : -1;
        }, &asked);
        wait(1);
        sl_v8_isolate_interrupt(world.isolate, [](void *context) {
            auto *asked = static_cast<Asked *>(context);
            asked->json = Take(sl_v8_profile_stop(asked->isolate, nullptr, 0));
            asked->step = 2;
        }, &asked);
        wait(2);
        sl_v8_isolate_terminate(world.isolate);
    });
    sl_v8_exception *error = nullptr;
    const char *source = "function spinning() { for (;;) Math.sqrt(2); } spinning()";
    sl_v8_value *result = sl_v8_script_run(world.realm, source, strlen(source), "spin.js", nullptr, &error);
    CHECK(!result && !error);
    other.join();
    sl_v8_isolate_cancel_terminate(world.isolate);
    CHECK(asked.json.find("\"functionName\":\"spinning\"") != std::string::npos);
}

TEST(aHeapSnapshotIsWrittenInPiecesAndCanBeStopped) {
    World world;
    world.Run("globalThis.kept = Array.from({length: 20000}, (_, i) => ({ findMe: i }))");
    std::string text;
    auto keep = [](void *context, const char *bytes, size_t length) {
        static_cast<std::string *>(context)->append(bytes, length);
        return true;
    };
    CHECK(sl_v8_heap_snapshot(world.isolate, keep, &text));
    CHECK(text.starts_with("{\"snapshot\":{\"meta\":"));
    CHECK(text.ends_with("}"));
    CHECK(text.find("\"findMe\"") != std::string::npos);
    size_t pieces = 0;
    auto stop = [](void *context, const char *, size_t) { return ++*static_cast<size_t *>(context) < 3; };
    CHECK(!sl_v8_heap_snapshot(world.isolate, stop, &pieces));
    CHECK_EQUAL(pieces, size_t(3));
}

TEST(theContinuationIsKnownInInterruptsAndCollections) {
    World world;
    CHECK(sl_v8_isolate_continuation(world.isolate) == nullptr);
    struct Seen {
        sl_v8_isolate *isolate;
        std::atomic<bool> done = false;
        std::string interrupted, collected;
        std::string Now() {
            sl_v8_value *value = sl_v8_isolate_continuation(isolate);
            if (!value) return "none";
            std::string text = Take(sl_v8_value_utf8(isolate, value));
            sl_v8_value_release(value);
            return text;
        }
    } seen{world.isolate};
    sl_v8_host host = {};
    host.context = &seen;
    host.gc = [](void *context, uint32_t, double, bool) {
        auto *seen = static_cast<Seen *>(context);
        if (seen->collected.empty()) seen->collected = seen->Now();
    };
    sl_v8_isolate_set_host(world.isolate, &host);
    std::thread other([&] {
        usleep(50'000);
        sl_v8_isolate_interrupt(world.isolate, [](void *context) {
            auto *seen = static_cast<Seen *>(context);
            seen->interrupted = seen->Now();
            seen->done = true;
        }, &seen);
        while (!seen.done) usleep(1000);
        sl_v8_isolate_terminate(world.isolate);
    });
    sl_v8_value *ops = sl_v8_realm_install_ops(world.realm, nullptr), *global = sl_v8_realm_global(world.realm);
    sl_v8_value_set(world.realm, global, "ops", ops);
    sl_v8_exception *error = nullptr;
    const char *source = "ops.setContext('mine'); for (;;) new Array(100)";
    sl_v8_value *result = sl_v8_script_run(world.realm, source, strlen(source), "spin.js", nullptr, &error);
    CHECK(!result && !error);
    other.join();
    sl_v8_isolate_cancel_terminate(world.isolate);
    CHECK_EQUAL(seen.interrupted, "mine");
    CHECK_EQUAL(seen.collected, "mine");
    sl_v8_value_release(ops);
    sl_v8_value_release(global);
}

// ---- Many ----

TEST(severalIsolatesLiveOnOneThread) {
    World first, second;
    CHECK_EQUAL(first.Run("var x = 'first'; x"), "first");
    CHECK_EQUAL(second.Run("typeof x"), "undefined");
    std::string inner;
    first.on_call = [&](sl_v8_args *) { inner = second.Run("'called within the other'"); };
    CHECK_EQUAL(first.Run("ops.call(); x"), "first");
    CHECK_EQUAL(inner, "called within the other");
}

TEST(isolatesOnManyThreadsAtOnce) {
    std::string snapshot = Snapshot();
    std::atomic<int> right = 0;
    std::vector<std::thread> threads;
    for (int index = 0; index < 4; ++index) {
        threads.emplace_back([&, index] {
            for (int time = 0; time < 5; ++time) {
                World world(time % 2 ? sl_v8_isolate_options{} : With(snapshot), time % 2 == 0);
                if (world.Run("let s = 0; for (let i = 0; i < 1e5; i++) s += i; s + " + std::to_string(index)) == std::to_string(4999950000 + index)) ++right;
            }
        });
    }
    for (std::thread &thread : threads) thread.join();
    CHECK_EQUAL(right.load(), 20);
}

TEST(aThousandIsolatesComeAndGo) {
    std::string snapshot = Snapshot();
    int out_of_memory = 0, terminated = 0;
    for (int index = 0; index < 1000; ++index) {
        sl_v8_isolate_options options = index % 3 ? With(snapshot) : sl_v8_isolate_options{};
        options.heap_bytes_max = 16 * kMiB;
        World world(options, index % 3 != 0);
        if (index % 25 == 0) {
            CHECK_EQUAL(world.Run("const a = []; for (;;) a.push(new Array(1000).fill(0.5))"), "ended");
            out_of_memory += sl_v8_isolate_end_reason(world.isolate) == SL_V8_END_HEAP_LIMIT;
            // Half of them go as they are.
            if (index % 50 == 0) world.ExpectUsable();
        } else if (index % 10 == 1) {
            std::atomic<bool> started = false;
            world.on_call = [&](sl_v8_args *) { started = true; };
            std::thread other([&] {
                while (!started) std::this_thread::yield();
                sl_v8_isolate_terminate(world.isolate);
            });
            CHECK_EQUAL(world.Run("ops.call(); for (;;) {}"), "ended");
            other.join();
            terminated += sl_v8_isolate_end_reason(world.isolate) == SL_V8_END_TERMINATED;
            if (index % 20 == 1) world.ExpectUsable();
        } else {
            CHECK_EQUAL(world.Run("[1, 2, 3].map(x => x * 2).join()"), "2,4,6");
            CHECK(world.Microtasks());
        }
    }
    CHECK_EQUAL(out_of_memory, 40);
    CHECK_EQUAL(terminated, 100);
}
