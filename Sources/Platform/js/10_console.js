'use strict';
// @ts-check
// The console (https://console.spec.whatwg.org/), worded and laid out as Node does it. Every message is printed and, where somebody records, becomes a log
// record of the active span. The text of a record has no colours and no group indentation.

const {
    ArrayIsArray, ArrayPrototypePush, ArrayPrototypeUnshift, BigIntPrototypeToString, ErrorCaptureStackTrace, JSONStringify, MapPrototypeForEach,
    MathFloor, Number, NumberPrototypeToFixed, ObjectCreate, ObjectDefineProperty, ObjectGetOwnPropertyDescriptor, ObjectGetOwnPropertyNames,
    ObjectGetPrototypeOf, ObjectKeys, ObjectPrototypeHasOwnProperty, ReflectApply, RegExpPrototypeExec, SafeMap, SafeSet, SetPrototypeForEach,
    String, StringPrototypeCharCodeAt, StringPrototypeIncludes, StringPrototypeIndexOf, StringPrototypePadStart, StringPrototypeRepeat,
    StringPrototypeSlice, SymbolToStringTag, parseFloat, parseInt,
} = primordials;
const { inspect } = internal;
const { replaceNewlines, width } = internal.text;
const { brandOf, isError } = internal.types;
const { defineGlobal } = internal.webidl;

// OTLP severity numbers (https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber).
const severityTrace = 1, severityDebug = 5, severityInfo = 9, severityWarn = 13, severityError = 17;

// ---- Formatting (https://console.spec.whatwg.org/#formatter) ----

const classPattern = /^[A-Z][a-zA-Z0-9]+$/;
const builtInClasses = new SafeSet();
{
    const names = ObjectGetOwnPropertyNames(globalThis);
    for (let i = 0; i < names.length; i++) {
        if (RegExpPrototypeExec(classPattern, names[i]) !== null) builtInClasses.add(names[i]);
    }
}

/** True when String(value) would say no more than "[object Object]" or the like: then %s shows the inside. */
function hasOnlyBuiltInToString(value) {
    if (typeof value.toString !== 'function') return true;
    if (ObjectPrototypeHasOwnProperty(value, 'toString')) return false;
    let holder = value;
    do { holder = ObjectGetPrototypeOf(holder); } while (holder !== null && !ObjectPrototypeHasOwnProperty(holder, 'toString'));
    if (holder === null) return true;
    const constructor = internal.frozen.valueIn(ObjectGetOwnPropertyDescriptor(holder, 'constructor'));
    return typeof constructor === 'function' && builtInClasses.has(constructor.name);
}

function toJSON(value) {
    try {
        return `${JSONStringify(value)}`;
    } catch (error) {
        if (isError(error) && StringPrototypeIncludes(`${error.message}`, 'circular structure')) return '[Circular]';
        throw error;
    }
}

/** @param {number} directive the character after %; undefined: not one */
function applyDirective(directive, value, options) {
    switch (directive) {
    case 115: // s
        if (typeof value === 'number') return inspect(value);
        if (typeof value === 'bigint') return `${BigIntPrototypeToString(value)}n`;
        if (typeof value !== 'object' || value === null || !hasOnlyBuiltInToString(value)) return String(value);
        return inspect(value, { depth: 0, colors: false, compact: 3 });
    case 106: return toJSON(value); // j
    case 100: // d
        if (typeof value === 'bigint') return `${BigIntPrototypeToString(value)}n`;
        return inspect(typeof value === 'symbol' ? NaN : Number(value), plain);
    case 79: return inspect(value, options); // O
    case 111: return inspect(value, { ...options, showHidden: true, showProxy: true, depth: 4 }); // o
    case 105: // i
        if (typeof value === 'bigint') return `${BigIntPrototypeToString(value)}n`;
        return inspect(typeof value === 'symbol' ? NaN : parseInt(value), plain);
    case 102: return inspect(typeof value === 'symbol' ? NaN : parseFloat(value), plain); // f
    case 99: return ''; // c: style sheets mean nothing here
    default: return undefined;
    }
}

/** The arguments of console.log as one text. */
function format(args, options) {
    const first = args[0];
    if (args.length === 1) return typeof first === 'string' ? first : inspect(first, options);
    let text = '';
    let next = 0;
    if (typeof first === 'string') {
        next = 1;
        let done = 0;
        for (let i = StringPrototypeIndexOf(first, '%'); i >= 0 && i < first.length - 1; i = StringPrototypeIndexOf(first, '%', i)) {
            const directive = StringPrototypeCharCodeAt(first, i + 1);
            let part;
            if (directive === 37) part = '%';
            else if (next < args.length) part = applyDirective(directive, args[next], options);
            if (part === undefined) { i++; continue; }
            if (directive !== 37) next++;
            text += StringPrototypeSlice(first, done, i) + part;
            i += 2;
            done = i;
        }
        text += StringPrototypeSlice(first, done);
        if (next < args.length) text += ' ';
    }
    for (let i = next; i < args.length; i++) {
        const value = args[i];
        text += (i > next ? ' ' : '') + (typeof value === 'string' ? value : inspect(value, options));
    }
    return text;
}

// ---- Output ----

let groupIndentation = 0;
const plain = internal.plainInspect;
const colored = { colors: true };

/** What 90_start.js sets when a stream is a terminal. */
internal.colors = { stdout: false, stderr: false };

function record(severity, text, args) {
    const trace = internal.trace;
    if (trace === undefined || !trace.isEnabled()) return;
    let attributes;
    for (let i = 0; i < args.length && attributes === undefined; i++) {
        // https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-logs/
        if (isError(args[i])) attributes = internal.traceValues.exceptionAttributes(args[i]);
    }
    trace.log(severity, text, attributes);
}

function write(fd, text) {
    ops.print(fd, replaceNewlines(StringPrototypeRepeat(' ', groupIndentation) + text, groupIndentation) + '\n');
}

/** Prints `args` and records them. */
function emit(fd, severity, args) {
    let text;
    if (fd === 1 ? internal.colors.stdout : internal.colors.stderr) {
        write(fd, format(args, colored));
        if (internal.trace === undefined || !internal.trace.isEnabled()) return;
        text = format(args, plain);
    } else {
        text = format(args, plain);
        write(fd, text);
    }
    record(severity, text, args);
}

/** Text that is complete: no directives in it. */
function emitText(fd, severity, text) {
    write(fd, text);
    record(severity, text, []);
}

function warn(text) {
    emitText(2, severityWarn, `Warning: ${text}`);
}

// ---- Counting and timing ----

const counts = new SafeMap();
const timers = new SafeMap();

/** 1.234ms, 12.345s, 1:02.345 (m:ss.mmm), 1:02:03.345 (h:mm:ss.mmm) */
function formatDuration(milliseconds) {
    if (milliseconds < 1000) return `${Number(NumberPrototypeToFixed(milliseconds, 3))}ms`;
    if (milliseconds < 60_000) return `${NumberPrototypeToFixed(milliseconds / 1000, 3)}s`;
    const hours = MathFloor(milliseconds / 3_600_000);
    const minutes = MathFloor(milliseconds % 3_600_000 / 60_000);
    const seconds = StringPrototypePadStart(NumberPrototypeToFixed(milliseconds % 60_000 / 1000, 3), 6, '0');
    return hours > 0 ? `${hours}:${StringPrototypePadStart(`${minutes}`, 2, '0')}:${seconds} (h:mm:ss.mmm)` : `${minutes}:${seconds} (m:ss.mmm)`;
}

function sinceStart(label, method, args) {
    label = `${label}`;
    const start = timers.get(label);
    if (start === undefined) {
        warn(`No such label '${label}' for console.${method}()`);
        return;
    }
    const duration = formatDuration(internal.now() - start);
    if (method === 'timeEnd') timers.delete(label);
    let text = `${label}: ${duration}`;
    for (let i = 0; i < args.length; i++) text += ` ${typeof args[i] === 'string' ? args[i] : inspect(args[i], plain)}`;
    emitText(1, severityInfo, text);
}

// ---- Tables ----

function cellText(value) {
    const wide = typeof value === 'object' && value !== null && !ArrayIsArray(value) && ObjectKeys(value).length > 2;
    return inspect(value, { maxArrayLength: 3, breakLength: Infinity, depth: wide ? -1 : 0 });
}

/** @param {string[]} head @param {string[][]} columns */
function drawTable(head, columns) {
    let rows = 0;
    const widths = [];
    for (let c = 0; c < head.length; c++) {
        let widest = width(head[c], false);
        for (let r = 0; r < columns[c].length; r++) {
            const w = columns[c][r] === undefined ? 0 : width(columns[c][r], false);
            if (w > widest) widest = w;
        }
        if (columns[c].length > rows) rows = columns[c].length;
        ArrayPrototypePush(widths, widest + 2);
    }
    const rule = (left, middle, right) => {
        let text = left;
        for (let c = 0; c < widths.length; c++) text += (c > 0 ? middle : '') + StringPrototypeRepeat('\u2500', widths[c]);
        return text + right;
    };
    const line = (at) => {
        let text = '\u2502';
        for (let c = 0; c < widths.length; c++) {
            const cell = at(c) ?? '';
            text += `${c > 0 ? '\u2502' : ''} ${cell}${StringPrototypeRepeat(' ', widths[c] - 1 - width(cell, false))}`;
        }
        return text + '\u2502\n';
    };
    let text = `${rule('\u250C', '\u252C', '\u2510')}\n${line((c) => head[c])}${rule('\u251C', '\u253C', '\u2524')}\n`;
    for (let r = 0; r < rows; r++) text += line((c) => columns[c][r]);
    return text + rule('\u2514', '\u2534', '\u2518');
}

/** Rows of a table: [index, value, key of a map]. */
function rowsOf(data) {
    const rows = [];
    const brand = brandOf(data);
    if (brand === 'Map') {
        MapPrototypeForEach(data, (value, key) => ArrayPrototypePush(rows, { index: `${rows.length}`, value, key: cellText(key) }));
        return { rows, head: '(iteration index)', hasKeys: true };
    }
    if (brand === 'Set') {
        SetPrototypeForEach(data, (value) => ArrayPrototypePush(rows, { index: `${rows.length}`, value }));
        return { rows, head: '(iteration index)', hasKeys: false };
    }
    const keys = ObjectKeys(data);
    for (let i = 0; i < keys.length; i++) ArrayPrototypePush(rows, { index: keys[i], value: data[keys[i]] });
    return { rows, head: '(index)', hasKeys: false };
}

function tableText(data, properties) {
    const { rows, head, hasKeys } = rowsOf(data);
    const names = [];
    const columns = ObjectCreate(null);
    let values; // of rows that are no objects
    for (let r = 0; r < rows.length; r++) {
        const { value } = rows[r];
        if (value === null || (typeof value !== 'object' && typeof value !== 'function') || (hasKeys && properties === undefined)) {
            values ??= [];
            values[r] = cellText(value);
            continue;
        }
        const keys = properties === undefined ? ObjectKeys(value) : properties;
        for (let k = 0; k < keys.length; k++) {
            const key = `${keys[k]}`;
            if (columns[key] === undefined) {
                columns[key] = [];
                ArrayPrototypePush(names, key);
            }
            if (ObjectPrototypeHasOwnProperty(value, key)) columns[key][r] = cellText(value[key]);
        }
    }
    const heads = [head];
    const table = [[]];
    for (let r = 0; r < rows.length; r++) table[0][r] = rows[r].index;
    if (hasKeys) {
        ArrayPrototypePush(heads, 'Key');
        const keys = [];
        for (let r = 0; r < rows.length; r++) keys[r] = rows[r].key;
        ArrayPrototypePush(table, keys);
    }
    for (let i = 0; i < names.length; i++) {
        ArrayPrototypePush(heads, names[i]);
        ArrayPrototypePush(table, columns[names[i]]);
    }
    if (values !== undefined) {
        ArrayPrototypePush(heads, 'Values');
        ArrayPrototypePush(table, values);
    }
    return drawTable(heads, table);
}

// ---- The namespace ----

const methods = {
    log(...args) { emit(1, severityInfo, args); },
    info(...args) { emit(1, severityInfo, args); },
    debug(...args) { emit(1, severityDebug, args); },
    warn(...args) { emit(2, severityWarn, args); },
    error(...args) { emit(2, severityError, args); },
    dirxml(...args) { emit(1, severityInfo, args); },
    dir(value = undefined, options = undefined) {
        write(1, inspect(value, { colors: internal.colors.stdout, ...options, customInspect: false }));
        record(severityInfo, inspect(value, { ...options, customInspect: false, colors: false }), []);
    },
    trace: function trace(...args) {
        const holder = { name: 'Trace', message: args.length === 0 ? '' : format(args, plain) };
        ErrorCaptureStackTrace(holder, trace);
        // A stack of a plain object starts with what its toString says, so the heading is ours.
        const { stack } = holder;
        const frames = StringPrototypeIndexOf(stack, '\n    at ');
        const heading = holder.message === '' ? 'Trace' : `Trace: ${holder.message}`;
        emitText(2, severityTrace, frames < 0 ? heading : heading + StringPrototypeSlice(stack, frames));
    },
    assert(condition = false, ...args) {
        if (condition) return;
        if (typeof args[0] === 'string') args[0] = `Assertion failed: ${args[0]}`;
        else ArrayPrototypeUnshift(args, args.length === 0 ? 'Assertion failed' : 'Assertion failed:');
        emit(2, severityError, args);
    },
    table(data = undefined, properties = undefined) {
        if (data === null || typeof data !== 'object') return emit(1, severityInfo, [data]);
        if (properties !== undefined && !ArrayIsArray(properties)) {
            throw internal.typeError(`The "properties" argument must be an instance of Array. Received ${inspect(properties)}`, 'ERR_INVALID_ARG_TYPE');
        }
        return emitText(1, severityInfo, tableText(data, properties));
    },
    group(...args) {
        if (args.length > 0) emit(1, severityInfo, args);
        groupIndentation += 2;
    },
    groupCollapsed(...args) { ReflectApply(methods.group, undefined, args); },
    groupEnd() { if (groupIndentation > 0) groupIndentation -= 2; },
    count(label = 'default') {
        label = `${label}`;
        const count = (counts.get(label) ?? 0) + 1;
        counts.set(label, count);
        emitText(1, severityInfo, `${label}: ${count}`);
    },
    countReset(label = 'default') {
        if (!counts.delete(`${label}`)) warn(`Count for '${label}' does not exist`);
    },
    time(label = 'default') {
        label = `${label}`;
        if (timers.has(label)) warn(`Label '${label}' already exists for console.time()`);
        else timers.set(label, internal.now());
    },
    timeLog(label = 'default', ...args) { sinceStart(label, 'timeLog', args); },
    timeEnd(label = 'default') { sinceStart(label, 'timeEnd', []); },
    clear() {
        groupIndentation = 0;
        if (internal.colors.stdout) ops.print(1, '\x1b[1;1H\x1b[0J');
    },
};

// Its prototype is an empty object, as browsers have it (https://console.spec.whatwg.org/#console-namespace).
const console = ObjectCreate({});
{
    const names = ObjectKeys(methods);
    for (let i = 0; i < names.length; i++) console[names[i]] = methods[names[i]];
    ObjectDefineProperty(console, SymbolToStringTag, { __proto__: null, value: 'console', writable: false, enumerable: false, configurable: true });
}
defineGlobal('console', console);
internal.format = (args) => format(args, plain);
internal.formatWithOptions = format;
