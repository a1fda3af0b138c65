'use strict';
// @ts-check
// A small `process` object with Node's names, for scripts that ask where they run. docs/specs/platform.md lists what is there; nothing else is.

const {
    ArrayBufferIsView, ArrayPrototypeIndexOf, ArrayPrototypePush, ArrayPrototypeSlice, ArrayPrototypeSplice, BigInt, Error, Float64Array,
    MathFloor, NumberIsInteger, ObjectDefineProperty, ObjectFreeze, ObjectKeys, Proxy, ReflectApply, ReflectDefineProperty, ReflectGetOwnPropertyDescriptor, ReflectHas,
    SafeMap, String,
    SymbolToStringTag, TypeError, Uint8Array,
} = primordials;
const { defineGlobal } = internal.webidl;
const { inspect } = internal;

// ---- Events: on('exit'), on('uncaughtException'), on('unhandledRejection') are acted on; other names are kept and never emitted ----

/** Event name → listeners, each {listener, once}. */
const listeners = new SafeMap();

function add(name, listener, once, first) {
    if (typeof listener !== 'function') {
        throw internal.typeError(`The "listener" argument must be of type function. Received ${inspect(listener)}`, 'ERR_INVALID_ARG_TYPE');
    }
    let list = listeners.get(name);
    if (list === undefined) {
        list = [];
        listeners.set(name, list);
    }
    if (first) ArrayPrototypeSplice(list, 0, 0, { listener, once }); else ArrayPrototypePush(list, { listener, once });
}

function remove(name, listener) {
    const list = listeners.get(name);
    if (list === undefined) return;
    for (let i = list.length - 1; i >= 0; i--) {
        if (list[i].listener === listener) {
            ArrayPrototypeSplice(list, i, 1);
            return;
        }
    }
}

/** @returns {boolean} whether anybody listened */
function emit(name, args) {
    const list = listeners.get(name);
    if (list === undefined || list.length === 0) return false;
    const turn = ArrayPrototypeSlice(list);
    for (let i = 0; i < turn.length; i++) {
        const entry = turn[i];
        if (entry.once) {
            const at = ArrayPrototypeIndexOf(list, entry);
            if (at < 0) continue;
            ArrayPrototypeSplice(list, at, 1);
        }
        ReflectApply(entry.listener, process, args);
    }
    return true;
}

/** A listener for what went wrong that itself throws ends the run with its own error. */
function emitGuarded(name, args) {
    if (failing) return false;
    failing = true;
    try {
        return emit(name, args);
    } catch (error) {
        internal.onUncaught = () => false;
        internal.uncaughtByNobody(error);
        leave(7);
        return true;
    } finally {
        failing = false;
    }
}
let failing = false;

internal.onUncaught = (error, origin) => emitGuarded('uncaughtException', [error, origin]);
internal.onRejection = (reason, promise) => emitGuarded('unhandledRejection', [reason, promise]);
internal.onRejectionHandled = (promise) => { emitGuarded('rejectionHandled', [promise]); };

// ---- Leaving ----

let exitCode;
let leaving = false;

function toExitCode(value) {
    if (value === undefined || value === null) return undefined;
    const code = typeof value === 'string' && value !== '' ? +value : value;
    if (!NumberIsInteger(code)) {
        throw internal.typeError(`The "code" argument must be of type number. Received ${inspect(value)}`, 'ERR_INVALID_ARG_TYPE');
    }
    return code;
}

/** Emits 'exit' once; the code the run ends with. */
function finish(code) {
    if (code !== undefined) exitCode = code;
    if (!leaving) {
        leaving = true;
        emit('exit', [exitCode ?? 0]);
    }
    return exitCode ?? 0;
}

function leave(code) {
    ops.exit(finish(code) & 255);
}

/** Ends the run with this code; does not return. */
internal.leave = leave;

/**
 * The loop has nothing left to do, or the run failed: 'exit' listeners run. An exception of theirs passes to the host.
 * @param {number} [code] given when the run failed
 * @returns {number} the exit code
 */
internal.finish = (code) => finish(code) & 255;

// ---- What is known at start ----

function coerce(value) {
    if (typeof value === 'symbol') throw new TypeError('Cannot convert a Symbol value to a string');
    return `${value}`;
}

/** A copy of the environment; what is assigned becomes a string, as an environment holds nothing else. */
function makeEnvironment(variables) {
    const values = {};
    const keys = ObjectKeys(variables);
    for (let i = 0; i < keys.length; i++) values[keys[i]] = variables[keys[i]];
    const handler = {
        __proto__: null,
        set(target, key, value) {
            const descriptor = { value: coerce(value), writable: true, enumerable: true, configurable: true };
            return ReflectDefineProperty(target, key, descriptor);
        },
        defineProperty(target, key, descriptor) {
            if ('value' in descriptor) descriptor.value = coerce(descriptor.value);
            return ReflectDefineProperty(target, key, descriptor);
        },
    };
    if (internal.policy?.isWatching()) watch(handler);
    return new Proxy(values, handler);
}

/** Has the policy hear of each variable that the program looks at. */
function watch(handler) {
    handler.get = (target, key) => {
        internal.policy.looksAt(key);
        return target[key];
    };
    handler.has = (target, key) => {
        internal.policy.looksAt(key);
        return ReflectHas(target, key);
    };
    handler.getOwnPropertyDescriptor = (target, key) => {
        internal.policy.looksAt(key);
        return ReflectGetOwnPropertyDescriptor(target, key);
    };
}

class Output {
    constructor(fd) {
        this.fd = fd;
        this.writable = true;
    }

    /** Written when it returns. Bytes are taken as UTF-8. */
    write(chunk, encoding, callback) {
        let text = chunk;
        if (typeof chunk !== 'string') {
            if (!ArrayBufferIsView(chunk)) {
                throw internal.typeError(
                    `The "chunk" argument must be of type string or an instance of Uint8Array. Received ${inspect(chunk)}`, 'ERR_INVALID_ARG_TYPE');
            }
            text = ops.decodeUtf8(chunk, false, true);
        }
        ops.print(this.fd, text);
        if (typeof encoding === 'function') callback = encoding;
        if (typeof callback === 'function') internal.timers.enqueue(callback, []);
        return true;
    }

    end(chunk) {
        if (chunk !== undefined && chunk !== null) this.write(chunk);
    }
}

// ---- The object ----

function hrtime(previous) {
    const now = internal.now();
    let seconds = MathFloor(now / 1000);
    let nanoseconds = MathFloor((now - seconds * 1000) * 1e6);
    if (previous !== undefined) {
        seconds -= previous[0];
        nanoseconds -= previous[1];
        if (nanoseconds < 0) { seconds--; nanoseconds += 1e9; }
    }
    return [seconds, nanoseconds];
}
hrtime.bigint = () => BigInt(MathFloor(internal.now() * 1e6));

const process = {
    title: 'sidelight',
    version: '',
    versions: {},
    arch: '',
    platform: '',
    argv: [],
    execArgv: [],
    execPath: '',
    env: {},
    pid: 0,
    ppid: 0,
    release: { name: 'sidelight' },
    stdout: new Output(1),
    stderr: new Output(2),

    exit(code) {
        const wanted = toExitCode(code);
        leave(wanted);
        // ops.exit ends execution; should a host return, nothing may run on.
        throw new Error('process.exit did not end the run');
    },
    cwd() { return ops.cwd(); },
    hrtime,
    uptime() { return internal.now() / 1000; },
    memoryUsage() {
        const figures = new Float64Array(5);
        ops.memoryUsage(figures);
        return { rss: figures[0], heapTotal: figures[1], heapUsed: figures[2], external: figures[3], arrayBuffers: figures[4] };
    },
    nextTick(callback, ...args) {
        if (typeof callback !== 'function') {
            throw internal.typeError(`The "callback" argument must be of type function. Received ${inspect(callback)}`, 'ERR_INVALID_ARG_TYPE');
        }
        internal.timers.enqueue(callback, args);
    },
    /** https://nodejs.org/api/process.html#processemitwarningwarning-options: printed at once; 'warning' is emitted after the running code. */
    emitWarning(warning, type, code) {
        let detail;
        if (type !== null && typeof type === 'object') ({ type, code, detail } = type);
        if (typeof code !== 'string') code = undefined;
        let error = warning;
        if (typeof warning === 'string') {
            error = new Error(warning);
            ObjectDefineProperty(error, 'name', {
                __proto__: null, value: typeof type === 'string' ? type : 'Warning', writable: true, enumerable: false, configurable: true,
            });
            if (code !== undefined) error.code = code;
            if (typeof detail === 'string') error.detail = detail;
        } else if (!internal.types.isError(warning)) {
            throw internal.typeError(`The "warning" argument must be of type string or an instance of Error. Received ${inspect(warning)}`, 'ERR_INVALID_ARG_TYPE');
        }
        if (error.name === 'DeprecationWarning' && process.noDeprecation) return;
        const label = typeof error.code === 'string' ? `[${error.code}] ` : '';
        const more = typeof error.detail === 'string' ? `\n${error.detail}` : '';
        ops.print(2, `(sidelight:${process.pid}) ${label}${String(error.name)}: ${String(error.message)}${more}\n`);
        internal.timers.enqueue(() => { emit('warning', [error]); }, []);
    },

    on(name, listener) { add(name, listener, false, false); return process; },
    addListener(name, listener) { add(name, listener, false, false); return process; },
    once(name, listener) { add(name, listener, true, false); return process; },
    prependListener(name, listener) { add(name, listener, false, true); return process; },
    off(name, listener) { remove(name, listener); return process; },
    removeListener(name, listener) { remove(name, listener); return process; },
    removeAllListeners(name) {
        if (name === undefined) listeners.clear(); else listeners.delete(name);
        return process;
    },
    emit(name, ...args) { return emit(name, args); },
    listenerCount(name) { return listeners.get(name)?.length ?? 0; },
    listeners(name) {
        const list = listeners.get(name) ?? [];
        const result = [];
        for (let i = 0; i < list.length; i++) ArrayPrototypePush(result, list[i].listener);
        return result;
    },
};
ObjectDefineProperty(process, 'exitCode', {
    __proto__: null, enumerable: true, configurable: false,
    get() { return exitCode; },
    set(value) { exitCode = toExitCode(value); },
});
ObjectDefineProperty(process, SymbolToStringTag, { __proto__: null, value: 'process', writable: false, enumerable: false, configurable: true });
process.memoryUsage.rss = () => process.memoryUsage().rss;
defineGlobal('process', process);

internal.process = {
    /** @param {object} config see 90_start.js */
    start(config) {
        process.argv = config.argv;
        process.execPath = config.argv[0] ?? '';
        process.env = makeEnvironment(config.env);
        process.pid = config.pid;
        process.ppid = config.ppid;
        process.platform = config.platform;
        process.arch = config.arch;
        process.versions = ObjectFreeze({ ...config.versions });
        process.version = `v${config.versions.sidelight}`;
        if (config.title !== undefined) process.title = config.title;
        const terminals = config.terminals ?? config.colors;
        process.stdout.isTTY = terminals?.stdout === true;
        process.stderr.isTTY = terminals?.stderr === true;
    },
};

// Node's module has each member by name, too. What start() replaces must be read when it is imported.
internal.builtins.set('node:process', () => ({ ...process, default: process }));
