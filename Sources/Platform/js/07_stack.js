'use strict';
// @ts-check
// Stack traces in V8's format with source maps applied (https://v8.dev/docs/stack-trace-api), and how an error looks that ends the run.

const {
    ArrayIsArray, ArrayPrototypeIncludes, ArrayPrototypeIndexOf, ArrayPrototypeJoin, ArrayPrototypePush, ArrayPrototypeSplice, Error,
    ErrorPrototypeToString, ObjectPrototypeHasOwnProperty, ReflectApply, RegExpPrototypeExec, String, StringPrototypeCharCodeAt,
    StringPrototypeEndsWith, StringPrototypeIncludes, StringPrototypeIndexOf, StringPrototypeLastIndexOf, StringPrototypeRepeat,
    StringPrototypeSlice, StringPrototypeStartsWith, decodeURIComponent, uncurryThis,
} = primordials;
const { replaceNewlines, split } = internal.text;

// CallSite has no global: an error tells.
const { frameFile, frameLine, frameColumn, frameText } = (() => {
    const before = Error.prepareStackTrace;
    Error.prepareStackTrace = (_, frames) => frames;
    // A realm that is being frozen has no limit yet, and without one no frames (01_late.js).
    const hasLimit = Error.stackTraceLimit !== undefined;
    if (!hasLimit) Error.stackTraceLimit = 1;
    const frame = new Error().stack[0];
    if (!hasLimit) delete Error.stackTraceLimit;
    if (before === undefined) delete Error.prepareStackTrace; else Error.prepareStackTrace = before;
    return {
        frameFile: uncurryThis(frame.getScriptNameOrSourceURL), frameLine: uncurryThis(frame.getLineNumber),
        frameColumn: uncurryThis(frame.getColumnNumber), frameText: uncurryThis(frame.toString),
    };
})();

function textOf(frame) {
    const text = frameText(frame);
    const file = frameFile(frame);
    if (typeof file !== 'string') return text;
    const line = frameLine(frame), column = frameColumn(frame);
    const mapped = internal.mapPosition(file, line, column);
    if (mapped === null) return text;
    const position = `${file}:${line}:${column}`;
    const at = StringPrototypeLastIndexOf(text, position);
    if (at < 0) return text;
    return StringPrototypeSlice(text, 0, at) + `${mapped.source}:${mapped.line}:${mapped.column}` + StringPrototypeSlice(text, at + position.length);
}

/**
 * For sl_v8_isolate_set_prepare_stack. The host sets it when a script with a source map has been loaded; until then V8 formats alone.
 * A user's Error.prepareStackTrace goes first, as V8 itself has it.
 */
internal.prepareStackTrace = (error, frames) => {
    const user = Error.prepareStackTrace;
    if (typeof user === 'function') return ReflectApply(user, Error, [error, frames]);
    let text;
    try {
        text = ErrorPrototypeToString(error);
    } catch {
        text = '<error>';
    }
    for (let i = 0; i < frames.length; i++) text += `\n    at ${textOf(frames[i])}`;
    return text;
};

/** "    at f (file:1:2)" and "    at file:1:2" → where. */
const framePattern = /^\s+at (?:.*\()?(.+?):(\d+):(\d+)\)?$/;

/** The first frame of a stack text that lies in a file; the message, which may quote other stacks, stands before. */
function positionInStack(stack, message) {
    const at = typeof message === 'string' ? StringPrototypeIndexOf(stack, message) : -1;
    let start = StringPrototypeIndexOf(stack, '\n    at ', at < 0 ? 0 : at + message.length);
    while (start >= 0) {
        let end = StringPrototypeIndexOf(stack, '\n', start + 1);
        if (end < 0) end = stack.length;
        const match = RegExpPrototypeExec(framePattern, StringPrototypeSlice(stack, start + 1, end));
        if (match !== null && match[1] !== 'native' && !StringPrototypeStartsWith(match[1], 'node:') && !StringPrototypeStartsWith(match[1], 'sidelight:')) {
            return { script: match[1], line: +match[2], column: +match[3], endColumn: 0, sourceLine: undefined };
        }
        start = end < stack.length ? end : -1;
    }
    return undefined;
}

/** Where an error was thrown, as its source was written: `where` as V8 tells it, else the first frame of its stack. */
internal.placeOf = (error, where) => {
    if (where === undefined || !where.script || !(where.line > 0)) {
        let stack, message;
        if (internal.types.isError(error)) {
            try { ({ stack, message } = error); } catch { /* a getter of the user's */ }
        }
        where = typeof stack === 'string' ? positionInStack(stack, message) : undefined;
        if (where === undefined) return { script: '', line: 0, column: 0 };
    }
    const mapped = internal.mapPosition(where.script, where.line, where.column);
    return mapped === null ? where : { script: mapped.source, line: mapped.line, column: mapped.column };
};

/** "TypeError: message" of an error, what inspect says of anything else. */
internal.errorHeading = (error) => {
    try {
        return internal.types.isError(error) ? ErrorPrototypeToString(error) : internal.inspect(error);
    } catch {
        return '<error>';
    }
};

/** The same with where it was thrown, for messages about it. */
internal.failureText = (error, where) => {
    const heading = internal.errorHeading(error);
    const { script, line, column } = internal.placeOf(error, where);
    return script === '' ? heading : `${heading} (${script}:${line}:${column})`;
};

/** Line `line` (1-based) of `text`. */
function lineOf(text, line) {
    let start = 0;
    for (let i = 1; i < line; i++) {
        start = StringPrototypeIndexOf(text, '\n', start) + 1;
        if (start === 0) return undefined;
    }
    let end = StringPrototypeIndexOf(text, '\n', start);
    if (end < 0) end = text.length;
    if (end > start && StringPrototypeCharCodeAt(text, end - 1) === 13) end--;
    return StringPrototypeSlice(text, start, end);
}

/** The text of a line of a source file: from a source map that carries it, else from disk. */
function sourceLine(file, line) {
    let text = internal.mappedContent(file);
    if (text === undefined) {
        try {
            const path = StringPrototypeStartsWith(file, 'file://') ? decodeURIComponent(StringPrototypeSlice(file, 7)) : file;
            // A stack is a text, which the program may have written.
            if (!StringPrototypeStartsWith(path, '/') || !ops.isAllowed('module', path)) return undefined;
            text = ops.decodeUtf8(ops.readFile(path), false, false);
        } catch {
            return undefined;
        }
    }
    return lineOf(text, line);
}

/** Lines that nobody reads: minified code. */
const sourceLineLengthMax = 1000;

/** "file:line", the line, and a caret under the place. */
function excerpt(where) {
    let { script, line, column, endColumn } = where;
    let text = where.sourceLine;
    const mapped = internal.mapPosition(script, line, column);
    if (mapped !== null) {
        script = mapped.source;
        line = mapped.line;
        column = mapped.column;
        endColumn = 0;
        text = undefined;
    }
    if (text === undefined || text === '') text = sourceLine(script, line);
    let result = `${script}:${line}\n`;
    if (text !== undefined && text.length <= sourceLineLengthMax) {
        let margin = '';
        for (let i = 0; i < column - 1 && i < text.length; i++) margin += text[i] === '\t' ? '\t' : ' ';
        const width = endColumn > column && endColumn <= text.length + 1 ? endColumn - column : 1;
        result += `${text}\n${margin}${StringPrototypeRepeat('^', width)}\n`;
    }
    return result;
}

/** An error that has no frames is shown in brackets within a value, but not on its own. */
function withoutBrackets(text, stack) {
    if (typeof stack !== 'string' || !StringPrototypeStartsWith(text, `[${stack}]`)) return text;
    return stack + StringPrototypeSlice(text, stack.length + 2);
}

/**
 * What is printed of an error that ends the run, as Node prints it: position, source line, caret, then the error with its causes.
 * @param {unknown} error
 * @param {{script: string, line: number, column: number, endColumn?: number, sourceLine?: string}} [where] where it was thrown (positions of what V8 ran);
 *     without it the first frame of the stack is taken
 */
internal.formatUncaught = (error, where) => {
    let stack;
    if (internal.types.isError(error)) {
        try { stack = error.stack; } catch { /* a getter of the user's */ }
    }
    if (where === undefined || !where.script || !(where.line > 0) || StringPrototypeStartsWith(where.script, 'sidelight:')) {
        where = typeof stack === 'string' ? positionInStack(stack, error.message) : undefined;
    }
    let text = where === undefined ? 'Uncaught:\n' : excerpt(where);
    if (typeof stack === 'string' && where !== undefined) text += '\n';
    return text + withoutBrackets(internal.inspect(error, { colors: internal.colors !== undefined && internal.colors.stderr }), stack);
};

/** A first line of V8's stack text that names a class: "TypeError: …", "Error\n    at". */
const classInStack = /^([A-Z][a-z_ A-Z0-9[\]()-]+)(?::|\n\s+at)/;
const classAlone = /^([a-z_A-Z0-9-]*Error)$/;

/** The stack names the class by its `name`; where the real class is another one, both are shown. */
function withClass(stack, constructor, name, tag, prefixOf) {
    let length = name.length;
    const named = StringPrototypeEndsWith(name, 'Error') && StringPrototypeStartsWith(stack, name) &&
        (stack.length === length || stack[length] === ':' || stack[length] === '\n');
    if (constructor !== null && !named) return stack;
    let fallback = 'Error';
    if (constructor === null) {
        const match = RegExpPrototypeExec(classInStack, stack) || RegExpPrototypeExec(classAlone, stack);
        const found = match === null ? '' : match[1];
        length = found.length;
        fallback = found || 'Error';
    }
    const prefix = StringPrototypeSlice(prefixOf(constructor, tag, fallback), 0, -1);
    if (name === prefix) return stack;
    if (StringPrototypeIncludes(prefix, name)) return length === 0 ? `${prefix}: ${stack}` : prefix + StringPrototypeSlice(stack, length);
    return `${prefix} [${name}]${StringPrototypeSlice(stack, length)}`;
}

function stackText(error) {
    const stack = error.stack;
    if (stack) return String(stack);
    try {
        return ErrorPrototypeToString(error);
    } catch {
        return '<error>';
    }
}

/** Without those of the platform, which tell the program nothing; where there are no others, all. */
function ownFrames(frames) {
    const own = [];
    for (let i = 0; i < frames.length; i++) {
        if (RegExpPrototypeExec(platformFrame, frames[i]) === null) ArrayPrototypePush(own, frames[i]);
    }
    return own.length === 0 ? frames : own;
}
const platformFrame = /^\s+at (?:.*\()?sidelight:[^ ]*:\d+:\d+\)?$/;

/** Frames that the cause has too are said, not repeated: a cause was mostly thrown below the same callers. */
function withoutCommonFrames(frames, causeFrames, style, context) {
    for (let i = 0; i < frames.length - 3; i++) {
        const at = ArrayPrototypeIndexOf(causeFrames, frames[i]);
        if (at < 0) continue;
        let length = 1;
        while (i + length < frames.length && at + length < causeFrames.length && frames[i + length] === causeFrames[at + length]) length++;
        if (length > 3) {
            const skipped = length - 2;
            ArrayPrototypeSplice(frames, i + 1, skipped, style(context, `    ... ${skipped} lines matching cause stack trace ...`, 'undefined'));
            return;
        }
    }
}

/**
 * The base of an inspected error: its stack, or "[Name: message]" when there is none. Takes out of `keys` what the stack shows already, and adds cause and
 * errors, which are shown though they are not enumerable.
 */
internal.errorText = (context, error, constructor, tag, keys, prefixOf, style) => {
    const name = error.name === undefined || error.name === null ? 'Error' : String(error.name);
    let stack = stackText(error);
    const shown = ['name', 'message', 'stack'];
    for (let i = 0; i < shown.length && !context.showHidden; i++) {
        const index = ArrayPrototypeIndexOf(keys, shown[i]);
        if (index >= 0 && (typeof error[shown[i]] !== 'string' || StringPrototypeIncludes(stack, error[shown[i]]))) ArrayPrototypeSplice(keys, index, 1);
    }
    if ('cause' in error && !ArrayPrototypeIncludes(keys, 'cause')) ArrayPrototypePush(keys, 'cause');
    if (ObjectPrototypeHasOwnProperty(error, 'errors') && ArrayIsArray(error.errors) && !ArrayPrototypeIncludes(keys, 'errors')) {
        ArrayPrototypePush(keys, 'errors');
    }
    stack = withClass(stack, constructor, name, tag, prefixOf);
    const message = typeof error.message === 'string' ? error.message : '';
    let position = message === '' ? -1 : StringPrototypeIndexOf(stack, message);
    if (position >= 0) position += message.length;
    const start = StringPrototypeIndexOf(stack, '\n    at', position < 0 ? 0 : position);
    if (start < 0) {
        stack = `[${stack}]`;
    } else {
        const frames = ownFrames(split(StringPrototypeSlice(stack, start + 1), '\n'));
        if (internal.types.isError(error.cause)) {
            const causeStack = stackText(error.cause);
            const causeStart = StringPrototypeIndexOf(causeStack, '\n    at');
            if (causeStart >= 0) withoutCommonFrames(frames, split(StringPrototypeSlice(causeStack, causeStart + 1), '\n'), style, context);
        }
        stack = `${StringPrototypeSlice(stack, 0, start)}\n${ArrayPrototypeJoin(frames, '\n')}`;
    }
    return replaceNewlines(stack, context.indentation);
};
