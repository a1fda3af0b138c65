'use strict';
// @ts-check
// WASI preview 1: commands that the host runs (`sidelight run x.wasm`), and node:wasi for programs.
// <https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md>
//
// The functions are native (Sources/Platform/WASI). What is here hands them the module's memory, which may be another buffer after each call that grows it.

const {
    FinalizationRegistry, FinalizationRegistryPrototypeRegister, ObjectKeys, ReflectGetOwnPropertyDescriptor, StringPrototypeIncludes,
    StringPrototypeSplit, TypeError, arrayFromIterable, uncurryThis,
} = primordials;
const { toDictionary } = internal.webidl;

/** The buffer of a WebAssembly.Memory; throws on a stranger. */
let bufferOf;
let CompileError;
internal.whenComplete(() => {
    ({ CompileError } = globalThis.WebAssembly);
    bufferOf = uncurryThis(ReflectGetOwnPropertyDescriptor(globalThis.WebAssembly.Memory.prototype, 'buffer').get);
});

const badDescriptor = 8, fault = 21; // errno

/**
 * The import object's part for one instance. `state.memory` is set once there is an instance.
 * @param {{number: number, memory: object | undefined}} state @param {(code: number) => never} exit
 */
function makeImports(state, exit) {
    const imports = { proc_exit(code) { exit(code); } };
    const names = StringPrototypeSplit(ops.wasiNames(), '\n');
    for (let i = 0; i < names.length - 1; i++) {
        const method = {
            [names[i]](a, b, c, d, e, f, g, h, j) {
                const { memory, number } = state;
                if (number === 0) return badDescriptor;
                if (memory === undefined) return fault;
                return ops.wasiCall(number, i, bufferOf(memory), a, b, c, d, e, f, g, h, j);
            },
        };
        imports[names[i]] = method[names[i]];
    }
    return imports;
}

/** The memory that an instance exports. */
function memoryOf(exports) {
    const { memory } = exports;
    bufferOf(memory);
    return memory;
}

/** Texts as ops.wasiCreate takes them. */
function joined(list, what) {
    let text = '';
    for (let i = 0; i < list.length; i++) {
        if (StringPrototypeIncludes(list[i], '\0')) throw new TypeError(`WASI: ${what} must not have NUL in them`);
        text += `${list[i]}\0`;
    }
    return text;
}

internal.wasi = {
    /** Runs a command to its end. @param {Uint8Array} bytes @param {string} path for messages; the rest as ops.wasiCreate takes it */
    async run(bytes, path, args, env, folders) {
        let module;
        try {
            module = await internal.wasm.compile(bytes);
        } catch (error) {
            const failure = internal.withoutStack(new CompileError(`${path}: ${error.message}`), 'CompileError');
            if (!ops.isAllowed('wasm', '')) internal.findings?.mark(failure);
            throw failure;
        }
        const state = { number: ops.wasiCreate(args, env, folders), memory: undefined };
        const imports = { wasi_snapshot_preview1: makeImports(state, (code) => ops.exit(code)) };
        const { exports } = await internal.wasm.instantiate(module, imports);
        const { _start } = exports;
        if (typeof _start !== 'function') throw new TypeError(`${path} is no WASI command: it exports no function _start`);
        try {
            state.memory = memoryOf(exports);
        } catch {
            throw new TypeError(`${path} is no WASI command: it exports no memory`);
        }
        _start();
    },
};

// ---- node:wasi (https://nodejs.org/docs/latest-v20.x/api/wasi.html) ----

/** Closes what a WASI that is gone had open. Made when it is first needed: a snapshot cannot hold it. */
let closing;

/** What proc_exit throws, to leave the module. Nobody else can have it. */
const exiting = { __proto__: null };

class WASI {
    #state = { number: 0, memory: undefined };
    #returns;
    #code = 0;
    #started = false;

    constructor(options = {}) {
        const { version, args, env, preopens, returnOnExit = true } = toDictionary(options, 'The WASI options') ?? {};
        if (version !== 'preview1') throw new TypeError('WASI: options.version must be "preview1"');
        const list = [];
        if (args !== undefined) {
            const given = arrayFromIterable(args, 'WASI: options.args');
            for (let i = 0; i < given.length; i++) list[i] = `${given[i]}`;
        }
        const variables = pairs(env, (name, value) => [`${name}=${value}`]);
        const folders = pairs(preopens, (name, value) => [name, value]);
        this.#returns = returnOnExit !== false;
        const number = ops.wasiCreate(joined(list, 'arguments'), joined(variables, 'variables'), joined(folders, 'paths'));
        this.#state.number = number;
        closing ??= new FinalizationRegistry((gone) => ops.wasiClose(gone));
        FinalizationRegistryPrototypeRegister(closing, this, number);
        this.wasiImport = makeImports(this.#state, (code) => {
            if (!this.#returns) internal.leave(code);
            this.#code = code;
            throw exiting;
        });
    }

    getImportObject() { return { wasi_snapshot_preview1: this.wasiImport }; }

    /** Runs a command; its exit code. */
    start(instance) {
        const { _start, _initialize } = this.#begin(instance);
        if (typeof _start !== 'function' || _initialize !== undefined) throw new TypeError('WASI.start: the instance is no command: it must export _start and no _initialize');
        try {
            _start();
        } catch (error) {
            if (error !== exiting) throw error;
        }
        return this.#code;
    }

    initialize(instance) {
        const { _start, _initialize } = this.#begin(instance);
        if (_start !== undefined) throw new TypeError('WASI.initialize: the instance is a command: it exports _start');
        if (_initialize !== undefined) _initialize();
    }

    #begin(instance) {
        const exports = toDictionary(instance, 'The instance')?.exports;
        if (exports === null || typeof exports !== 'object') throw new TypeError('WASI: the instance has no exports');
        if (this.#started) throw internal.typeError('WASI instance has already started', 'ERR_WASI_ALREADY_STARTED');
        const memory = memoryOf(exports);
        this.#started = true;
        this.#state.memory = memory;
        return exports;
    }
}

/** Texts made of the entries of a plain object. */
function pairs(object, make) {
    const result = [];
    const given = toDictionary(object, 'WASI: an option');
    if (given === undefined) return result;
    const keys = ObjectKeys(given);
    for (let i = 0; i < keys.length; i++) {
        const made = make(keys[i], `${given[keys[i]]}`);
        for (let k = 0; k < made.length; k++) result[result.length] = made[k];
    }
    return result;
}

internal.builtins.set('node:wasi', () => ({ __proto__: null, WASI, default: { WASI } }));
