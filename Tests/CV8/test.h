// A test is a function; a check that fails is printed and the test goes on. No framework, so that nothing but V8 stands between the
// sanitizers and the bridge.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sl_v8.h"

namespace test {

struct Case {
    const char *name;
    void (*run)();
};
std::vector<Case> &Cases();
struct Registration {
    Registration(const char *name, void (*run)()) { Cases().push_back({name, run}); }
};
void Check(bool holds, const char *text, const char *file, int line, const std::string &seen = "");

#define TEST(name)                                              \
    static void name();                                         \
    static ::test::Registration registration_##name(#name, name); \
    static void name()
#define CHECK(condition) ::test::Check(static_cast<bool>(condition), #condition, __FILE__, __LINE__)
#define CHECK_EQUAL(seen, expected)                                                                    \
    do {                                                                                               \
        auto seen_ = (seen);                                                                           \
        ::test::Check(seen_ == (expected), #seen " == " #expected, __FILE__, __LINE__, ::test::Show(seen_)); \
    } while (0)

inline std::string Show(const std::string &value) { return value; }
inline std::string Show(std::string_view value) { return std::string(value); }
inline std::string Show(bool value) { return value ? "true" : "false"; }
template <typename Number>
std::string Show(Number value) { return std::to_string(value); }

// ---- Ownership ----

inline std::string Take(sl_v8_string string) {
    std::string text = string.bytes ? std::string(string.bytes, string.length) : "";
    sl_v8_string_free(string);
    return text;
}
inline std::string Text(const sl_v8_string &string) { return std::string(string.bytes, string.length); }

// An isolate with a realm that has `ops` as a global, and what a test needs to talk to it.
class World {
public:
    explicit World(sl_v8_isolate_options options = {}, bool from_snapshot = false);
    ~World();
    World(const World &) = delete;

    // The completion value as text; "threw NAME: MESSAGE" or "ended" else. Runs no microtasks.
    std::string Run(std::string_view source, const char *name = "file:///test.js");
    std::string RunIn(sl_v8_realm *realm, std::string_view source, const char *name = "file:///test.js");
    // The value itself; null when it threw.
    sl_v8_value *Value(std::string_view source);
    // The exception; null when there was none.
    sl_v8_exception *Throw(std::string_view source, const char *name = "file:///test.js");
    bool Microtasks() { return sl_v8_isolate_run_microtasks(isolate); }
    void Install(sl_v8_realm *into, void *context);
    // As after an end: cancels and checks that JavaScript runs again.
    void ExpectUsable();

    sl_v8_isolate *isolate = nullptr;
    sl_v8_realm *realm = nullptr;
    std::vector<std::string> log;  // what ops.log was called with
    std::function<void(sl_v8_args *)> on_call;  // what ops.call does
};

// Runs this program again for one case that ends the process; what it printed.
std::string RunChild(const char *name);
void AddChild(const char *name, void (*run)());

constexpr size_t kMiB = 1024 * 1024;

// The static text of the process: a function's body, of Latin-1.
inline constexpr char kStaticText[] = "/* caf\xE9 */ globalThis.never = () => 'not compiled yet'; globalThis.called = function called() { return 'kept' }";

}  // namespace test
