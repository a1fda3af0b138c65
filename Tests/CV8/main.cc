#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>

#include "test.h"

extern char **environ;

namespace test {
namespace {

int checks_failed = 0;

std::map<std::string, void (*)()> &Children() {
    static std::map<std::string, void (*)()> children;
    return children;
}

void OnLog(void *context, sl_v8_args *args) {
    static_cast<World *>(context)->log.push_back(Take(sl_v8_args_string(args, 0)));
}

void OnCall(void *context, sl_v8_args *args) {
    auto *world = static_cast<World *>(context);
    if (world->on_call) world->on_call(args);
}

void OnFatal(const char *location, const char *message, bool out_of_memory) {
    std::string text = std::string(out_of_memory ? "fatal out of memory: " : "fatal: ") + location + ": " + message + "\n";
    if (write(STDOUT_FILENO, text.data(), text.size()) < 0) _exit(3);
    _exit(4);
}

}  // namespace

std::vector<Case> &Cases() {
    static std::vector<Case> cases;
    return cases;
}

void Check(bool holds, const char *text, const char *file, int line, const std::string &seen) {
    if (holds) return;
    ++checks_failed;
    printf("    %s:%d: %s%s%s\n", file, line, text, seen.empty() ? "" : ", but it is ", seen.c_str());
}

// ---- World ----

World::World(sl_v8_isolate_options options, bool from_snapshot) {
    isolate = sl_v8_isolate_create(&options);
    if (!isolate) {
        CHECK(isolate != nullptr);
        abort();
    }
    realm = sl_v8_realm_create(isolate, from_snapshot);
    Install(realm, this);
}

World::~World() {
    sl_v8_realm_dispose(realm);
    sl_v8_isolate_dispose(isolate);
}

void World::Install(sl_v8_realm *into, void *context) {
    sl_v8_value *ops = sl_v8_realm_install_ops(into, context);
    sl_v8_value *global = sl_v8_realm_global(into);
    CHECK(sl_v8_value_set(into, global, "ops", ops));
    sl_v8_value_release(global);
    sl_v8_value_release(ops);
}

std::string World::RunIn(sl_v8_realm *in, std::string_view source, const char *name) {
    sl_v8_exception *error = nullptr;
    sl_v8_value *value = sl_v8_script_run(in, source.data(), source.size(), name, nullptr, &error);
    if (error) {
        std::string text = "threw " + Text(error->name) + ": " + Text(error->message);
        sl_v8_exception_free(error);
        return text;
    }
    if (!value) return "ended";
    std::string text = Take(sl_v8_value_utf8(isolate, value));
    sl_v8_value_release(value);
    return text;
}

std::string World::Run(std::string_view source, const char *name) { return RunIn(realm, source, name); }

sl_v8_value *World::Value(std::string_view source) {
    sl_v8_exception *error = nullptr;
    sl_v8_value *value = sl_v8_script_run(realm, source.data(), source.size(), "file:///test.js", nullptr, &error);
    if (error) printf("    %s\n", error->message.bytes);
    sl_v8_exception_free(error);
    return value;
}

sl_v8_exception *World::Throw(std::string_view source, const char *name) {
    sl_v8_exception *error = nullptr;
    sl_v8_value_release(sl_v8_script_run(realm, source.data(), source.size(), name, nullptr, &error));
    return error;
}

void World::ExpectUsable() {
    sl_v8_isolate_cancel_terminate(isolate);
    CHECK_EQUAL(int(sl_v8_isolate_end_reason(isolate)), int(SL_V8_END_NONE));
    CHECK_EQUAL(Run("1 + 1"), "2");
}

// ---- Children ----

void AddChild(const char *name, void (*run)()) { Children()[name] = run; }

std::string RunChild(const char *name) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) abort();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    std::string option = "--child=" + std::string(name);
    char program[] = "cv8-tests";
    char *arguments[] = {program, option.data(), nullptr};
    pid_t child = 0;
    int failed = posix_spawn(&child, "/proc/self/exe", &actions, nullptr, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    std::string output;
    if (!failed) {
        char bytes[4096];
        for (ssize_t got; (got = read(ends[0], bytes, sizeof bytes)) > 0;) output.append(bytes, static_cast<size_t>(got));
        int status = 0;
        waitpid(child, &status, 0);
        if (WIFSIGNALED(status)) output += "signal " + std::to_string(WTERMSIG(status)) + "\n";
    }
    close(ends[0]);
    return output;
}

}  // namespace test

int main(int count, char **arguments) {
    setvbuf(stdout, nullptr, _IOLBF, 0);
    CHECK(sl_v8_op_register("log", test::OnLog));
    CHECK(sl_v8_op_register("call", test::OnCall));
    CHECK(!sl_v8_op_register("log", test::OnLog));
    CHECK(!sl_v8_op_register("now", test::OnLog));
    CHECK(sl_v8_text_register(test::kStaticText, strlen(test::kStaticText)));
    CHECK(!sl_v8_text_register("", 0));
    sl_v8_set_fatal_callback(test::OnFatal);
    sl_v8_platform_start(0, getenv("CV8_FLAGS"));

    std::string_view only;
    if (count > 1) only = arguments[1];
    if (only.starts_with("--child=")) {
        test::Children().at(std::string(only.substr(8)))();
        return 0;
    }
    int passed = 0, failed = 0;
    for (const test::Case &one : test::Cases()) {
        if (std::string_view(one.name).find(only) == std::string_view::npos) continue;
        test::checks_failed = 0;
        one.run();
        ++(test::checks_failed ? failed : passed);
        printf("%s %s\n", test::checks_failed ? "FAILED" : "ok    ", one.name);
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed ? 1 : 0;
}
