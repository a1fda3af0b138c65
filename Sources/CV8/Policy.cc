// Where the host is asked before a program makes code, and clocks that tell it little.
//
// V8 asks at one place each for eval, Function and its kin (AsyncFunction, GeneratorFunction, in every way to them), and for whatever compiles WebAssembly.

#include <sys/random.h>

#include <cmath>

#include "internal.h"

namespace sl {
namespace {

bool Asks(v8::Local<v8::Context> context, bool is_wasm) {
    sl_v8_isolate *self = Self(context->GetIsolate());
    return !self->ask_before_code || self->ask_before_code(self->ask_before_code_context, is_wasm);
}

v8::ModifyCodeGenerationFromStringsResult BeforeStrings(v8::Local<v8::Context> context, v8::Local<v8::Value> source, bool) {
    v8::ModifyCodeGenerationFromStringsResult result;
    // What is no string is no code: eval returns it.
    result.codegen_allowed = !source->IsString() || Asks(context, false);
    return result;
}

bool BeforeWasm(v8::Local<v8::Context> context, v8::Local<v8::String>) { return Asks(context, true); }

constexpr double kStepNanoseconds = 1e6;
uint64_t step_secret;

}  // namespace

double Coarse(double nanoseconds) {
    double step = std::floor(nanoseconds / kStepNanoseconds);
    // Each step comes at a moment of its own, which nobody can compute, so that waiting for the next one tells no more (as browsers do it).
    uint64_t mixed = (static_cast<uint64_t>(static_cast<int64_t>(step)) ^ step_secret) * 0x9E37'79B9'7F4A'7C15;
    mixed = (mixed ^ mixed >> 32) * 0xD6E8'FEB8'6659'FD93;
    double moment = static_cast<double>(mixed >> 11) * 0x1p-53 * kStepNanoseconds;
    return (nanoseconds - step * kStepNanoseconds >= moment ? step + 1 : step) * kStepNanoseconds;
}

}  // namespace sl

void sl_v8_realm_ask_before_code(sl_v8_realm *realm, sl_v8_code_question ask, void *context, bool strings, bool wasm, const char *message) {
    sl::RealmEntry entry(realm);
    entry.self->ask_before_code = ask;
    entry.self->ask_before_code_context = context;
    if (strings) {
        // V8 asks where it would refuse.
        sl_v8_realm_allow_eval(realm, false, message);
        entry.isolate->SetModifyCodeGenerationFromStringsCallback(sl::BeforeStrings);
    }
    if (wasm) entry.isolate->SetAllowWasmCodeGenerationCallback(sl::BeforeWasm);
}

void sl_v8_coarsen_clocks(void) {
    if (getrandom(&sl::step_secret, sizeof sl::step_secret, 0) != sizeof sl::step_secret) sl::Misuse("there is no randomness");
    sl::clocks_are_coarse = true;
    // Memory that threads share makes a clock: one counts, the other looks.
    constexpr std::string_view kFlag = "--no-experimental-wasm-threads";
    v8::V8::SetFlagsFromString(kFlag.data(), kFlag.size());
}
