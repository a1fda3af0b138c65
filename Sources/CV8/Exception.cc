// From a JavaScript exception to a plain struct.
//
// No user code runs on the way. Properties are read as data only (`DataProperty`). The one property that is more is `stack`: V8 formats it
// when it is first read, and on that occasion calls ToString on `name` and `message` and, without a formatter of the host,
// Error.prepareStackTrace. Where either would be user code the text is put together here from the frames.

#include <algorithm>

#include "internal.h"

namespace sl {

// ---- Properties ----

namespace {

constexpr int kPrototypeDepthMax = 32;

v8::Local<v8::Object> OwnDescriptor(v8::Local<v8::Context> context, v8::Local<v8::Object> object, v8::Local<v8::Name> key) {
    v8::Local<v8::Value> descriptor;
    if (object->GetOwnPropertyDescriptor(context, key).ToLocal(&descriptor) && descriptor->IsObject()) {
        return descriptor.As<v8::Object>();
    }
    return {};
}

}  // namespace

Lookup DataProperty(v8::Local<v8::Context> context, v8::Local<v8::Object> object, std::string_view key,
                    v8::Local<v8::Value> *value, bool own) {
    v8::Isolate *isolate = context->GetIsolate();
    v8::TryCatch caught(isolate);
    v8::Local<v8::String> name = Key(isolate, key);
    v8::Local<v8::String> value_key = Key(isolate, "value");
    for (int depth = 0; depth < kPrototypeDepthMax; ++depth) {
        if (object->IsProxy()) return Lookup::kNotData;
        v8::Local<v8::Object> descriptor = OwnDescriptor(context, object, name);
        if (caught.HasCaught()) return Lookup::kNotData;
        if (!descriptor.IsEmpty()) {
            // Own, for a descriptor inherits from Object.prototype, where user code may have put anything.
            bool is_data = descriptor->HasOwnProperty(context, value_key).FromMaybe(false);
            if (is_data && descriptor->Get(context, value_key).ToLocal(value)) return Lookup::kFound;
            return Lookup::kNotData;
        }
        v8::Local<v8::Value> prototype = object->GetPrototype();
        if (own || !prototype->IsObject()) return Lookup::kAbsent;
        object = prototype.As<v8::Object>();
    }
    return Lookup::kNotData;
}

// ---- Errors of our own ----

v8::Local<v8::Value> NewError(v8::Isolate *isolate, std::string_view kind, std::string_view message) {
    v8::Local<v8::String> text = Key(isolate, message);
    if (kind == "TypeError") return v8::Exception::TypeError(text);
    if (kind == "RangeError") return v8::Exception::RangeError(text);
    if (kind == "SyntaxError") return v8::Exception::SyntaxError(text);
    if (kind == "ReferenceError") return v8::Exception::ReferenceError(text);
    v8::Local<v8::Value> error = v8::Exception::Error(text);
    if (kind != "Error" && error->IsObject()) {
        (void)error.As<v8::Object>()->DefineOwnProperty(isolate->GetCurrentContext(), Key(isolate, "name"), Key(isolate, kind),
                                                        v8::DontEnum);
    }
    return error;
}

sl_v8_exception *PlainException(std::string_view name, std::string_view message) {
    auto *exception = static_cast<sl_v8_exception *>(calloc(1, sizeof(sl_v8_exception)));
    if (!exception) ReportOutOfMemory("sl_v8_exception", false);
    exception->name = CopyString(name);
    exception->message = CopyString(message);
    exception->stack = CopyString("");
    exception->script = CopyString("");
    exception->source_line = CopyString("");
    return exception;
}

namespace {

// ---- Conversion ----

void Replace(sl_v8_string *string, sl_v8_string with) {
    sl_v8_string_free(*string);
    *string = with;
}

bool IsNativeErrorName(std::string_view name) {
    for (std::string_view native : {"Error", "TypeError", "RangeError", "SyntaxError", "ReferenceError", "EvalError", "URIError",
                                    "AggregateError"}) {
        if (name == native) return true;
    }
    return false;
}

constexpr int kSourceChunk = 4096;          // UTF-16 units
constexpr int kSourceScanMax = 8 << 20;     // of a script, in search of a line

class Conversion {
public:
    Conversion(v8::Isolate *isolate, v8::Local<v8::Context> context, v8::Local<v8::Object> error_constructor)
        : isolate_(isolate), context_(context), error_constructor_(error_constructor), self_(Self(isolate)) {}

    // `message` is empty for what was not thrown just now.
    sl_v8_exception *Convert(v8::Local<v8::Value> value, v8::Local<v8::Message> message, size_t depth = 0) {
        ++count_;
        sl_v8_exception *result = PlainException("", "");
        if (!value->IsObject()) {
            Replace(&result->message, CopyText(value));
        } else {
            ConvertObject(value.As<v8::Object>(), result, depth);
        }
        // Of what is no error V8 would tell where we are now instead of where it was thrown.
        if (message.IsEmpty() && value->IsNativeError()) message = v8::Exception::CreateMessage(isolate_, value);
        ConvertMessage(message, value, result);
        if (value->IsNativeError() && !formatted_) Replace(&result->stack, CopyString(FormatStack(*result)));
        AddAsyncFrames(result);
        formatted_ = false;
        return result;
    }

private:
    sl_v8_string CopyText(v8::Local<v8::Value> value) {
        if (value->IsString()) return CopyString(isolate_, value.As<v8::String>(), kExceptionTextMax);
        return CopyString(Describe(isolate_, context_, value));
    }

    Lookup Find(v8::Local<v8::Object> object, std::string_view key, v8::Local<v8::Value> *value, bool own = false) {
        return DataProperty(context_, object, key, value, own);
    }

    void ConvertObject(v8::Local<v8::Object> object, sl_v8_exception *result, size_t depth) {
        ancestors_.push_back(object);
        bool is_error = object->IsNativeError();
        v8::Local<v8::Value> name, message;
        Lookup name_lookup = Find(object, "name", &name);
        Lookup message_lookup = Find(object, "message", &message);
        bool has_name = name_lookup == Lookup::kFound && name->IsString();
        bool has_message = message_lookup == Lookup::kFound && message->IsString();
        // A DOMException and its like: objects made to look like errors.
        bool looks_like_error = is_error || (has_name && has_message && !object->IsFunction());
        if (looks_like_error) Replace(&result->name, Name(object, has_name ? name : v8::Local<v8::Value>()));
        if (has_message) {
            Replace(&result->message, CopyText(message));
        } else if (!looks_like_error) {
            Replace(&result->message, CopyString(Thrown(object)));
        }

        // `stack` of an error is formatted by V8 from these two.
        bool formats_plainly = IsPlain(name_lookup, name) && IsPlain(message_lookup, message) && !HasUserFormatter();
        v8::Local<v8::Value> stack;
        if ((!is_error || formats_plainly) && Find(object, "stack", &stack) == Lookup::kFound) {
            formatted_ = true;
            if (stack->IsString()) Replace(&result->stack, CopyText(stack));
        }

        v8::Local<v8::Value> cause;
        if (depth + 1 < kCauseDepthMax && count_ < kExceptionsMax && Find(object, "cause", &cause) == Lookup::kFound &&
            !cause->IsUndefined() && looks_like_error && !IsAncestor(cause)) {
            result->cause = ConvertNested(cause, depth + 1);
        }
        v8::Local<v8::Value> errors;
        if (is_error && depth + 1 < kCauseDepthMax && Find(object, "errors", &errors, true) == Lookup::kFound && errors->IsArray()) {
            ConvertErrors(errors.As<v8::Array>(), result, depth + 1);
        }
        ancestors_.pop_back();
    }

    // What somebody threw that is no error, as far as that can be said without user code: `{code: 42, why: "full"}`, `Failure {}`.
    std::string Thrown(v8::Local<v8::Object> object) {
        if (object->IsFunction()) return "[function]";
        if (object->IsProxy()) return "[object]";
        if (object->IsArray()) return "[array of " + std::to_string(object.As<v8::Array>()->Length()) + "]";
        v8::TryCatch caught(isolate_);
        std::string name = ToString(isolate_, object->GetConstructorName(), kSourceLineMax);
        std::string text = name.empty() || name == "Object" ? "{" : name + " {";
        v8::Local<v8::Array> keys;
        auto filter = static_cast<v8::PropertyFilter>(v8::ONLY_ENUMERABLE | v8::SKIP_SYMBOLS);
        if (!object->GetPropertyNames(context_, v8::KeyCollectionMode::kOwnOnly, filter, v8::IndexFilter::kSkipIndices).ToLocal(&keys)) {
            return text + "}";
        }
        for (uint32_t index = 0; index < keys->Length(); ++index) {
            if (index > 0) text += ", ";
            v8::Local<v8::Value> key;
            if (index == kThrownPropertiesMax || !keys->Get(context_, index).ToLocal(&key) || !key->IsString()) {
                text += "\xE2\x80\xA6";
                break;
            }
            std::string property = ToString(isolate_, key.As<v8::String>(), kThrownTextMax);
            v8::Local<v8::Value> value;
            // A getter's value is not asked for.
            bool is_data = Find(object, property, &value, true) == Lookup::kFound;
            text += property + ": " + (is_data ? ThrownValue(value) : "\xE2\x80\xA6");
        }
        return text + "}";
    }

    std::string ThrownValue(v8::Local<v8::Value> value) {
        if (value->IsString()) return "\"" + ToString(isolate_, value.As<v8::String>(), kThrownTextMax) + "\"";
        if (value->IsFunction()) return "[function]";
        if (value->IsArray()) return "[\xE2\x80\xA6]";
        if (value->IsObject() && !value->IsNativeError()) return "{\xE2\x80\xA6}";
        return Describe(isolate_, context_, value);
    }

    sl_v8_exception *ConvertNested(v8::Local<v8::Value> value, size_t depth) {
        bool formatted = formatted_;
        sl_v8_exception *nested = Convert(value, {}, depth);
        formatted_ = formatted;
        return nested;
    }

    void ConvertErrors(v8::Local<v8::Array> errors, sl_v8_exception *result, size_t depth) {
        size_t length = std::min<size_t>(errors->Length(), kAggregateMax);
        if (!length) return;
        result->errors = static_cast<sl_v8_exception **>(calloc(length, sizeof(sl_v8_exception *)));
        if (!result->errors) ReportOutOfMemory("sl_v8_exception", false);
        for (size_t index = 0; index < length && count_ < kExceptionsMax; ++index) {
            v8::Local<v8::Value> error;
            if (Find(errors, std::to_string(index), &error, true) != Lookup::kFound || IsAncestor(error)) continue;
            result->errors[result->error_count++] = ConvertNested(error, depth);
        }
    }

    bool IsAncestor(v8::Local<v8::Value> value) {
        return std::any_of(ancestors_.begin(), ancestors_.end(), [&](auto one) { return value->StrictEquals(one); });
    }

    // A class that extends an error and says nothing about `name` is known by its constructor.
    sl_v8_string Name(v8::Local<v8::Object> object, v8::Local<v8::Value> name) {
        std::string text = name.IsEmpty() ? "" : ToString(isolate_, name.As<v8::String>(), kSourceLineMax);
        v8::Local<v8::Value> own;
        if (!text.empty() && (!IsNativeErrorName(text) || Find(object, "name", &own, true) == Lookup::kFound)) return CopyString(text);
        std::string constructor = ToString(isolate_, object->GetConstructorName(), kSourceLineMax);
        if (constructor.empty() || constructor == "Object") return CopyString(text.empty() ? "Error" : text);
        return CopyString(constructor);
    }

    // Whether Error.prototype.toString can be had of it without user code.
    static bool IsPlain(Lookup lookup, v8::Local<v8::Value> value) {
        return lookup == Lookup::kAbsent || (lookup == Lookup::kFound && !value->IsObject() && !value->IsSymbol());
    }

    bool HasUserFormatter() {
        if (!self_->prepare_stack.IsEmpty()) return false;  // V8 asks the host's function only
        if (error_constructor_.IsEmpty()) return true;
        v8::Local<v8::Value> formatter;
        Lookup lookup = Find(error_constructor_, "prepareStackTrace", &formatter);
        return lookup == Lookup::kNotData || (lookup == Lookup::kFound && formatter->IsFunction());
    }

    void ConvertMessage(v8::Local<v8::Message> message, v8::Local<v8::Value> value, sl_v8_exception *result) {
        v8::Local<v8::StackTrace> stack;
        if (!message.IsEmpty()) {
            v8::Local<v8::Value> script = message->GetScriptResourceName();
            if (!script.IsEmpty() && script->IsString()) Replace(&result->script, CopyText(script));
            result->line = message->GetLineNumber(context_).FromMaybe(0);
            if (result->line > 0) {
                result->column = message->GetStartColumn(context_).FromMaybe(-1) + 1;
                result->end_column = message->GetEndColumn(context_).FromMaybe(-1) + 1;
            }
            v8::Local<v8::String> line;
            if (message->GetSourceLine(context_).ToLocal(&line)) {
                Replace(&result->source_line, CopyString(isolate_, line, kSourceLineMax));
            }
            stack = message->GetStackTrace();
        }
        if ((stack.IsEmpty() || stack->GetFrameCount() == 0) && value->IsObject()) stack = v8::Exception::GetStackTrace(value);
        if (stack.IsEmpty()) return;
        ConvertFrames(stack, result);
        if (result->line == 0 && result->frame_count > 0) TakePlaceFrom(stack->GetFrame(isolate_, 0), result);
    }

    // What was not thrown just now stands where it was made.
    void TakePlaceFrom(v8::Local<v8::StackFrame> from, sl_v8_exception *result) {
        const sl_v8_frame &frame = result->frames[0];
        Replace(&result->script, CopyString({frame.script.bytes, frame.script.length}));
        result->line = frame.line;
        result->column = frame.column;
        v8::Local<v8::String> source = from->GetScriptSource();
        if (frame.line > 0 && !source.IsEmpty()) Replace(&result->source_line, SourceLine(source, frame.line));
    }

    sl_v8_string SourceLine(v8::Local<v8::String> source, int32_t line) {
        std::vector<uint16_t> units(kSourceChunk);
        int32_t at_line = 1;
        uint16_t before = 0;
        std::u16string found;
        for (int start = 0; start < std::min(source->Length(), kSourceScanMax) && at_line <= line; start += kSourceChunk) {
            int count = source->Write(isolate_, units.data(), start, kSourceChunk, v8::String::NO_NULL_TERMINATION);
            for (int index = 0; index < count && at_line <= line; ++index) {
                uint16_t unit = units[index];
                bool ends = unit == '\r' || unit == 0x2028 || unit == 0x2029 || (unit == '\n' && before != '\r');
                if (ends) {
                    ++at_line;
                } else if (at_line == line && unit != '\n' && found.size() < kSourceLineMax) {
                    found += static_cast<char16_t>(unit);
                }
                before = unit;
            }
        }
        v8::Local<v8::String> text;
        if (!v8::String::NewFromTwoByte(isolate_, reinterpret_cast<const uint16_t *>(found.data()), v8::NewStringType::kNormal,
                                        static_cast<int>(found.size()))
                 .ToLocal(&text)) {
            return CopyString("");
        }
        return CopyString(isolate_, text, kSourceLineMax);
    }

    void ConvertFrames(v8::Local<v8::StackTrace> stack, sl_v8_exception *result) {
        size_t count = std::min<size_t>(static_cast<size_t>(stack->GetFrameCount()), kFramesMax);
        if (!count) return;
        result->frames = static_cast<sl_v8_frame *>(calloc(kFramesMax, sizeof(sl_v8_frame)));
        if (!result->frames) ReportOutOfMemory("sl_v8_exception", false);
        for (size_t index = 0; index < count; ++index) {
            v8::Local<v8::StackFrame> from = stack->GetFrame(isolate_, static_cast<uint32_t>(index));
            sl_v8_frame &frame = result->frames[result->frame_count++];
            v8::Local<v8::String> function = from->GetFunctionName(), script = from->GetScriptNameOrSourceURL();
            frame.function = function.IsEmpty() ? CopyString("") : CopyString(isolate_, function, kSourceLineMax);
            frame.script = script.IsEmpty() ? CopyString("") : CopyString(isolate_, script, kExceptionTextMax);
            frame.line = std::max(0, from->GetLineNumber());
            frame.column = std::max(0, from->GetColumn());
            frame.is_eval = from->IsEval();
            frame.is_native = !from->IsUserJavaScript() && !from->IsWasm();
        }
    }

    static std::string FormatStack(const sl_v8_exception &exception) {
        std::string text(exception.name.bytes, exception.name.length);
        if (exception.message.length) {
            if (!text.empty()) text += ": ";
            text.append(exception.message.bytes, exception.message.length);
        }
        for (size_t index = 0; index < exception.frame_count; ++index) {
            const sl_v8_frame &frame = exception.frames[index];
            text += "\n    at ";
            std::string place = std::string(frame.script.bytes, frame.script.length) + ":" + std::to_string(frame.line) + ":" +
                                std::to_string(frame.column);
            if (!frame.function.length) {
                text += place;
                continue;
            }
            text.append(frame.function.bytes, frame.function.length);
            text += " (" + place + ")";
        }
        return text;
    }

    // V8's structured frames end at the first suspended function; the text has those that wait for this one too,
    // as "    at async name (script:line:column)".
    static void AddAsyncFrames(sl_v8_exception *result) {
        std::string_view text(result->stack.bytes, result->stack.length);
        constexpr std::string_view kMark = "\n    at async ";
        for (size_t at = text.find(kMark); at != std::string_view::npos; at = text.find(kMark, at)) {
            at += kMark.size();
            std::string_view line = text.substr(at, text.find('\n', at) - at);
            std::string_view function;
            if (size_t open = line.rfind(" ("); open != std::string_view::npos && line.ends_with(")")) {
                function = line.substr(0, open);
                line = line.substr(open + 2, line.size() - open - 3);
            }
            int32_t column = TakeNumber(&line), row = TakeNumber(&line);
            if (row == 0) continue;
            if (!result->frames) {
                result->frames = static_cast<sl_v8_frame *>(calloc(kFramesMax, sizeof(sl_v8_frame)));
                if (!result->frames) ReportOutOfMemory("sl_v8_exception", false);
            }
            if (result->frame_count == kFramesMax) return;
            sl_v8_frame &frame = result->frames[result->frame_count++];
            frame.function = CopyString(function.substr(0, kSourceLineMax));
            frame.script = CopyString(line);
            frame.line = row;
            frame.column = column;
            frame.is_async = true;
        }
    }

    // The number after the last colon, which is cut off; 0 and nothing cut when there is none.
    static int32_t TakeNumber(std::string_view *text) {
        size_t colon = text->rfind(':');
        if (colon == std::string_view::npos || colon + 1 == text->size()) return 0;
        int64_t number = 0;
        for (char digit : text->substr(colon + 1)) {
            if (digit < '0' || digit > '9' || number > INT32_MAX / 10) return 0;
            number = number * 10 + (digit - '0');
        }
        *text = text->substr(0, colon);
        return static_cast<int32_t>(number);
    }

    v8::Isolate *const isolate_;
    const v8::Local<v8::Context> context_;
    const v8::Local<v8::Object> error_constructor_;
    sl_v8_isolate *const self_;
    std::vector<v8::Local<v8::Object>> ancestors_;
    size_t count_ = 0;
    bool formatted_ = false;  // whether the value at hand had a `stack` to take
};

sl_v8_exception *Convert(RealmEntry &entry, v8::Local<v8::Value> value, v8::Local<v8::Message> message) {
    // Whatever fails within must not become the exception of the code around.
    v8::TryCatch inner(entry.isolate);
    Conversion conversion(entry.isolate, entry.context, entry.realm->error_constructor.Get(entry.isolate));
    sl_v8_exception *exception = conversion.Convert(value, message);
    exception->value = Retain(entry.self, value);
    return exception;
}

// ---- Error.prepareStackTrace ----

// V8's own text, as near as its public interface allows.
v8::Local<v8::Value> DefaultStack(v8::Local<v8::Context> context, v8::Local<v8::Value> error, v8::Local<v8::Array> sites) {
    v8::Isolate *isolate = context->GetIsolate();
    v8::TryCatch caught(isolate);
    std::string text = Describe(isolate, context, error);
    for (uint32_t index = 0; index < std::min<uint32_t>(sites->Length(), kFramesMax); ++index) {
        v8::Local<v8::Value> site;
        v8::Local<v8::String> line;
        if (!sites->Get(context, index).ToLocal(&site) || !site->ToString(context).ToLocal(&line)) break;
        text += "\n    at " + ToString(isolate, line, kSourceLineMax);
    }
    return Key(isolate, text);
}

v8::MaybeLocal<v8::Value> OnPrepareStack(v8::Local<v8::Context> context, v8::Local<v8::Value> error, v8::Local<v8::Array> sites) {
    v8::Isolate *isolate = context->GetIsolate();
    sl_v8_isolate *self = Self(isolate);
    // An error within the formatter gets the plain text.
    if (self->prepare_stack.IsEmpty() || self->preparing_stack || self->Ended()) return DefaultStack(context, error, sites);
    self->preparing_stack = true;
    v8::Local<v8::Value> text;
    {
        v8::TryCatch caught(isolate);
        v8::Local<v8::Value> arguments[] = {error, sites};
        (void)self->prepare_stack.Get(isolate)->Call(context, v8::Undefined(isolate), 2, arguments).ToLocal(&text);
    }
    self->preparing_stack = false;
    if (text.IsEmpty()) return DefaultStack(context, error, sites);
    return text;
}

}  // namespace

void SetUpExceptions(sl_v8_isolate *self) {
    self->isolate->SetCaptureStackTraceForUncaughtExceptions(true, kFramesCaptured, v8::StackTrace::kDetailed);
}

void Report(RealmEntry &entry, v8::TryCatch &caught, sl_v8_exception **error) {
    *error = nullptr;
    if (caught.HasTerminated() || !caught.HasCaught()) {
        if (!entry.self->Ended() && !caught.HasTerminated()) {
            *error = PlainException("Error", "V8 failed without an exception");
        }
        return;
    }
    *error = Convert(entry, caught.Exception(), caught.Message());
}

void Fail(RealmEntry &entry, std::string_view kind, std::string_view message, sl_v8_exception **error) {
    *error = Convert(entry, NewError(entry.isolate, kind, message), {});
}

}  // namespace sl

sl_v8_exception *sl_v8_exception_from_value(sl_v8_realm *realm, sl_v8_value *value) {
    sl::RealmEntry entry(realm);
    return sl::Convert(entry, sl::Open(entry.isolate, value), {});
}

void sl_v8_exception_free(sl_v8_exception *exception) {
    if (!exception) return;
    for (sl_v8_string string : {exception->name, exception->message, exception->stack, exception->script, exception->source_line}) {
        sl_v8_string_free(string);
    }
    for (size_t index = 0; index < exception->frame_count; ++index) {
        sl_v8_string_free(exception->frames[index].function);
        sl_v8_string_free(exception->frames[index].script);
    }
    free(exception->frames);
    sl_v8_exception_free(exception->cause);
    for (size_t index = 0; index < exception->error_count; ++index) sl_v8_exception_free(exception->errors[index]);
    free(exception->errors);
    sl_v8_value_release(exception->value);
    free(exception);
}

void sl_v8_isolate_set_prepare_stack(sl_v8_isolate *self, sl_v8_value *function) {
    sl::Entry entry(self);
    self->prepare_stack.Reset();
    v8::Local<v8::Value> local;
    if (function) local = sl::Open(entry.isolate, function);
    bool set = function && local->IsFunction();
    if (set) self->prepare_stack.Reset(entry.isolate, local.As<v8::Function>());
    entry.isolate->SetPrepareStackTraceCallback(set ? sl::OnPrepareStack : nullptr);
}
