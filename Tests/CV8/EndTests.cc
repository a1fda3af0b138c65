// Termination, the heap limit, and what ends the process.

#include <atomic>
#include <thread>

#include "test.h"

using namespace test;

namespace {

std::string ReasonOf(World &world) {
    switch (sl_v8_isolate_end_reason(world.isolate)) {
    case SL_V8_END_NONE: return "none";
    case SL_V8_END_TERMINATED: return "terminated";
    case SL_V8_END_HEAP_LIMIT: return "heap limit";
    }
}

// Terminates once ops.call was called.
void TerminateFromAnotherThread(World &world, std::string_view source, std::string_view expected = "ended") {
    std::atomic<bool> started = false;
    std::thread other([&] {
        while (!started) std::this_thread::yield();
        sl_v8_isolate_terminate(world.isolate);
    });
    world.on_call = [&](sl_v8_args *) { started = true; };
    CHECK_EQUAL(world.Run(source), expected);
    other.join();
}

}  // namespace

TEST(anotherThreadEndsAnEndlessLoop) {
    World world;
    TerminateFromAnotherThread(world, "ops.call(); for (;;) {}");
    CHECK_EQUAL(ReasonOf(world), "terminated");
    world.ExpectUsable();
}

TEST(terminationIsNotCaughtAndRunsNoFinally) {
    World world;
    TerminateFromAnotherThread(world, "let seen = ''; ops.call(); try { for (;;) {} } catch { seen += 'catch' } finally { seen += 'finally' }");
    world.ExpectUsable();
    CHECK_EQUAL(world.Run("seen"), "");
}

TEST(terminationEndsMicrotasksThatFollowEachOther) {
    World world;
    std::atomic<bool> started = false;
    std::thread other([&] {
        while (!started) std::this_thread::yield();
        sl_v8_isolate_terminate(world.isolate);
    });
    world.on_call = [&](sl_v8_args *) { started = true; };
    CHECK_EQUAL(world.Run("const again = () => { Promise.resolve().then(again); ops.call() }; Promise.resolve().then(again); 1"), "1");
    CHECK(!world.Microtasks());
    other.join();
    world.ExpectUsable();
    CHECK(world.Microtasks());
}

TEST(terminationWakesAtomicsWait) {
    World world;
    TerminateFromAnotherThread(world, "ops.call(); Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0)");
    world.ExpectUsable();
}

TEST(terminationUnwindsThroughNestedCalls) {
    World world;
    world.Run("var steps = []; function inner() { steps.push('inner'); for (;;) {} }");
    sl_v8_value *inner = world.Value("inner");
    world.on_call = [&](sl_v8_args *args) {
        sl_v8_isolate_terminate(world.isolate);
        sl_v8_exception *error = nullptr;
        CHECK(sl_v8_call(sl_v8_args_realm(args), inner, nullptr, nullptr, 0, &error) == nullptr);
        CHECK(error == nullptr);
    };
    CHECK_EQUAL(world.Run("try { ops.call(); steps.push('after') } finally { steps.push('finally') }"), "ended");
    sl_v8_value_release(inner);
    world.ExpectUsable();
    CHECK_EQUAL(world.Run("steps.join()"), "");
}

TEST(terminationWithinANestedCallEndsTheOuterOne) {
    World world;
    world.Run("var steps = []; function inner() { for (;;) {} }");
    sl_v8_value *inner = world.Value("inner");
    world.on_call = [&](sl_v8_args *args) {
        std::thread other([&] { sl_v8_isolate_terminate(world.isolate); });
        sl_v8_exception *error = nullptr;
        CHECK(sl_v8_call(sl_v8_args_realm(args), inner, nullptr, nullptr, 0, &error) == nullptr);
        CHECK(error == nullptr);
        other.join();
    };
    CHECK_EQUAL(world.Run("try { ops.call(); steps.push('after') } finally { steps.push('finally') }"), "ended");
    sl_v8_value_release(inner);
    world.ExpectUsable();
    CHECK_EQUAL(world.Run("steps.join()"), "");
}

TEST(terminationBetweenTwoEntriesIsNotLost) {
    World world;
    CHECK_EQUAL(world.Run("1"), "1");
    sl_v8_isolate_terminate(world.isolate);
    for (int time = 0; time < 3; ++time) CHECK_EQUAL(world.Run("2"), "ended");
    CHECK(!world.Microtasks());
    CHECK_EQUAL(sl_v8_isolate_run_tasks(world.isolate), 0u);
    world.ExpectUsable();
}

TEST(terminationAfterTheEndOfAScriptHoldsForTheNext) {
    World world;
    world.on_call = [&](sl_v8_args *) { sl_v8_isolate_terminate(world.isolate); };
    // Whether the rest of this one still runs is up to V8; the next entry does not.
    world.Run("ops.call()");
    CHECK_EQUAL(ReasonOf(world), "terminated");
    CHECK_EQUAL(world.Run("2"), "ended");
    world.ExpectUsable();
}

TEST(settlingPromisesOfAnEndedIsolateRunsNoUserCode) {
    World world;
    sl_v8_resolver *resolver = sl_v8_resolver_create(world.realm);
    sl_v8_value *thenable = world.Value("var ran = 0; ({ get then() { ran++; for (;;) {} } })");
    sl_v8_isolate_terminate(world.isolate);
    sl_v8_resolver_resolve(resolver, thenable);
    sl_v8_value_release(thenable);
    world.ExpectUsable();
    CHECK_EQUAL(world.Run("ran"), "0");
}

TEST(aRealmCanBeMadeInAnEndedIsolate) {
    World world;
    sl_v8_isolate_terminate(world.isolate);
    sl_v8_realm *other = sl_v8_realm_create(world.isolate, false);
    sl_v8_value_release(sl_v8_realm_install_ops(other, &world));
    world.ExpectUsable();
    world.Install(other, &world);
    CHECK_EQUAL(world.RunIn(other, "ops.log('x'); typeof Error"), "function");
    sl_v8_realm_dispose(other);
}

TEST(interruptsRunWhileJavaScriptRuns) {
    World world;
    std::atomic<int> ran = 0;
    static World *interrupted;
    interrupted = &world;
    std::thread other([&] {
        for (int time = 0; time < 3; ++time) {
            sl_v8_isolate_interrupt(world.isolate, [](void *count) {
                if (++*static_cast<std::atomic<int> *>(count) == 3) sl_v8_isolate_terminate(interrupted->isolate);
            }, &ran);
        }
    });
    CHECK_EQUAL(world.Run("for (;;) {}"), "ended");
    other.join();
    CHECK_EQUAL(ran.load(), 3);
    world.ExpectUsable();
}

// ---- Heap limit ----

namespace {

struct Hog {
    const char *name, *source;
};

// Each stops with the reason "heap limit" and leaves a usable isolate.
constexpr Hog kRecoverable[] = {
    {"arrays", "const a = []; for (;;) a.push(new Array(1000).fill(0.5))"},
    {"local arrays", "(() => { const a = []; for (;;) a.push(new Array(1000).fill(0.5)) })()"},
    {"strings", "const s = []; for (let i = 0;; i++) s.push(('x' + i).repeat(1000).split('').reverse().join(''))"},
    {"a growing string", "let t = 'abc'; const k = []; for (;;) { t = t + t.slice(0, 1000) + '!'; k.push(t); JSON.stringify(t) }"},
    {"a map", "const m = new Map(); for (let i = 0;; i++) m.set(i, { i })"},
    {"an object as a table", "const o = {}; for (let i = 0;; i++) o['key' + i] = i"},
    {"closures", "const c = []; for (let i = 0;; i++) { const big = new Array(100).fill(i); c.push(() => big) }"},
    {"bigints", "const b = []; for (let i = 1n;; i++) b.push(i ** 5000n)"},
    {"typed array wrappers", "const w = []; for (;;) w.push(new Uint8Array(8))"},
    {"one growing array", "const g = []; for (let i = 0;; i++) g.push({ i })"},
    {"errors", "const e = []; for (let i = 0;; i++) e.push(new Error('e' + i))"},
    {"regular expression results", "const r = []; for (;;) r.push(/(a+)(b+)/.exec('aaabbb'))"},
    {"numbers in a map", "const n = new Map(); for (let i = 0;; i++) n.set(i, i)"},
    {"symbols in a set", "const z = new Set(); for (;;) z.add(Symbol('s'))"},
};

}  // namespace

TEST(everyWayToFillTheHeapEndsWithTheReason) {
    for (const Hog &hog : kRecoverable) {
        World world({.heap_bytes_max = 24 * kMiB});
        if (getenv("CV8_VERBOSE")) printf("    %s\n", hog.name);
        std::string seen = world.Run(hog.source);
        bool ended = seen == "ended" && ReasonOf(world) == "heap limit";
        if (!ended) printf("    %s: %s, %s\n", hog.name, seen.c_str(), ReasonOf(world).c_str());
        CHECK(ended);
        world.ExpectUsable();
    }
}

TEST(promiseChainsThatFillTheHeapEnd) {
    World world({.heap_bytes_max = 24 * kMiB});
    world.Run("const kept = []; const step = () => Promise.resolve(new Array(1000).fill(1.5)).then(v => { kept.push(v); return step() }); step(); 1");
    CHECK(!world.Microtasks());
    CHECK_EQUAL(ReasonOf(world), "heap limit");
    world.ExpectUsable();
}

TEST(theHeapLimitHoldsAgainAfterwards) {
    World world({.heap_bytes_max = 24 * kMiB});
    size_t limit_bytes = sl_v8_heap_statistics(world.isolate).limit_bytes;
    for (int time = 0; time < 3; ++time) {
        CHECK_EQUAL(world.Run("(() => { const a = []; for (;;) a.push(new Array(1000).fill(0.5)) })()"), "ended");
        CHECK_EQUAL(ReasonOf(world), "heap limit");
        world.ExpectUsable();
        CHECK_EQUAL(sl_v8_heap_statistics(world.isolate).limit_bytes, limit_bytes);
    }
}

TEST(aDisposedRealmLeavesRoomForTheNext) {
    World world({.heap_bytes_max = 24 * kMiB});
    sl_v8_realm *other = sl_v8_realm_create(world.isolate, false);
    CHECK_EQUAL(world.RunIn(other, "var a = []; for (;;) a.push(new Array(1000).fill(0.5))"), "ended");
    sl_v8_realm_dispose(other);
    world.ExpectUsable();
    CHECK(sl_v8_heap_statistics(world.isolate).used_bytes < 8 * kMiB);
}

// ---- What ends the process ----

namespace {

constexpr Hog kFatal[] = {
    {"one huge array", "new Array(1e8).fill(1.1)"},
    {"a huge array of elements", "const a = new Array(3e7); for (let i = 0; i < 3e7; i++) a[i] = i + 0.5; a.length"},
    {"a huge Array.from", "Array.from({ length: 1e8 }, (_, i) => i).length"},
    {"a huge split", "'ab'.repeat(5e7).split('').length"},
    {"a huge JSON", "JSON.parse('[' + '{\"a\":[1.5,2]},'.repeat(5e6) + '0]').length"},
    {"a huge spread", "const s = new Set(); for (let i = 0; i < 1.5e7; i++) s.add(i); [...s].length"},
    {"a huge string", "'x'.repeat(2 ** 29 - 30).split('').length"},
    {"a flattened string", "let t = 'x'; for (let i = 0; i < 28; i++) t += t; t.charCodeAt(5) + JSON.stringify(t).length"},
};

template <int index>
void RunFatal() {
    World world({.heap_bytes_max = 24 * kMiB});
    std::string seen = world.Run(kFatal[index].source);
    printf("%s: %s\n", seen.c_str(), ReasonOf(world).c_str());
    if (ReasonOf(world) != "none") world.ExpectUsable();
}

template <int... index>
void AddFatal(std::integer_sequence<int, index...>) {
    (AddChild(kFatal[index].name, RunFatal<index>), ...);
}

const bool fatal_added = (AddFatal(std::make_integer_sequence<int, std::size(kFatal)>()), true);

}  // namespace

namespace {

void UseFromAnotherThread() {
    World world;
    std::thread([&] { world.Run("1"); }).join();
    printf("nobody noticed\n");
}
const bool misuse_added = (AddChild("misuse", UseFromAnotherThread), true);

}  // namespace

namespace {

constexpr char kCheck[] = "\n\n#\n# Fatal error in x.cc, line 1\n# ";

// What others print while one is about to trap is heard.
void PrintBesideACheck() {
    dup2(STDOUT_FILENO, STDERR_FILENO);
    std::thread([] { fputs(kCheck, stderr); }).join();
    fputs("heard\n", stderr);
}
void PrintWhereNobodyListens() {
    close(STDERR_FILENO);
    printf("%zu written, error %d\n", fwrite("abc", 1, 3, stderr), ferror(stderr) != 0);
}
const bool prints_added = (AddChild("beside a check", PrintBesideACheck), AddChild("unheard", PrintWhereNobodyListens), true);

}  // namespace

TEST(aCheckThatFailsSilencesItsOwnThreadAlone) {
    (void)prints_added;
    CHECK_EQUAL(RunChild("beside a check"), "heard\n");
}

TEST(anErrorThatCannotBePrintedIsOneOfTheStream) { CHECK_EQUAL(RunChild("unheard"), "0 written, error 1\n"); }

// With the checks of a debug build, as scripts/test-cv8 makes it.
TEST(useFromAnotherThreadEndsTheProcess) {
    (void)misuse_added;
    CHECK_EQUAL(RunChild("misuse"), "signal 6\n");
}

TEST(oneAllocationBeyondTheRoomEndsInTheFatalCallbackOrTheReason) {
    (void)fatal_added;
    for (const Hog &hog : kFatal) {
        std::string seen = RunChild(hog.name);
        bool told = seen.starts_with("fatal") || seen.starts_with("ended: heap limit");
        if (!told || getenv("CV8_VERBOSE")) printf("    %s: %s\n", hog.name, seen.c_str());
        CHECK(told);
    }
}
