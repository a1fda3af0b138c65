'use strict';
// @ts-check
// node:util: https://nodejs.org/api/util.html

const {
    ArrayIsArray, ArrayPrototypeJoin, ArrayPrototypePush, Error, ObjectDefineProperty, ObjectGetOwnPropertyDescriptor, ObjectGetPrototypeOf,
    ObjectKeys, ObjectSetPrototypeOf, Promise, ReflectApply, ReflectConstruct, ReflectOwnKeys, RegExp, RegExpPrototypeExec, SafeMap, SafeSet,
    StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeStartsWith, StringPrototypeToUpperCase, StringPrototypeTrim, SymbolFor,
} = primordials;
const { coded, define, invalidType, invalidValue, requireBoolean, requireFunction, requireObject, requireString, withDefault } = internal.load('node_errors');
const { customInspect, inspect, inspectDefaults } = internal;
const { TextDecoder, TextEncoder, process } = internal.globals;
const { isDeepStrictEqual } = internal.load('deep_equal');
const { default: types } = internal.load('util_types');

// ---- inspect and format ----

/** Of terminals (ECMA-48 SGR): name → codes on and off. */
const colors = {
    __proto__: null,
    reset: [0, 0], bold: [1, 22], dim: [2, 22], italic: [3, 23], underline: [4, 24], blink: [5, 25], inverse: [7, 27], hidden: [8, 28], strikethrough: [9, 29], doubleunderline: [21, 24],
    black: [30, 39], red: [31, 39], green: [32, 39], yellow: [33, 39], blue: [34, 39], magenta: [35, 39], cyan: [36, 39], white: [37, 39],
    bgBlack: [40, 49], bgRed: [41, 49], bgGreen: [42, 49], bgYellow: [43, 49], bgBlue: [44, 49], bgMagenta: [45, 49], bgCyan: [46, 49], bgWhite: [47, 49],
    framed: [51, 54], overlined: [53, 55], gray: [90, 39], redBright: [91, 39], greenBright: [92, 39], yellowBright: [93, 39], blueBright: [94, 39], magentaBright: [95, 39],
    cyanBright: [96, 39], whiteBright: [97, 39], bgGray: [100, 49], bgRedBright: [101, 49], bgGreenBright: [102, 49], bgYellowBright: [103, 49], bgBlueBright: [104, 49],
    bgMagentaBright: [105, 49], bgCyanBright: [106, 49], bgWhiteBright: [107, 49],
};
const aliases = ['gray', 'grey', 'gray', 'blackBright', 'bgGray', 'bgGrey', 'bgGray', 'bgBlackBright', 'dim', 'faint', 'strikethrough', 'crossedout', 'strikethrough', 'strikeThrough',
    'strikethrough', 'crossedOut', 'hidden', 'conceal', 'inverse', 'swapColors', 'inverse', 'swapcolors', 'doubleunderline', 'doubleUnderline'];
for (let i = 0; i < aliases.length; i += 2) {
    ObjectDefineProperty(colors, aliases[i + 1], { __proto__: null, value: colors[aliases[i]], writable: true, enumerable: false, configurable: true });
}

/** Kind of value → name of its colour. A copy: what inspect prints with is fixed. */
const styles = {
    __proto__: null, special: 'cyan', number: 'yellow', bigint: 'yellow', boolean: 'yellow', undefined: 'grey', null: 'bold', string: 'green', symbol: 'green', date: 'magenta', regexp: 'red',
    module: 'underline',
};
define(inspect, { custom: customInspect, colors, styles });
ObjectDefineProperty(inspect, 'defaultOptions', {
    __proto__: null, enumerable: false, configurable: true, get: () => inspectDefaults,
    set(options) {
        requireObject(options, 'options');
        const keys = ObjectKeys(inspectDefaults);
        for (let i = 0; i < keys.length; i++) if (options[keys[i]] !== undefined) inspectDefaults[keys[i]] = options[keys[i]];
    },
});

function format(...args) { return internal.formatWithOptions(args, internal.plainInspect); }

function formatWithOptions(inspectOptions, ...args) {
    requireObject(inspectOptions, 'inspectOptions');
    return internal.formatWithOptions(args, inspectOptions);
}

const escapePattern = new RegExp('[\\u001B\\u009B][[\\]()#;?]*(?:(?:(?:(?:;[-a-zA-Z\\d\\/#&.:=?%@~_]+)*|[a-zA-Z\\d]+(?:;[-a-zA-Z\\d\\/#&.:=?%@~_]*)*)?(?:\\u0007|\\u001B\\u005C|\\u009C))|' +
    '(?:(?:\\d{1,4}(?:;\\d{0,4})*)?[\\dA-PR-TZcf-nq-uy=><~]))');

/** Text without the escape sequences of terminals. */
function stripVTControlCharacters(str) {
    requireString(str, 'str');
    let result = '';
    for (;;) {
        const match = RegExpPrototypeExec(escapePattern, str);
        if (match === null) return result + str;
        result += StringPrototypeSlice(str, 0, match.index);
        str = StringPrototypeSlice(str, match.index + match[0].length);
    }
}

const sequence = (code) => `\x1b[${code}m`;

/** `text` in the named formats; plain where `stream` shows no colours, unless validateStream is false. */
function styleText(format, text, options) {
    requireString(text, 'text');
    const validateStream = options?.validateStream ?? true;
    requireBoolean(validateStream, 'options.validateStream');
    let shows = true;
    if (validateStream) {
        const stream = options?.stream ?? process.stdout;
        if (stream === null || typeof stream !== 'object') throw invalidType('stream', 'an instance of ReadableStream, WritableStream, or Stream', stream);
        shows = stream.isTTY === true && (stream !== process.stdout || internal.colors.stdout) && (stream !== process.stderr || internal.colors.stderr);
    }
    const names = ArrayIsArray(format) ? format : [format];
    let left = '';
    let right = '';
    for (let i = 0; i < names.length; i++) {
        if (names[i] === 'none') continue;
        const codes = typeof names[i] === 'string' ? colors[names[i]] : undefined;
        if (codes === undefined) throw invalidValue('format', format, `must be one of: ${ArrayPrototypeJoin(quoted(ObjectKeys(colors)), ', ')}`);
        left += sequence(codes[0]);
        right = sequence(codes[1]) + right;
    }
    return shows ? left + text + right : text;
}

function quoted(names) {
    const result = [];
    for (let i = 0; i < names.length; i++) result[i] = `'${names[i]}'`;
    return result;
}

// ---- Functions of functions ----

const promisifyCustom = SymbolFor('nodejs.util.promisify.custom');

function copyProperties(target, source) {
    const keys = ReflectOwnKeys(source);
    for (let i = 0; i < keys.length; i++) {
        const own = ObjectGetOwnPropertyDescriptor(target, keys[i]);
        if (own !== undefined && !own.configurable) continue;
        ObjectDefineProperty(target, keys[i], ObjectGetOwnPropertyDescriptor(source, keys[i]));
    }
}

function promisify(original) {
    requireFunction(original, 'original');
    const custom = original[promisifyCustom];
    if (custom) {
        requireFunction(custom, 'util.promisify.custom');
        ObjectDefineProperty(custom, promisifyCustom, { __proto__: null, value: custom, writable: false, enumerable: false, configurable: true });
        return custom;
    }
    function promisified(...args) {
        return new Promise((resolve, reject) => {
            ArrayPrototypePush(args, (error, value) => {
                if (error) reject(error); else resolve(value);
            });
            ReflectApply(original, this, args);
        });
    }
    ObjectSetPrototypeOf(promisified, ObjectGetPrototypeOf(original));
    copyProperties(promisified, original);
    ObjectDefineProperty(promisified, promisifyCustom, { __proto__: null, value: promisified, writable: false, enumerable: false, configurable: true });
    return promisified;
}
define(promisify, { custom: promisifyCustom });

function callbackify(original) {
    requireFunction(original, 'original');
    function callbackified(...args) {
        const callback = args[args.length - 1];
        requireFunction(callback, 'last argument');
        args.length--;
        settle(ReflectApply(original, this, args), callback, this);
    }
    copyProperties(callbackified, original);
    ObjectDefineProperty(callbackified, 'length', { __proto__: null, value: original.length + 1, writable: false, enumerable: false, configurable: true });
    ObjectDefineProperty(callbackified, 'name', { __proto__: null, value: `${original.name}Callbackified`, writable: false, enumerable: false, configurable: true });
    return callbackified;
}

async function settle(promise, callback, receiver) {
    let value;
    try {
        value = await promise;
    } catch (reason) {
        let error = reason;
        if (!error) {
            error = coded(Error, 'ERR_FALSY_VALUE_REJECTION', 'Promise was rejected with falsy value');
            define(error, { reason });
        }
        internal.timers.enqueue(() => { ReflectApply(callback, receiver, [error]); }, []);
        return;
    }
    internal.timers.enqueue(() => { ReflectApply(callback, receiver, [null, value]); }, []);
}

const deprecationCodes = new SafeSet();

function deprecate(fn, msg, code) {
    requireFunction(fn, 'fn');
    if (code !== undefined) requireString(code, 'code');
    let told = false;
    function deprecated(...args) {
        if (!told) {
            told = true;
            if (code === undefined || !deprecationCodes.has(code)) {
                if (code !== undefined) deprecationCodes.add(code);
                process.emitWarning(msg, 'DeprecationWarning', code);
            }
        }
        return new.target !== undefined ? ReflectConstruct(fn, args, new.target) : ReflectApply(fn, this, args);
    }
    ObjectSetPrototypeOf(deprecated, fn);
    if (fn.prototype !== undefined) deprecated.prototype = fn.prototype;
    ObjectDefineProperty(deprecated, 'length', { __proto__: null, value: fn.length, writable: false, enumerable: false, configurable: true });
    return deprecated;
}

function inherits(ctor, superCtor) {
    if (ctor === undefined || ctor === null) throw invalidType('ctor', 'of type function', ctor);
    if (superCtor === undefined || superCtor === null) throw invalidType('superCtor', 'of type function', superCtor);
    if (superCtor.prototype === undefined) throw invalidType('superCtor.prototype', 'of type object', superCtor.prototype);
    ObjectDefineProperty(ctor, 'super_', { __proto__: null, value: superCtor, writable: true, enumerable: true, configurable: true });
    ObjectSetPrototypeOf(ctor.prototype, superCtor.prototype);
}

// ---- Debugging by NODE_DEBUG ----

const sections = new SafeMap();

/** NODE_DEBUG has names with "*", separated by commas. */
function isDebugged(section) {
    const wanted = process.env.NODE_DEBUG;
    if (typeof wanted !== 'string' || wanted === '') return false;
    const parts = internal.text.split(wanted, ',');
    for (let i = 0; i < parts.length; i++) if (matchesPattern(StringPrototypeToUpperCase(StringPrototypeTrim(parts[i])), section)) return true;
    return false;
}

function matchesPattern(pattern, text) {
    const star = StringPrototypeIndexOf(pattern, '*');
    if (star < 0) return pattern === text;
    if (!StringPrototypeStartsWith(text, StringPrototypeSlice(pattern, 0, star))) return false;
    const rest = StringPrototypeSlice(pattern, star + 1);
    for (let i = star; i <= text.length; i++) if (matchesPattern(rest, StringPrototypeSlice(text, i))) return true;
    return false;
}

function debuglog(section, callback) {
    section = StringPrototypeToUpperCase(`${section}`);
    let enabled = sections.get(section);
    if (enabled === undefined) {
        enabled = isDebugged(section);
        sections.set(section, enabled);
    }
    let told = false;
    const log = (...args) => {
        if (!told) {
            told = true;
            if (typeof callback === 'function') callback(log);
        }
        if (enabled) ops.print(2, `${section} ${process.pid}: ${internal.formatWithOptions(args, internal.plainInspect)}\n`);
    };
    ObjectDefineProperty(log, 'enabled', { __proto__: null, get: () => enabled, enumerable: true, configurable: true });
    return log;
}

// ---- Others ----

async function aborted(signal, resource) {
    if (!internal.events.isSignal(signal)) throw invalidType('signal', 'an instance of AbortSignal', signal);
    requireObject(resource, 'resource');
    if (signal.aborted) return undefined;
    return await new Promise((resolve) => { internal.events.addAbortAlgorithm(signal, () => { resolve(undefined); }); });
}

/** Lines NAME=value, as in a .env file. */
function parseEnv(content) {
    requireString(content, 'content');
    const result = {};
    const linePattern = /^[ \t]*(?:export[ \t]+)?([^=\s#][^=\n]*?)[ \t]*=[ \t]*(?:"([^"]*)"|'([^']*)'|`([^`]*)`|([^\n#]*))[^\n]*$/m;
    let rest = content;
    for (let match = RegExpPrototypeExec(linePattern, rest); match !== null; match = RegExpPrototypeExec(linePattern, rest)) {
        const value = match[2] !== undefined ? withNewlines(match[2]) : match[3] ?? match[4] ?? StringPrototypeTrim(match[5] ?? '');
        ObjectDefineProperty(result, match[1], { __proto__: null, value, writable: true, enumerable: true, configurable: true });
        rest = StringPrototypeSlice(rest, match.index + match[0].length);
    }
    return result;
}

/** "\n" within double quotes is a line feed. */
function withNewlines(text) {
    return ArrayPrototypeJoin(internal.text.split(text, '\\n'), '\n');
}

function _extend(target, source) {
    if (source === null || typeof source !== 'object') return target;
    const keys = ObjectKeys(source);
    for (let i = 0; i < keys.length; i++) target[keys[i]] = source[keys[i]];
    return target;
}

const exports = {
    _extend, aborted, callbackify, debug: debuglog, debuglog, deprecate, format, styleText, formatWithOptions, inherits, inspect,
    isArray: ArrayIsArray,
    isDeepStrictEqual(a, b, options) { return isDeepStrictEqual(a, b, options); },
    promisify, stripVTControlCharacters,
    toUSVString: (string) => internal.webidl.toUSVString(`${string}`),
    types, parseEnv,
    parseArgs: internal.load('util_parse_args'),
    TextDecoder, TextEncoder,
};
return withDefault(exports);
