'use strict';
// Goes on where script_items.js ends: the four files are one function (script_wire.js).

// ---- The script's functions ----

const NAMES = ['span', 'log', 'metric'];
const handlers = [undefined, undefined, undefined, undefined];
setNoPrototype(handlers);
let receiver;
const invoke = uncurryThis(call);

/** Takes the functions of what the module exports; which signals they are for, as bits 1, 2 and 4. Throws a TypeError that says what is wrong. */
function load(exported) {
    if (typeof exported !== 'object' || exported === null) throw new TypeError('there is no `export default { span(s) { ... } }`');
    let bits = 0;
    const keys = ownKeys(exported);
    for (let index = 0; index < NAMES.length; index++) {
        const handler = exported[NAMES[index]];
        if (handler === undefined) continue;
        if (typeof handler !== 'function') throw new TypeError(`${NAMES[index]} is no function`);
        const kind = getPrototypeOf(handler);
        if (kind === AsyncFunction || kind === GeneratorFunction || kind === AsyncGeneratorFunction) {
            const what = kind === AsyncFunction ? 'an async function' : 'a generator';
            throw new TypeError(`${NAMES[index]} is ${what}: what becomes of an item is decided before the function returns`);
        }
        handlers[index + 1] = handler;
        bits |= 1 << index;
    }
    if (bits === 0) {
        let names = '';
        for (let index = 0; index < keys.length; index++) names += (index > 0 ? ', ' : '') + ToString(keys[index]);
        throw new TypeError(`what it exports has none of span, log and metric${names === '' ? '' : `, but ${names}`}`);
    }
    receiver = exported;
    return bits;
}

function isPromise(value) { return isPrototypeOf(PromisePrototype, value) || typeof value.then === 'function'; }

/** What the script's function has decided. */
function verdict(item, result) {
    if (isDropped || result === false || result === null) return DROP;
    if (result !== undefined && result !== true && result !== item) {
        if (typeof result === 'object' && isPromise(result)) {
            throw new TypeError('a promise was returned: what becomes of an item is decided before the function returns');
        }
        throw new TypeError(`${typeof result === 'object' ? 'an object' : `a ${typeof result}`} was returned: return false to drop the item, and nothing to keep it`);
    }
    if (!isChanged) return KEEP;
    write();
    return REPLACE;
}

/**
 * Runs a batch, whose tables begin at `input`, and puts what comes of it at `output`, which ends at `end`.
 */
function run(input, output, end) {
    const head = input >> 2;
    const count = i32[head];
    const items = head + HEAD_WORDS;
    const groups = items + ITEMS_MAX * ITEM_WORDS;
    const scopeTable = groups + ITEMS_MAX * GROUP_WORDS;
    cacheSerial++;
    out = output + OUT_DATA;
    outEnd = end;
    linesLeft = LINES_MAX;
    for (let index = 0; index < count; index++) {
        const at = items + index * ITEM_WORDS;
        groupIndex = i32[at + 3];
        scopeIndex = i32[at + 2];
        group = groups + groupIndex * GROUP_WORDS;
        scope = scopeTable + scopeIndex * SCOPE_WORDS;
        signal = i32[group];
        const start = out;
        begin(i32[at], i32[at + 1]);
        let decided;
        try {
            const item = signal === TRACES ? new Span() : signal === LOGS ? new Log() : new Metric();
            decided = verdict(item, invoke(handlers[signal], receiver, item));
        } catch (error) {
            decided = error === malformed ? MALFORMED : error === tooLarge ? TOO_LARGE : THREW;
            if (decided === THREW) ops.scriptError(error, signal);
        }
        const result = (output >> 2) + index * RESULT_WORDS;
        if (decided === REPLACE) {
            i32[result + 1] = start - output;
            i32[result + 2] = out - start;
        } else {
            out = start;
        }
        i32[result] = decided;
    }
    // What is kept from now on refers to nothing.
    serial++;
}

// ---- console ----

const LEVELS = { __proto__: null, trace: 1, debug: 5, log: 9, info: 9, warn: 13, error: 17 };
/** A batch may say so many lines of so many characters. */
const LINES_MAX = 10;
const LINE_MAX = 1000;
let linesLeft = LINES_MAX;

function words(value) {
    if (typeof value === 'string') return value;
    try {
        if (typeof value === 'object' && value !== null) {
            if (typeof value.stack === 'string') return value.stack;
            return stringify(value, (_, inner) => typeof inner === 'bigint' ? `${inner}n` : inner) ?? '[object]';
        }
        return typeof value === 'bigint' ? `${value}n` : ToString(value);
    } catch {
        return '[what cannot be shown]';
    }
}

const console = {};
for (const level of ownKeys(LEVELS)) {
    console[level] = (...values) => {
        if (linesLeft === 0) return;
        linesLeft--;
        let line = '';
        for (let index = 0; index < values.length && line.length < LINE_MAX; index++) line += (index > 0 ? ' ' : '') + words(values[index]);
        ops.scriptLog(LEVELS[level], stringSlice(line, 0, LINE_MAX));
    };
}
defineProperty(globalThis, 'console', { __proto__: null, value: console, writable: true, enumerable: false, configurable: true });
// The time zone is looked up once, and from a file; soon there are no files.
new Date().toString();
// What could hold up this thread unseen by its CPU clock, or take memory past the heap's limit.
delete globalThis.Atomics;
delete globalThis.SharedArrayBuffer;
delete globalThis.WebAssembly;

return { __proto__: null, load, run };
