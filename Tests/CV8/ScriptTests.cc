// Scripts, values, ops, promises, realms and exceptions.

#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "test.h"

using namespace test;

// ---- Values ----

TEST(valuesHaveTypesAndText) {
    World world;
    struct {
        const char *source;
        sl_v8_type type;
        const char *text;
    } const cases[] = {
        {"undefined", SL_V8_UNDEFINED, "undefined"},
        {"null", SL_V8_NULL, "null"},
        {"true", SL_V8_BOOL, "true"},
        {"1.5", SL_V8_NUMBER, "1.5"},
        {"-0", SL_V8_NUMBER, "0"},
        {"12345678901234567890n", SL_V8_BIGINT, "12345678901234567890"},
        {"'gr\u00fc\u00df \\ud83d\\ude00 \\ud800!'", SL_V8_STRING, "gr\u00fc\u00df \U0001F600 \uFFFD!"},
        {"Symbol('s')", SL_V8_SYMBOL, "s"},
        {"(() => 1)", SL_V8_FUNCTION, "[object]"},
        {"[1, 2]", SL_V8_ARRAY, "[object]"},
        {"new ArrayBuffer(4)", SL_V8_BYTES, "[object]"},
        {"new DataView(new ArrayBuffer(4))", SL_V8_BYTES, "[object]"},
        {"Promise.resolve(1)", SL_V8_PROMISE, "[object]"},
        {"({ toString() { throw 1 } })", SL_V8_OBJECT, "[object]"},
        {"new Proxy({}, { get() { throw 1 } })", SL_V8_OBJECT, "[object]"},
        {"new TypeError('no')", SL_V8_OBJECT, "TypeError: no"},
        {"Object.assign(new Error('no'), { name: 'Mine' })", SL_V8_OBJECT, "Mine: no"},
        {"''", SL_V8_STRING, ""},
    };
    for (const auto &one : cases) {
        sl_v8_value *value = world.Value(one.source);
        CHECK(value != nullptr);
        if (!value) continue;
        CHECK_EQUAL(int(sl_v8_value_type(world.isolate, value)), int(one.type));
        CHECK_EQUAL(Take(sl_v8_value_utf8(world.isolate, value)), one.text);
        sl_v8_value_release(value);
    }
}

TEST(propertiesAreReadAndWritten) {
    World world;
    sl_v8_exception *error = nullptr;
    sl_v8_value *object = world.Value("({ a: 1, get bad() { throw new RangeError('bad') }, __proto__: { inherited: 'yes' } })");
    sl_v8_value *value = sl_v8_value_get(world.realm, object, "inherited", &error);
    CHECK_EQUAL(Take(sl_v8_value_utf8(world.isolate, value)), "yes");
    sl_v8_value_release(value);
    CHECK(sl_v8_value_get(world.realm, object, "bad", &error) == nullptr);
    CHECK(error && Text(error->name) == "RangeError");
    sl_v8_exception_free(error);
    sl_v8_value *number = sl_v8_value_number(world.isolate, 4.5);
    CHECK(sl_v8_value_set(world.realm, object, "a", number));
    value = sl_v8_value_get(world.realm, object, "a", &error);
    CHECK_EQUAL(sl_v8_value_to_number(world.isolate, value), 4.5);
    sl_v8_value_release(value);
    sl_v8_value_release(number);
    sl_v8_value *undefined = sl_v8_value_undefined(world.isolate);
    CHECK(sl_v8_value_get(world.realm, undefined, "a", &error) == nullptr);
    CHECK(error && Text(error->name) == "TypeError");
    sl_v8_exception_free(error);
    CHECK(!sl_v8_value_to_bool(world.isolate, undefined));
    CHECK(std::isnan(sl_v8_value_to_number(world.isolate, undefined)));
    sl_v8_value_release(undefined);
    sl_v8_value_release(object);
}

TEST(callsPassArgumentsAndReceiver) {
    World world;
    sl_v8_exception *error = nullptr;
    sl_v8_value *function = world.Value("'use strict'; (function (...all) { return this.x + ':' + all.join() })");
    sl_v8_value *receiver = world.Value("({ x: 'receiver' })");
    std::vector<sl_v8_value *> numbers;
    for (int number = 0; number < 20; ++number) numbers.push_back(sl_v8_value_number(world.isolate, number));
    for (size_t count : {size_t(0), size_t(3), size_t(8), size_t(20)}) {
        sl_v8_value *result = sl_v8_call(world.realm, function, receiver, numbers.data(), count, &error);
        std::string text = Take(sl_v8_value_utf8(world.isolate, result));
        CHECK_EQUAL(std::count(text.begin(), text.end(), ','), count ? ptrdiff_t(count) - 1 : 0);
        sl_v8_value_release(result);
    }
    CHECK(sl_v8_call(world.realm, function, nullptr, nullptr, 0, &error) == nullptr);
    CHECK(error && Text(error->name) == "TypeError");
    sl_v8_exception_free(error);
    CHECK(sl_v8_call(world.realm, receiver, nullptr, nullptr, 0, &error) == nullptr);
    CHECK(error && Text(error->name) == "TypeError");
    sl_v8_exception_free(error);
    for (sl_v8_value *number : numbers) sl_v8_value_release(number);
    sl_v8_value_release(receiver);
    sl_v8_value_release(function);
}

TEST(bytesOfBuffersAndViewsAreReachable) {
    World world;
    uint8_t *bytes = nullptr;
    size_t length = 0;
    for (const char *source : {"new Uint8Array([1, 2, 3])", "new Uint8Array([1, 2, 3]).buffer", "new Uint8Array([9, 1, 2, 3]).subarray(1)",
                               "(() => { const s = new SharedArrayBuffer(3); new Uint8Array(s).set([1, 2, 3]); return s })()",
                               "new DataView(new Uint8Array([9, 9, 1, 2, 3, 9]).buffer, 2, 3)"}) {
        sl_v8_value *value = world.Value(source);
        CHECK(sl_v8_value_bytes(world.isolate, value, &bytes, &length));
        CHECK_EQUAL(length, 3u);
        CHECK(length == 3 && bytes[0] == 1 && bytes[2] == 3);
        sl_v8_value_release(value);
    }
    sl_v8_value *other = world.Value("({ length: 3 })");
    CHECK(!sl_v8_value_bytes(world.isolate, other, &bytes, &length));
    sl_v8_value_release(other);
    sl_v8_value *copy = sl_v8_value_buffer(world.realm, "hello", 5);
    CHECK(sl_v8_value_bytes(world.isolate, copy, &bytes, &length) && length == 5 && memcmp(bytes, "hello", 5) == 0);
    sl_v8_value_release(copy);
    copy = sl_v8_value_buffer(world.realm, nullptr, 0);
    CHECK(sl_v8_value_bytes(world.isolate, copy, &bytes, &length) && length == 0);
    sl_v8_value_release(copy);
}

TEST(externalBuffersShareMemoryAndCannotBeTransferred) {
    static uint8_t memory[64];
    World world;
    sl_v8_value *buffer = sl_v8_value_external_buffer(world.realm, memory, sizeof memory);
    sl_v8_value *again = sl_v8_value_external_buffer(world.realm, memory, sizeof memory);
    sl_v8_value *global = sl_v8_realm_global(world.realm);
    sl_v8_value_set(world.realm, global, "ring", buffer);
    CHECK_EQUAL(world.Run("new Uint8Array(ring)[5] = 77"), "77");
    CHECK_EQUAL(int(memory[5]), 77);
    sl_v8_exception *error = nullptr;
    sl_v8_value *list = world.Value("[ring]");
    CHECK(sl_v8_value_clone(world.realm, buffer, list, &error) == nullptr);
    CHECK(error && Text(error->name) == "DataCloneError");
    sl_v8_exception_free(error);
    for (sl_v8_value *value : {list, global, again, buffer}) sl_v8_value_release(value);
}

TEST(clonesAreStructuredAndTransferBuffers) {
    World world;
    sl_v8_exception *error = nullptr;
    auto clone = [&](const char *source, const char *transfer, const char *look) {
        sl_v8_value *value = world.Value(source), *list = transfer ? world.Value(transfer) : nullptr;
        sl_v8_value *copy = sl_v8_value_clone(world.realm, value, list, &error);
        std::string text;
        if (copy) {
            sl_v8_value *global = sl_v8_realm_global(world.realm);
            sl_v8_value_set(world.realm, global, "copy", copy);
            sl_v8_value_release(global);
            text = world.Run(look);
        } else {
            text = error ? "threw " + Text(error->name) : "ended";
            sl_v8_exception_free(error);
        }
        for (sl_v8_value *one : {value, list, copy}) sl_v8_value_release(one);
        return text;
    };
    CHECK_EQUAL(clone("var o = { m: new Map([[1, new Date(5)]]) }; o.self = o; o", nullptr, "[copy !== o, copy.self === copy, copy.m.get(1).getTime()].join()"), "true,true,5");
    CHECK_EQUAL(clone("var b = new Uint8Array([1, 2, 3]); b", "[b.buffer]", "copy.join() + ' ' + b.length"), "1,2,3 0");
    CHECK_EQUAL(clone("(() => 1)", nullptr, "1"), "threw DataCloneError");
    CHECK_EQUAL(clone("1", "[1]", "1"), "threw DataCloneError");
    CHECK_EQUAL(clone("var t = new ArrayBuffer(4); t", "[t, t]", "1"), "threw DataCloneError");
    CHECK_EQUAL(clone("({ get x() { throw new RangeError('mine') } })", nullptr, "1"), "threw RangeError");
    CHECK_EQUAL(clone("var s = new SharedArrayBuffer(4); s", nullptr, "new Uint8Array(s)[0] = 9; new Uint8Array(copy)[0]"), "9");
    CHECK_EQUAL(clone("new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))", nullptr, "copy instanceof WebAssembly.Module"), "true");
    CHECK_EQUAL(clone("Object.assign(new RangeError('r'), { extra: 1 })", nullptr, "copy instanceof RangeError && copy.message"), "r");
}

TEST(arrayBuffersBeyondTheLimitThrow) {
    World world({.array_buffer_bytes_max = 4 * kMiB});
    CHECK_EQUAL(world.Run("new ArrayBuffer(5 << 20)").substr(0, 16), "threw RangeError");
    CHECK_EQUAL(world.Run("const keep = []; try { for (;;) keep.push(new ArrayBuffer(1 << 20)) } catch (e) { keep.length + e.name }"), "4RangeError");
    CHECK_EQUAL(sl_v8_heap_statistics(world.isolate).array_buffer_bytes, 4 * kMiB);
    CHECK_EQUAL(world.Run("keep.length = 0; for (let i = 0; i < 100; i++) new ArrayBuffer(1 << 20); 'garbage is collected first'"),
                "garbage is collected first");
    CHECK_EQUAL(world.Run("new ArrayBuffer(2 ** 52)").substr(0, 16), "threw RangeError");
}

TEST(valuesLeftAtTheEndAreEmptied) {
    sl_v8_isolate_options options = {};
    sl_v8_isolate *isolate = sl_v8_isolate_create(&options);
    sl_v8_realm *realm = sl_v8_realm_create(isolate, false);
    sl_v8_value *value = sl_v8_value_object(realm);
    sl_v8_resolver *resolver = sl_v8_resolver_create(realm);
    sl_v8_isolate_dispose(isolate);
    sl_v8_value_release(value);
    sl_v8_resolver_resolve(resolver, value = nullptr);
}

// ---- Ops ----

TEST(opsSeeTheirArguments) {
    World world;
    std::string seen;
    world.on_call = [&](sl_v8_args *args) {
        CHECK(sl_v8_args_isolate(args) == world.isolate);
        CHECK(sl_v8_args_realm(args) == world.realm);
        CHECK_EQUAL(sl_v8_args_count(args), 6u);
        CHECK_EQUAL(sl_v8_args_number(args, 0), 1.5);
        CHECK(sl_v8_args_bool(args, 1));
        CHECK_EQUAL(Take(sl_v8_args_string(args, 2)), "text");
        CHECK_EQUAL(Take(sl_v8_args_string(args, 0)), "1.5");
        CHECK_EQUAL(Take(sl_v8_args_string(args, 4)), "");
        uint8_t *bytes = nullptr;
        size_t length = 0;
        CHECK(sl_v8_args_bytes(args, 3, &bytes, &length) && length == 2 && bytes[1] == 8);
        CHECK(!sl_v8_args_bytes(args, 4, &bytes, &length));
        CHECK(std::isnan(sl_v8_args_number(args, 2)));
        CHECK_EQUAL(int(sl_v8_args_type(args, 5)), int(SL_V8_NULL));
        CHECK_EQUAL(int(sl_v8_args_type(args, 99)), int(SL_V8_UNDEFINED));
        sl_v8_value *object = sl_v8_args_value(args, 4);
        sl_v8_args_return_value(args, object);
        sl_v8_value_release(object);
    };
    CHECK_EQUAL(world.Run("const object = {}; ops.call(1.5, 'x', 'text', new Uint8Array([7, 8]), object, null) === object"), "true");
}

TEST(opsReturnEveryKindOfValue) {
    World world;
    auto result = [&](auto answer) {
        world.on_call = answer;
        return world.Run("(v => Object.is(v, -0) ? '-0' : typeof v + ' ' + v)(ops.call())");
    };
    CHECK_EQUAL(result([](sl_v8_args *) {}), "undefined undefined");
    CHECK_EQUAL(result([](sl_v8_args *args) { sl_v8_args_return_number(args, 7); }), "number 7");
    CHECK_EQUAL(result([](sl_v8_args *args) { sl_v8_args_return_number(args, -0.0); }), "-0");
    CHECK_EQUAL(result([](sl_v8_args *args) { sl_v8_args_return_number(args, 1e300); }), "number 1e+300");
    CHECK_EQUAL(result([](sl_v8_args *args) { sl_v8_args_return_number(args, NAN); }), "number NaN");
    CHECK_EQUAL(result([](sl_v8_args *args) { sl_v8_args_return_number(args, -2147483648.0); }), "number -2147483648");
    CHECK_EQUAL(result([](sl_v8_args *args) { sl_v8_args_return_bool(args, true); }), "boolean true");
    CHECK_EQUAL(result([](sl_v8_args *args) { sl_v8_args_return_null(args); }), "object null");
    CHECK_EQUAL(result([](sl_v8_args *args) { sl_v8_args_return_string(args, "\xc3\xa9\xff", 3); }), "string \u00e9\uFFFD");
    CHECK_EQUAL(result([](sl_v8_args *args) { sl_v8_args_return_string(args, "", 0); }), "string ");
    for (size_t length : {1, 31, 32, 33, 64, 100}) { // where plain ASCII is looked for
        for (size_t at = 0; at < length; ++at) {
            std::string bytes(length, 'a');
            bytes[at] = '\xff';
            std::string text = bytes.substr(0, at) + "\uFFFD" + bytes.substr(at + 1);
            CHECK_EQUAL(result([&](sl_v8_args *args) { sl_v8_args_return_string(args, bytes.data(), bytes.size()); }), "string " + text);
        }
    }
    CHECK_EQUAL(result([](sl_v8_args *args) { sl_v8_args_return_utf16(args, nullptr, 0); }), "string ");
    CHECK_EQUAL(result([](sl_v8_args *args) {
        uint16_t units[] = {'a', 0xE9, 0xFF};
        sl_v8_args_return_utf16(args, units, 3);
    }), "string a\u00e9\u00ff");
    CHECK_EQUAL(result([](sl_v8_args *args) {
        uint16_t units[] = {'a', 0x100, 0xD83D, 0xDE00};
        sl_v8_args_return_utf16(args, units, 4);
    }), "string a\u0100\U0001F600");
}

TEST(opsWriteTextAsUtf8) {
    World world;
    world.on_call = [](sl_v8_args *args) { sl_v8_args_return_utf8_of(args, 0); };
    for (const char *text : {"''", "'abc'", "'a\\xE9'", "'\\u20AC'", "'\\u{1F600}'", "'a\\uD800b'", "'x'.repeat(1000) + '\\xFF'"}) {
        std::string source = std::string("{ const t = ") + text + "; const b = ops.call(t); [b.constructor.name, b.buffer.byteLength === b.length, " +
            "decodeURIComponent(Array.from(b, (x) => '%' + x.toString(16).padStart(2, '0')).join('')) === t.replace(/[\\uD800-\\uDBFF](?![\\uDC00-\\uDFFF])/g, '\\uFFFD')].join() }";
        CHECK_EQUAL(world.Run(source.c_str()), "Uint8Array,true,true");
    }
    CHECK_EQUAL(world.Run("ops.call(5).length"), "0");
    world.on_call = [](sl_v8_args *args) {
        uint8_t *bytes = nullptr;
        size_t length = 0, units = 0;
        CHECK(sl_v8_args_bytes(args, 1, &bytes, &length));
        size_t written = sl_v8_args_write_utf8_prefix(args, 0, bytes, length, &units);
        sl_v8_args_return_number(args, static_cast<double>(units * 1000 + written));
    };
    const char *lengths = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 99].map((n) => ops.call('a\\u20AC\\u{1F600}\\uD800z', new Uint8Array(n))).join()";
    CHECK_EQUAL(world.Run(lengths), "0,1001,1001,1001,2004,2004,2004,2004,4008,4008,4008,5011,6012");
}

TEST(opsThrowErrorsOfAKindWithACode) {
    World world;
    const char *kind = nullptr, *code = nullptr;
    world.on_call = [&](sl_v8_args *args) { sl_v8_args_throw(args, kind, "why", 3, code); };
    auto thrown = [&](const char *with_kind, const char *with_code) {
        kind = with_kind;
        code = with_code;
        return world.Run("try { ops.call() } catch (e) { [Object.prototype.toString.call(e), e.name, e.message, e.code, e.constructor.name, Object.keys(e)].join(' ') }");
    };
    CHECK_EQUAL(thrown("TypeError", nullptr), "[object Error] TypeError why  TypeError ");
    CHECK_EQUAL(thrown("RangeError", "ERR_X"), "[object Error] RangeError why ERR_X RangeError code");
    CHECK_EQUAL(thrown("SyntaxError", nullptr), "[object Error] SyntaxError why  SyntaxError ");
    CHECK_EQUAL(thrown("AbortError", nullptr), "[object Error] AbortError why  Error ");
    world.on_call = [&](sl_v8_args *args) {
        sl_v8_value *value = sl_v8_args_value(args, 0);
        sl_v8_args_throw_value(args, value);
        sl_v8_value_release(value);
    };
    CHECK_EQUAL(world.Run("try { ops.call(42) } catch (e) { e }"), "42");
}

TEST(writingUTF8StopsAtTheCapacity) {
    World world;
    char target[16];
    size_t capacity = 0;
    ptrdiff_t written = 0;
    world.on_call = [&](sl_v8_args *args) {
        memset(target, '#', sizeof target);
        written = sl_v8_args_write_utf8(args, 0, target, capacity);
    };
    auto write = [&](const char *source, size_t with_capacity) {
        capacity = with_capacity;
        world.Run(std::string("ops.call(") + source + ")");
        CHECK(target[capacity] == '#');
        return written < 0 ? std::string("too long") : std::string(target, static_cast<size_t>(written));
    };
    CHECK_EQUAL(write("'hello'", 5), "hello");
    CHECK_EQUAL(write("'hello'", 4), "too long");
    CHECK_EQUAL(write("''", 0), "");
    CHECK_EQUAL(write("'\u00e9\u00e9'", 4), "\u00e9\u00e9");
    CHECK_EQUAL(write("'\u00e9\u00e9'", 3), "too long");
    CHECK_EQUAL(write("'\\ud83d\\ude00'", 4), "\U0001F600");
    CHECK_EQUAL(write("'\\ud83d\\ude00'", 3), "too long");
    CHECK_EQUAL(write("'a\\ud800b'", 5), "a\uFFFDb");
    CHECK_EQUAL(write("'a\\ud800b'", 4), "too long");
    CHECK_EQUAL(write("['a', 'b', 'c'].join('-')", 15), "a-b-c");
    CHECK_EQUAL(write("17", 15), "");
}

TEST(opsOfADisposedRealmThrow) {
    World world;
    sl_v8_realm *other = sl_v8_realm_create(world.isolate, false);
    world.Install(other, nullptr);
    sl_v8_exception *error = nullptr;
    sl_v8_value *theirs = sl_v8_script_run(other, "ops.call", 8, "x", nullptr, &error);
    sl_v8_value *global = sl_v8_realm_global(world.realm);
    sl_v8_value_set(world.realm, global, "theirs", theirs);
    sl_v8_value_release(theirs);
    sl_v8_value_release(global);
    sl_v8_realm_dispose(other);
    CHECK_EQUAL(world.Run("theirs()"), "threw Error: the realm of this function is gone");
    CHECK_EQUAL(world.Run("1 + 1"), "2");
}

TEST(theContextFollowsAwait) {
    World world;
    world.Run("const { enter, context, setContext } = ops; const seen = []; const tick = () => new Promise(r => r());"
              "async function work(name) { const before = enter(name); seen.push(before, context()); await tick(); seen.push(context()); await 1; seen.push(context()) }"
              "work('a'); setContext(undefined); work('b'); setContext('left behind'); Promise.resolve().then(() => seen.push('then ' + context()))"
              ".then(() => Promise.resolve()).then(() => seen.push('late ' + context()))");
    CHECK(world.Microtasks());
    CHECK_EQUAL(world.Run("seen.join()"), ",a,,b,a,b,then left behind,a,b,late left behind");
    CHECK_EQUAL(world.Run("context()"), "undefined");
}

TEST(aReactionWithoutContextDoesNotSeeWhatWasLeftBehind) {
    World world;
    world.Run("let seen = 'nothing'; Promise.resolve().then(() => { seen = ops.context() }); ops.setContext('left behind')");
    CHECK(world.Microtasks());
    CHECK_EQUAL(world.Run("seen"), "undefined");
}

TEST(theClockCellTellsMonotonicTime) {
    World world;
    CHECK_EQUAL(world.Run("ops.now(); ops.enter(1); 'without a cell'"), "without a cell");
    double cell = -1;
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    double base = double(time.tv_sec) * 1e9 + double(time.tv_nsec);
    sl_v8_isolate_set_clock(world.isolate, &cell, base);
    world.Run("ops.now()");
    CHECK(cell >= 0 && cell < 60e9);
    double before = cell;
    world.Run("ops.enter({})");
    CHECK(cell > before);
}

TEST(theClockWakesTheReaderOfTheRingOnceForEachTimeItAsks) {
    World world;
    int descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    auto wakes = [&] {
        uint64_t count = 0;
        return read(descriptor, &count, sizeof count) == sizeof count ? count : 0;
    };
    uint32_t head = 0, wake_at = 1;
    sl_v8_isolate_set_waker(world.isolate, &head, &wake_at, descriptor);
    world.Run("ops.now(); ops.enter(1)");
    sl_v8_isolate_wake_if_due(world.isolate);
    CHECK_EQUAL(wakes(), 0u);
    head = 8;
    world.Run("for (let i = 0; i < 100; i++) ops.now()");
    CHECK_EQUAL(wakes(), 1u);
    wake_at = 4096;
    world.Run("ops.now()");
    CHECK_EQUAL(wakes(), 0u);
    // Beyond the turn of 32 bits.
    head = 5, wake_at = 0xFFFFFFF0;
    world.Run("ops.enter({})");
    CHECK_EQUAL(wakes(), 1u);
    head = 0xFFFFFFF8, wake_at = 8;
    sl_v8_isolate_wake_if_due(world.isolate);
    CHECK_EQUAL(wakes(), 0u);
    head = 8;
    sl_v8_isolate_wake_if_due(world.isolate);
    sl_v8_isolate_wake_if_due(world.isolate);
    CHECK_EQUAL(wakes(), 1u);
    sl_v8_isolate_set_waker(world.isolate, &head, &wake_at, -1);
    world.Run("ops.now()");
    CHECK_EQUAL(wakes(), 0u);
    close(descriptor);
}

TEST(optimisedCodeCallsNativeOpsDirectly) {
    // Long enough to be compiled; the same answers before and after, and in a second realm, where V8 is asked for the context.
    constexpr char source[] =
        "(() => { const { enterFrom, setContext, context } = ops; let wrong = 0; ops.setContext('start'); const a = {}, b = {};"
        "function turn(i) { ops.now(); if (ops.enterFrom(a, b)) wrong++; if (!ops.enterFrom('start', a)) wrong++; if (ops.enterFrom('start', b)) wrong++;"
        "if (i % 1000 === 0 && ops.context() !== a) wrong++; ops.setContext(b); if (!ops.enterFrom(b, undefined)) wrong++; ops.setContext('start'); }"
        "for (let i = 0; i < 300000; i++) turn(i); return wrong + ' ' + ops.context(); })()";
    World world;
    double cell = -1;
    sl_v8_isolate_set_clock(world.isolate, &cell, 0);
    CHECK_EQUAL(world.Run(source), "0 start");
    CHECK(cell > 0);
    sl_v8_realm *other = sl_v8_realm_create(world.isolate, false);
    world.Install(other, &world);
    CHECK_EQUAL(world.RunIn(other, source), "0 start");
    CHECK_EQUAL(world.RunIn(other, "ops.setContext('theirs'); ops.context()"), "theirs");
    CHECK_EQUAL(world.Run(source), "0 start");
    CHECK_EQUAL(world.RunIn(other, "ops.context()"), "theirs");
    sl_v8_realm_dispose(other);
    CHECK_EQUAL(world.Run(source), "0 start");
}

// ---- Promises ----

TEST(promisesAreSettledByTheHost) {
    World world;
    sl_v8_resolver *resolvers[] = {sl_v8_resolver_create(world.realm), sl_v8_resolver_create(world.realm)};
    sl_v8_value *promises[] = {sl_v8_resolver_promise(resolvers[0]), sl_v8_resolver_promise(resolvers[1])};
    CHECK_EQUAL(int(sl_v8_promise_state_of(world.isolate, promises[0])), int(SL_V8_PENDING));
    sl_v8_value *value = sl_v8_value_string(world.isolate, "done", 4);
    sl_v8_resolver_resolve(resolvers[0], value);
    sl_v8_resolver_reject(resolvers[1], value);
    CHECK_EQUAL(int(sl_v8_promise_state_of(world.isolate, promises[0])), int(SL_V8_FULFILLED));
    CHECK_EQUAL(int(sl_v8_promise_state_of(world.isolate, promises[1])), int(SL_V8_REJECTED));
    sl_v8_value *result = sl_v8_promise_result(world.isolate, promises[0]);
    CHECK_EQUAL(Take(sl_v8_value_utf8(world.isolate, result)), "done");
    for (sl_v8_value *one : {result, value, promises[0], promises[1]}) sl_v8_value_release(one);
}

namespace {

struct Rejections {
    World *world;
    std::vector<std::pair<uint64_t, std::string>> seen;
};

void Track(World &world, Rejections &rejections) {
    rejections.world = &world;
    sl_v8_host host = {};
    host.context = &rejections;
    host.rejection = [](void *context, sl_v8_realm *, uint64_t id, bool handled, sl_v8_value *, sl_v8_value *reason) {
        auto *rejections = static_cast<Rejections *>(context);
        std::string text = handled ? "handled" : Take(sl_v8_value_utf8(rejections->world->isolate, reason));
        rejections->seen.push_back({id, text});
    };
    sl_v8_isolate_set_host(world.isolate, &host);
}

}  // namespace

TEST(unhandledRejectionsAreToldAndPairedWithTheirHandling) {
    World world;
    Rejections rejections;
    Track(world, rejections);
    world.Run("const p = Promise.reject('first'); const q = Promise.reject(new Error('second')); Promise.reject('handled at once').catch(() => {})");
    world.Microtasks();
    CHECK_EQUAL(rejections.seen.size(), 4u);
    world.Run("q.catch(() => {}); p.then(() => {}, () => {})");
    CHECK_EQUAL(rejections.seen.size(), 6u);
    if (rejections.seen.size() != 6) return;
    CHECK_EQUAL(rejections.seen[0].second, "first");
    CHECK_EQUAL(rejections.seen[1].second, "Error: second");
    CHECK_EQUAL(rejections.seen[3].second, "handled");
    CHECK_EQUAL(rejections.seen[3].first, rejections.seen[2].first);
    CHECK_EQUAL(rejections.seen[4].first, rejections.seen[1].first);
    CHECK_EQUAL(rejections.seen[5].first, rejections.seen[0].first);
    CHECK_EQUAL(rejections.seen[5].second, "handled");
}

TEST(manyRejectionsAreBounded) {
    World world;
    Rejections rejections;
    Track(world, rejections);
    world.Run("var all = []; for (let i = 0; i < 300000; i++) all.push(Promise.reject(i))");
    CHECK_EQUAL(rejections.seen.size(), 300000u);
    world.Run("for (const one of all) one.catch(() => {})");
    // Some are forgotten, most are not.
    size_t handled = rejections.seen.size() - 300000;
    CHECK(handled >= 220000 && handled <= 1 << 18);
}

TEST(oneHandlerMayTakeManyRejections) {
    World world;
    Rejections rejections;
    Track(world, rejections);
    world.Run("Promise.allSettled(Array.from({ length: 50000 }, (_, i) => Promise.reject(i)))");
    CHECK_EQUAL(rejections.seen.size(), 100000u);
}

// ---- Realms ----

TEST(realmsOfOneIsolateAreApart) {
    World world;
    sl_v8_realm *other = sl_v8_realm_create(world.isolate, false);
    world.Run("var mine = 1; Array.prototype.extra = 'mine'; Object.prototype.polluted = 1");
    CHECK_EQUAL(world.RunIn(other, "typeof mine + typeof [].extra + typeof ({}).polluted"), "undefinedundefinedundefined");
    sl_v8_realm_dispose(other);
    CHECK_EQUAL(world.Run("mine"), "1");
}

namespace {

// What V8 says of its own objects, of what is frozen plainly, and by way of sl_v8_args_make_slow.
void TellFrozen() {
    for (const char *freeze : {"Object.freeze(p)", "ops.call(p); Object.freeze(p); Object.create(p)"}) {
        World world;
        world.on_call = [](sl_v8_args *args) { sl_v8_args_make_slow(args, 0); };
        std::string prototypes = "var prototypes = [Object.prototype, Array.prototype, Object.getPrototypeOf(Int32Array.prototype), Int32Array.prototype];";
        world.Run(prototypes + "for (const p of prototypes) { " + freeze + "; }");
        printf("%s\n", world.Run("prototypes.map((p) => `${Object.isFrozen(p)} ${%HasFastProperties(p)} ${%HasDictionaryElements(p)}`).join()").c_str());
    }
}
const bool frozen_added = (AddChild("frozen", TellFrozen), true);

}  // namespace

TEST(whatWasFrozenSlowHasNoFrozenElements) {
    (void)frozen_added;
    setenv("CV8_FLAGS", "--allow-natives-syntax", 1);
    std::string seen = RunChild("frozen");
    unsetenv("CV8_FLAGS");
    std::string plain = "true true false", slow = "true true true";
    CHECK_EQUAL(seen, plain + "," + plain + "," + plain + "," + plain + "\n" + slow + "," + slow + "," + slow + "," + slow + "\n");
}

TEST(evalCanBeForbidden) {
    World world;
    CHECK_EQUAL(world.Run("eval('1 + 1')"), "2");
    sl_v8_realm_allow_eval(world.realm, false, "no eval here");
    CHECK_EQUAL(world.Run("eval('1 + 1')"), "threw EvalError: no eval here");
    CHECK_EQUAL(world.Run("new Function('return 1')"), "threw EvalError: no eval here");
    CHECK_EQUAL(world.Run("new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])) + ''"), "[object WebAssembly.Module]");
    sl_v8_realm_allow_eval(world.realm, true, "");
    CHECK_EQUAL(world.Run("eval('1 + 1')"), "2");
}

TEST(stackOverflowIsARangeErrorWithAnyStackSize) {
    for (size_t bytes : {size_t(0), 64 * size_t(1024), 512 * size_t(1024), 64 * kMiB}) {
        World world({.stack_bytes_max = bytes});
        CHECK_EQUAL(world.Run("let depth = 0; (function down() { depth++; down() })()"), "threw RangeError: Maximum call stack size exceeded");
        CHECK(std::stod(world.Run("depth")) > 100);
    }
}

TEST(functionsAndScriptsAreCompiled) {
    World world;
    sl_v8_exception *error = nullptr;
    const char *names[] = {"a", "b"};
    std::string_view body = "return a + b + typeof ops";
    sl_v8_value *function = sl_v8_function_compile(world.realm, body.data(), body.size(), "internal:add", names, 2, nullptr, &error);
    sl_v8_value *three = sl_v8_value_number(world.isolate, 3);
    sl_v8_value *arguments[] = {three, three};
    sl_v8_value *sum = sl_v8_call(world.realm, function, nullptr, arguments, 2, &error);
    CHECK_EQUAL(Take(sl_v8_value_utf8(world.isolate, sum)), "6object");
    for (sl_v8_value *value : {function, three, sum}) sl_v8_value_release(value);
    CHECK(sl_v8_function_compile(world.realm, "return (", 8, "internal:bad", nullptr, 0, nullptr, &error) == nullptr);
    CHECK(error && Text(error->name) == "SyntaxError");
    sl_v8_exception_free(error);
    CHECK(sl_v8_script_check(world.realm, "throw 1", 7, "a.js", &error));
    CHECK(!sl_v8_script_check(world.realm, "import 'x'", 10, "a.js", &error));
    CHECK(error && Text(error->name) == "SyntaxError");
    sl_v8_exception_free(error);
}

TEST(textTooLongForV8IsRefused) {
    World world;
    sl_v8_exception *error = nullptr;
    size_t length = size_t(1) << 30;  // refused before a byte of it is read
    CHECK(sl_v8_script_run(world.realm, "x", length, "long.js", nullptr, &error) == nullptr);
    CHECK(error && Text(error->name) == "RangeError");
    sl_v8_exception_free(error);
    CHECK(sl_v8_module_compile(world.realm, "x", length, "long.js", nullptr, &error) == nullptr);
    CHECK(error && Text(error->name) == "RangeError");
    sl_v8_exception_free(error);
    sl_v8_value *value = sl_v8_value_string(world.isolate, "x", length);
    CHECK_EQUAL(Take(sl_v8_value_utf8(world.isolate, value)), "");
    sl_v8_value_release(value);
    world.on_call = [&](sl_v8_args *args) { sl_v8_args_return_string(args, "x", length); };
    CHECK_EQUAL(world.Run("ops.call()"), "threw RangeError: string is too long for V8");
}

TEST(intlHasItsData) {
    World world;
    CHECK_EQUAL(world.Run("new Intl.NumberFormat('de').format(12345.5)"), "12.345,5");
}

// ---- Exceptions ----

TEST(exceptionsHavePlaceFramesAndSource) {
    World world;
    sl_v8_exception *error = world.Throw("function inner() {\n  throw new TypeError('no')\n}\nfunction outer() { inner() }\nouter()", "file:///app.js");
    CHECK_EQUAL(Text(error->name), "TypeError");
    CHECK_EQUAL(Text(error->message), "no");
    CHECK_EQUAL(Text(error->script), "file:///app.js");
    CHECK_EQUAL(Text(error->source_line), "  throw new TypeError('no')");
    CHECK_EQUAL(error->line, 2);
    CHECK_EQUAL(error->column, 3);
    CHECK(Text(error->stack).starts_with("TypeError: no\n    at inner (file:///app.js:2:9)\n    at outer"));
    CHECK_EQUAL(error->frame_count, 3u);
    if (error->frame_count == 3) {
        CHECK_EQUAL(Text(error->frames[0].function), "inner");
        CHECK_EQUAL(Text(error->frames[0].script), "file:///app.js");
        CHECK_EQUAL(error->frames[0].line, 2);
        CHECK_EQUAL(error->frames[0].column, 9);
        CHECK_EQUAL(Text(error->frames[2].function), "");
    }
    CHECK(error->value != nullptr);
    sl_v8_exception_free(error);
}

TEST(syntaxErrorsHaveTheirPlace) {
    World world;
    sl_v8_exception *error = world.Throw("let ok = 1;\nlet 5x = 2;", "file:///bad.js");
    CHECK_EQUAL(Text(error->name), "SyntaxError");
    CHECK_EQUAL(Text(error->script), "file:///bad.js");
    CHECK_EQUAL(error->line, 2);
    CHECK_EQUAL(error->column, 5);
    CHECK_EQUAL(Text(error->source_line), "let 5x = 2;");
    sl_v8_exception_free(error);
}

TEST(whateverIsThrownIsTold) {
    World world;
    struct {
        const char *source, *name, *message;
    } const cases[] = {
        {"throw 'text'", "", "text"},
        {"throw 42", "", "42"},
        {"throw null", "", "null"},
        {"throw undefined", "", "undefined"},
        {"throw Symbol('s')", "", "s"},
        {"throw { message: 'm' }", "", "m"},
        {"throw { name: 'DOMException', message: 'm' }", "DOMException", "m"},
        {"throw {}", "", "{}"},
        {"throw { code: 42, why: 'full', ok: true, none: null, at: {}, list: [1], cause: new Error('e') }", "",
         "{code: 42, why: \"full\", ok: true, none: null, at: {\xE2\x80\xA6}, list: [\xE2\x80\xA6], cause: Error: e}"},
        {"throw { get code() { ran = true; return 1 }, [Symbol('s')]: 1, toString() { ran = true } }", "",
         "{code: \xE2\x80\xA6, toString: [function]}"},
        {"throw new (class Failure { constructor() { this.code = 1 } })", "", "Failure {code: 1}"},
        {"throw [1, 2]", "", "[array of 2]"},
        {"throw { a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1, i: 1 }", "",
         "{a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1, \xE2\x80\xA6}"},
        {"throw new Uint8Array(1000000)", "", "Uint8Array {}"},
        {"throw () => 1", "", "[function]"},
        {"throw new (class Custom extends TypeError {})('c')", "Custom", "c"},
        {"throw new (class Custom extends Error { name = 'Named' })('c')", "Named", "c"},
        {"throw Object.assign(new RangeError('c'), { name: 'TypeError' })", "TypeError", "c"},
        {"throw Object.assign(new Error('c'), { message: 5 })", "Error", ""},
        {"throw new Proxy({}, {})", "", "[object]"},
        {"throw new Proxy(new Error('inner'), { get() { ran = true } })", "", "[object]"},
        {"throw Object.create(null)", "", "{}"},
        {"throw Object.defineProperty(new Error('x'), 'message', { get() { ran = true; return 'from getter' } })", "Error", ""},
        {"throw Object.defineProperty(new Error('x'), 'name', { get() { ran = true; return 'N' } })", "Error", "x"},
        {"throw Object.defineProperty(new Error('x'), 'stack', { get() { ran = true; return 'S' } })", "Error", "x"},
        {"throw Object.defineProperty(new Error('x'), 'cause', { get() { ran = true; return 'C' } })", "Error", "x"},
        {"throw Object.assign(new Error('x'), { name: { toString() { ran = true; return 'N' } } })", "Error", "x"},
        {"Error.prepareStackTrace = () => { ran = true; return 'P' }; throw new Error('prepared')", "Error", "prepared"},
        {"delete Error.prepareStackTrace; var bad = new Error('x'); Object.defineProperty(bad, 'message', { get() { ran = true } });"
         "Object.defineProperty(Object.prototype, 'value', { get() { ran = true }, configurable: true }); throw bad", "Error", ""},
    };
    for (const auto &one : cases) {
        CHECK_EQUAL(world.Run("globalThis.ran = false"), "false");
        sl_v8_exception *error = world.Throw(one.source);
        CHECK(error != nullptr);
        if (!error) continue;
        if (Text(error->name) != one.name || Text(error->message) != one.message) printf("    %s\n", one.source);
        CHECK_EQUAL(Text(error->name), one.name);
        CHECK_EQUAL(Text(error->message), one.message);
        sl_v8_exception_free(error);
        CHECK_EQUAL(world.Run("ran"), "false");
    }
}

TEST(causesAndAggregatedErrorsAreNested) {
    World world;
    sl_v8_exception *error = world.Throw("throw new Error('outer', { cause: new TypeError('middle', { cause: 'text' }) })");
    CHECK(error->cause && Text(error->cause->name) == "TypeError" && error->cause->frame_count > 0);
    CHECK(error->cause && error->cause->cause && Text(error->cause->cause->message) == "text");
    sl_v8_exception_free(error);

    error = world.Throw("const a = new Error('a'), b = new Error('b', { cause: a }); a.cause = b; throw a");
    CHECK(error->cause && Text(error->cause->message) == "b" && error->cause->cause == nullptr);
    sl_v8_exception_free(error);

    error = world.Throw("let deep = new Error('0'); for (let i = 1; i < 50; i++) deep = new Error(String(i), { cause: deep }); throw deep");
    size_t depth = 0;
    for (sl_v8_exception *one = error; one; one = one->cause) ++depth;
    CHECK_EQUAL(depth, 8u);
    sl_v8_exception_free(error);

    error = world.Throw("throw new AggregateError([new RangeError('one'), 2, ...Array(40).fill(0)], 'all')");
    CHECK_EQUAL(error->error_count, 16u);
    CHECK_EQUAL(Text(error->errors[0]->name), "RangeError");
    CHECK_EQUAL(Text(error->errors[1]->message), "2");
    sl_v8_exception_free(error);

    // 16 each, eight deep: bounded as a whole.
    error = world.Throw("const tree = d => d ? new AggregateError(Array.from({ length: 16 }, () => tree(d - 1)), 'd' + d) : new Error('leaf'); throw tree(3)");
    size_t count = 0;
    std::function<void(sl_v8_exception *)> walk = [&](sl_v8_exception *one) {
        ++count;
        for (size_t index = 0; index < one->error_count; ++index) walk(one->errors[index]);
    };
    walk(error);
    CHECK(count <= 64);
    sl_v8_exception_free(error);
}

TEST(asynchronousFramesAreMarked) {
    World world;
    Rejections rejections;
    Track(world, rejections);
    sl_v8_value *promise = world.Value("async function leaf() { await 1; throw new Error('late') }\nasync function root() { await leaf() }\nroot()");
    world.Microtasks();
    sl_v8_value *reason = sl_v8_promise_result(world.isolate, promise);
    sl_v8_exception *error = sl_v8_exception_from_value(world.realm, reason);
    CHECK_EQUAL(error->frame_count, 2u);
    if (error->frame_count == 2) {
        CHECK_EQUAL(Text(error->frames[0].function), "leaf");
        CHECK(!error->frames[0].is_async);
        CHECK_EQUAL(Text(error->frames[1].function), "root");
        CHECK_EQUAL(Text(error->frames[1].script), "file:///test.js");
        CHECK_EQUAL(error->frames[1].line, 2);
        CHECK(error->frames[1].is_async);
    }
    CHECK_EQUAL(error->line, 1);
    CHECK_EQUAL(Text(error->script), "file:///test.js");
    CHECK_EQUAL(Text(error->source_line), "async function leaf() { await 1; throw new Error('late') }");
    sl_v8_exception_free(error);
    sl_v8_value_release(reason);
    sl_v8_value_release(promise);
}

TEST(hugeTextIsCut) {
    World world;
    sl_v8_exception *error = world.Throw("throw new Error('\u00e9'.repeat(1e6)) //" + std::string(5000, 'x'));
    CHECK(error->message.length <= 256 * 1024 && error->message.length > 255 * 1024);
    CHECK(error->source_line.length <= 1024);
    sl_v8_exception_free(error);
}

TEST(theHostFormatsStacks) {
    World world;
    sl_v8_value *format = world.Value("(error, sites) => 'FORMATTED ' + error.message + ' ' + sites[0].getFunctionName() + ' ' + sites[0].getLineNumber()");
    sl_v8_isolate_set_prepare_stack(world.isolate, format);
    CHECK_EQUAL(world.Run("function here() { return new Error('m').stack }\nhere()"), "FORMATTED m here 1");
    sl_v8_exception *error = world.Throw("function there() { throw new Error('n') }\nthere()");
    CHECK_EQUAL(Text(error->stack), "FORMATTED n there 1");
    CHECK_EQUAL(error->frame_count, 2u);
    sl_v8_exception_free(error);
    sl_v8_value_release(format);

    format = world.Value("() => { throw new Error('in the formatter') }");
    sl_v8_isolate_set_prepare_stack(world.isolate, format);
    CHECK_EQUAL(world.Run("function here2() { return new Error('m').stack }\nhere2()").substr(0, 20), "Error: m\n    at here");
    sl_v8_value_release(format);
    sl_v8_isolate_set_prepare_stack(world.isolate, nullptr);
    CHECK_EQUAL(world.Run("function here3() { return new Error('m').stack }\nhere3()").substr(0, 20), "Error: m\n    at here");
}
