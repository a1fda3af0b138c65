// Messages between realms, isolates and threads.

#include <atomic>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "test.h"

using namespace test;

namespace {

// What ops.call does: writes argument 0 with transfer list 1; keeps the message.
struct Sender {
    explicit Sender(World &world) : world(world) {
        world.on_call = [this](sl_v8_args *args) {
            // What is written may call again.
            sl_v8_message *written = sl_v8_args_write_message(args, 0, 1, 2);
            sl_v8_message_free(std::exchange(message, written));
        };
    }
    ~Sender() { sl_v8_message_free(message); }
    sl_v8_message *Take() { return std::exchange(message, nullptr); }

    World &world;
    sl_v8_message *message = nullptr;
};

// Runs `source` in `world`, where ops.call(objects) gives the message.
std::string Receive(World &world, sl_v8_message *message, std::string_view source) {
    world.on_call = [message](sl_v8_args *args) { sl_v8_args_return_message(args, message, 0, 1); };
    return world.Run(source);
}

}  // namespace

TEST(messageGoesToAnotherIsolateOnAnotherThread) {
    World from;
    Sender sender(from);
    CHECK_EQUAL(from.Run("const buffer = new Uint8Array([1, 2, 3]).buffer; ops.call({ buffer, map: new Map([['k', 1n]]) }, [buffer]); buffer.byteLength"), "0");
    sl_v8_message *message = sender.Take();
    CHECK(message != nullptr && sl_v8_message_bytes(message) > 3);
    std::thread other([message] {
        World to;
        CHECK_EQUAL(Receive(to, message, "const got = ops.call(); [...new Uint8Array(got.buffer)].join() + got.map.get('k')"), "1,2,31");
        sl_v8_message_free(message);
    });
    other.join();
}

TEST(messageOutlivesItsSender) {
    sl_v8_message *message = nullptr;
    {
        World from;
        Sender sender(from);
        from.Run("const b = new ArrayBuffer(1 << 20); const s = new SharedArrayBuffer(16); new Int32Array(s)[1] = 7; ops.call({ b, s, w: 'text' }, [b])");
        message = sender.Take();
    }
    World to;
    CHECK_EQUAL(Receive(to, message, "const got = ops.call(); `${got.b.byteLength} ${new Int32Array(got.s)[1]} ${got.w}`"), "1048576 7 text");
    sl_v8_message_free(message);
}

TEST(messageThatNobodyReadsFreesWhatItMoved) {
    World from;
    Sender sender(from);
    from.Run("const b = new ArrayBuffer(1 << 20); ops.call(b, [b])");
    std::thread other([message = sender.Take()] { sl_v8_message_free(message); });
    other.join();
}

TEST(sharedMemoryIsOneAcrossThreads) {
    World from;
    Sender sender(from);
    from.Run("const shared = new SharedArrayBuffer(4); const word = new Int32Array(shared); ops.call(shared)");
    std::thread other([message = sender.Take()] {
        World to;
        Receive(to, message, "const word = new Int32Array(ops.call()); Atomics.store(word, 0, 1); Atomics.notify(word, 0)");
        sl_v8_message_free(message);
    });
    CHECK_EQUAL(from.Run("Atomics.wait(word, 0, 0, 20000) !== 'timed-out' && Atomics.load(word, 0)"), "1");
    other.join();
}

TEST(compiledWebAssemblyIsShared) {
    World from;
    Sender sender(from);
    from.Run("ops.call(new WebAssembly.Module(new Uint8Array([0,97,115,109,1,0,0,0,1,7,1,96,2,127,127,1,127,3,2,1,0,7,7,1,3,97,100,100,0,0,10,9,1,7,0,32,0,32,1,106,11])))");
    World to;
    sl_v8_message *message = sender.Take();
    CHECK_EQUAL(Receive(to, message, "new WebAssembly.Instance(ops.call()).exports.add(40, 2)"), "42");
    sl_v8_message_free(message);
}

TEST(hostObjectsAreTransferredByTheirNumber) {
    World from;
    sl_v8_message *message = nullptr;
    bool makes = true;
    from.on_call = [&](sl_v8_args *args) {
        if (makes) return sl_v8_args_return_host_object(args, 4711);
        sl_v8_message_free(message);
        message = sl_v8_args_write_message(args, 0, 1, 2);
    };
    from.Run("var port = ops.call()");
    makes = false;
    CHECK_EQUAL(from.Run("ops.call({ port })").substr(0, 20), "threw DataCloneError");
    CHECK_EQUAL(from.Run("ops.call({ port }, [port, port])").substr(0, 20), "threw DataCloneError");
    CHECK_EQUAL(from.Run("ops.call(Promise.resolve(), [Promise.resolve()])").substr(0, 20), "threw DataCloneError");
    CHECK(message == nullptr);
    from.Run("ops.call({ port, again: port }, [port])");
    CHECK(message != nullptr);
    CHECK_EQUAL(sl_v8_message_object_count(message), 1u);
    CHECK_EQUAL(sl_v8_message_object_at(message, 0), 4711.0);
    CHECK_EQUAL(sl_v8_message_object_at(message, 1), -1.0);
    World to;
    CHECK_EQUAL(Receive(to, message, "const mine = {}; const got = ops.call([mine]); got.port === mine && got.again === mine"), "true");
    sl_v8_message_free(message);
}

TEST(serializableObjectsBringTheirPayloadAndShareItsBytes) {
    auto from = std::make_unique<World>();
    sl_v8_message *message = nullptr;
    bool makes = true;
    from->on_call = [&](sl_v8_args *args) {
        if (makes) return sl_v8_args_return_serializable(args, 0, 1);
        sl_v8_message_free(message);
        message = sl_v8_args_write_message(args, 0, 1, 2);
    };
    from->Run(
        "var proto = { kind: 'mine' }; var bytes = new Uint8Array(1 << 20).fill(5); var blob = ops.call(proto, [7, 'text', bytes.subarray(10, 20), bytes, { a: [1] }]);"
        "var error = ops.call(null, [-1, 'why']); Object.defineProperty(error, 'stack', { value: 'at me' }); var other = ops.call(proto, [-2]); other.stack = 5");
    CHECK_EQUAL(from->Run("blob.kind + Object.getPrototypeOf(error) + Object.keys(blob).length"), "minenull0");
    makes = false;
    CHECK_EQUAL(from->Run("ops.call(blob, [blob])").substr(0, 20), "threw DataCloneError");
    from->Run("ops.call({ blob, again: [blob], error, map: new Map([[other, 1]]) })");
    CHECK(message != nullptr && sl_v8_message_object_count(message) == 0);
    CHECK(sl_v8_message_bytes(message) > (1 << 20) && sl_v8_message_bytes(message) < (1 << 20) + 1000);
    from.reset();
    constexpr std::string_view source =
        "var list = []; var got = ops.call(undefined, list); var [blob, payload, error, second, other, third] = list;"
        "[list.length, got.blob === blob, got.again[0] === blob, got.error === error, got.map.get(other), payload[0], payload[1], payload[2].length, payload[2].byteOffset,"
        " payload[2].buffer === payload[3].buffer, payload[3][99], payload[4].a[0], second.join(), third.length + String(third[1])].join(' ')";
    for (int reader = 0; reader < 2; ++reader) {  // nothing was moved, so it may be read again
        World to;
        CHECK_EQUAL(Receive(to, message, source), "6 true true true 1 7 text 10 10 true 5 1 -1,why,at me 2undefined");
        CHECK_EQUAL(Receive(to, message, "ops.call()").substr(0, 12), "threw Error:"); // nobody to make something of them
    }
    World to;
    std::thread other([message] {
        World elsewhere;
        Receive(elsewhere, message, "ops.call(undefined, [])");
    });
    other.join();
    CHECK_EQUAL(Receive(to, message, "var list = []; ops.call(undefined, list); list[1][3].length"), "1048576");
    sl_v8_message_free(message);
}

// Memory of the host, in an object's payload: given back by whoever lets go last, wherever that is.
TEST(ownedMemoryIsGivenBackOnceWhenTheLastIsolateLetsGo) {
    static std::atomic<int> released;
    released = 0;
    auto release = [](void *memory, size_t length) {
        released += static_cast<int>(length);
        free(memory);
    };
    sl_v8_message *message = nullptr;
    {
        World from;
        Sender sender(from);
        auto *memory = static_cast<char *>(malloc(100));
        memcpy(memory, "in memory", 9);
        sl_v8_value *bytes = sl_v8_value_owned_bytes(from.realm, memory, 100, 9, release);
        CHECK_EQUAL(static_cast<int>(sl_v8_value_type(from.isolate, bytes)), static_cast<int>(SL_V8_BYTES));
        sl_v8_value *global = sl_v8_realm_global(from.realm);
        sl_v8_value_set(from.realm, global, "bytes", bytes);
        sl_v8_value_release(global);
        sl_v8_value_release(bytes);
        CHECK_EQUAL(from.Run("`${bytes.length} ${bytes.buffer.byteLength} ${String.fromCharCode(...bytes)}`"), "9 100 in memory");
        from.on_call = [](sl_v8_args *args) { sl_v8_args_return_serializable(args, 0, 1); };
        from.Run("globalThis.object = ops.call(Object.prototype, [7, bytes])");
        Sender second(from);
        from.Run("ops.call(object)");
        message = second.Take();
    }
    CHECK_EQUAL(released.load(), 0);
    std::thread other([message] {
        World to;
        CHECK_EQUAL(Receive(to, message, "const revived = []; ops.call(undefined, revived); String.fromCharCode(...revived[1][1])"), "in memory");
        sl_v8_message_free(message);
        CHECK_EQUAL(released.load(), 0);
    });
    other.join();
    CHECK_EQUAL(released.load(), 100);
}

TEST(objectsOfAClassAreShownBeforeAnythingMoves) {
    World from;
    Sender sender(from);
    from.Run(
        "class Thing {} class Own { a = 1 } var shown = []; var refuse = (list) => { shown.push(list.map((o) => o.constructor.name).join()); if (list.some((o) => o instanceof Thing)) throw new RangeError('no'); };"
        "var send = (value, transfer) => { shown = []; try { ops.call(value, transfer, refuse); } catch (error) { shown.push(error.name); } return shown.join(' '); }");
    CHECK_EQUAL(from.Run("send(1) + send('text') + send([1, { a: 1 }]) + send(new Map([[1, 2]])) + send(new Uint8Array(9)) + send({ a: {} })"), "");
    CHECK_EQUAL(from.Run("send(new Own())"), "Own");
    CHECK_EQUAL(from.Run("send(new Thing())"), "Thing RangeError");
    CHECK_EQUAL(from.Run("var b = new ArrayBuffer(2); send({ b, deep: [new Map([[new Set([new Thing()]), 1]])] }, [b]) + b.byteLength"), "Thing RangeError2");
    CHECK_EQUAL(from.Run("var asked = 0; send({ get x() { asked++; return 1; }, e: {}, set y(v) {} }) + asked"), "1");
    CHECK_EQUAL(from.Run("var round = { e: {} }; round.self = round; round.list = [round, , round]; send(round)"), "");
    CHECK_EQUAL(from.Run("send(Object.create(new Proxy({}, { getPrototypeOf() { throw 1; } }), { e: { value: {}, enumerable: true } }))"), "");  // no trap runs
    CHECK_EQUAL(from.Run("send({ e: {}, error: Object.assign(new TypeError('x'), { own: new Thing() }), bytes: Object.assign(new Uint8Array(2), { t: 1 }) })"), "");
    CHECK_EQUAL(from.Run("var many = Array.from({ length: 20000 }, () => ({})); many.push(new Thing()); send(many)"), "");
    // Nobody is asked when there is no function.
    CHECK_EQUAL(from.Run("ops.call(new Thing(), undefined, 5); 'sent'"), "sent");
}

TEST(messageWhoseObjectsAreMissingThrows) {
    World from;
    sl_v8_message *message = nullptr;
    bool makes = true;
    from.on_call = [&](sl_v8_args *args) {
        if (makes) return sl_v8_args_return_host_object(args, 1);
        message = sl_v8_args_write_message(args, 0, 1, 2);
    };
    from.Run("var port = ops.call()");
    makes = false;
    from.Run("ops.call([port], [port])");
    for (const char *source : {"ops.call()", "ops.call([])", "ops.call([5])"}) {
        CHECK_EQUAL(Receive(from, message, source).substr(0, 5), "threw");
    }
    sl_v8_message_free(message);
}

TEST(getterThatDetachesWhatIsToBeMovedIsFound) {
    World from;
    Sender sender(from);
    CHECK_EQUAL(from.Run("const b = new ArrayBuffer(8); ops.call({ get x() { ops.call(0, [b]); return 1; } }, [b])").substr(0, 20), "threw DataCloneError");
    CHECK_EQUAL(from.Run("const c = new ArrayBuffer(8); try { ops.call({ get x() { throw 5; } }, [c]); } catch (error) { error + ':' + c.byteLength }"), "5:8");
}

TEST(twoHundredIsolatesOnThreadsTerminatedAtAnyTime) {
    constexpr int kIsolates = 200, kAtOnce = 8;
    std::mt19937 random(20261126);
    World from;
    Sender sender(from);
    from.Run("const shared = new SharedArrayBuffer(64); ops.call({ shared, text: 'x'.repeat(1000) })");
    sl_v8_message *message = sender.Take();
    for (int done = 0; done < kIsolates; done += kAtOnce) {
        struct Child {
            std::thread thread;
            std::mutex lock;
            sl_v8_isolate *isolate = nullptr;
            std::atomic<bool> is_over = false;
            int steps = 0;
        } children[kAtOnce];
        for (Child &child : children) {
            child.steps = static_cast<int>(random() % 2000);
            child.thread = std::thread([&child, message] {
                World world;
                {
                    std::lock_guard lock(child.lock);
                    child.isolate = world.isolate;
                }
                world.on_call = [message](sl_v8_args *args) { sl_v8_args_return_message(args, message, 0, 1); };
                for (int turn = 0; turn < 50 && sl_v8_isolate_end_reason(world.isolate) == SL_V8_END_NONE; ++turn) {
                    world.Run("{ const got = ops.call(); let list = []; for (let i = 0; i < 2000; i++) { list.push({ i, t: got.text + i }); Atomics.add(new Int32Array(got.shared), 0, 1); } }");
                    world.Microtasks();
                }
                std::lock_guard lock(child.lock);
                child.isolate = nullptr;
                child.is_over = true;
            });
        }
        for (Child &child : children) {
            for (int step = 0; step < child.steps && !child.is_over; ++step) std::this_thread::yield();
            std::lock_guard lock(child.lock);
            if (child.isolate) sl_v8_isolate_terminate(child.isolate);
        }
        for (Child &child : children) child.thread.join();
    }
    sl_v8_message_free(message);
    CHECK_EQUAL(from.Run("new Int32Array(shared)[0] >= 0"), "true");
}

TEST(isolateThatStayedEnteredIsDisposedOfAfterLeaving) {
    std::thread other([] {
        sl_v8_isolate_options options = {};
        sl_v8_isolate *isolate = sl_v8_isolate_create(&options);
        sl_v8_isolate_stay_entered(isolate);
        sl_v8_realm *realm = sl_v8_realm_create(isolate, false);
        sl_v8_exception *error = nullptr;
        sl_v8_value *value = sl_v8_script_run(realm, "6 * 7", 5, "x", nullptr, &error);
        // Left to be released after the isolate, on another thread.
        sl_v8_realm_dispose(realm);
        sl_v8_isolate_leave(isolate);
        sl_v8_isolate_dispose(isolate);
        sl_v8_value_release(value);
    });
    other.join();
}
