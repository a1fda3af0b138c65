'use strict';
// @ts-check
// What the host (Sources/Runtime) calls. Its arguments are plain values, so that the host need not build objects.

const { Error, JSONParse, ReflectDeleteProperty, RegExpPrototypeExec, SafeMap, SyntaxError, TypeError } = primordials;

const kinds = new SafeMap();
kinds.set('Error', Error);
kinds.set('SyntaxError', SyntaxError);
kinds.set('TypeError', TypeError);

/** An error of the host's making: no frame of ours in its stack. */
function makeError(kind, message, code) {
    const Class = kinds.get(kind);
    const error = internal.stackless(() => new Class(message));
    if (code === 'ERR_LIMIT_EXCEEDED') internal.limits.mark(error, 'exceededModules');
    if (code !== undefined) {
        internal.withCode(error, code);
        // As Node shows it: the code belongs to the name.
        error.stack = `${kind} [${code}]: ${message}`;
    }
    return error;
}

internal.host = {
    /** The realm is out of the snapshot. Takes the host's own handover property off the global. */
    attach(name) {
        ReflectDeleteProperty(globalThis, name);
        internal.complete();
    },

    /** @param {string} text the configuration as JSON, @param {ArrayBuffer | null} ring */
    start(text, ring) {
        const config = JSONParse(text);
        config.ring = ring;
        internal.start(config);
    },

    makeError,

    /** Calls ops.promiseSettled(token[, reason]) when the promise has settled; counts as its handler. */
    async observe(promise, token) {
        try {
            await promise;
        } catch (reason) {
            ops.promiseSettled(token, reason);
            return;
        }
        ops.promiseSettled(token);
    },

    /** @returns {{default: unknown}} the exports of a JSON module (https://tc39.es/proposal-json-modules/) */
    parseJSON(text, name) {
        try {
            return { __proto__: null, default: JSONParse(text) };
        } catch (error) {
            throw makeError('SyntaxError', `${name}: ${error.message}`, undefined);
        }
    },

    /** The source of a module that a data: or blob: URL has. @param {string} type '' or 'json' @returns {Uint8Array} */
    inlineSource(text, type) {
        const url = internal.url.parse(text, null);
        const source = url === null ? 'it is no URL' : internal.objectURL.sourceOf(url, type);
        if (typeof source === 'string') throw makeError('TypeError', `Cannot import '${internal.text.cut(text, 80)}': ${source}`, 'ERR_MODULE_NOT_FOUND');
        return source;
    },

    /** @returns {{default: WebAssembly.Module}} the exports of a module of WebAssembly */
    compileWasm(bytes, name) { return { __proto__: null, default: internal.wasm.compileFile(bytes, name) }; },

    /** Names joined by line feeds: a specifier or an export's name holds none. */
    builtinNames() { return join(internal.builtinNames()); },
    builtinExports(name) { return join(internal.builtinExports(name)); },

    /** internal.uncaught with what V8 says about the place; line 0 when it says nothing. */
    uncaught(error, script, line, column, endColumn, sourceLine) {
        const context = internal.uncaughtContext ?? ops.context();
        internal.uncaughtContext = undefined;
        const where = line > 0 ? { script, line, column, endColumn, sourceLine } : undefined;
        const taken = within(context, () => internal.uncaught(error, where));
        if (!taken && internal.types.isError(error)) explain(error);
        return taken;
    },

    /** internal.unhandledRejection in the context that the promise was rejected in. */
    unhandledRejection(reason, promise, context) { return within(context, () => internal.unhandledRejection(reason, promise)); },

    /** The error that nobody took last, in a line. */
    lastFailure: () => internal.lastFailure,

    /** Whether the policy's refusal was that error. */
    lastFailureIsRefusal: () => internal.lastFailureIsRefusal,

    /** A module has run, or failed on the way. Times are ring times; 0: the step did not happen. */
    moduleLoaded(
        specifier, url, resolveStart, resolveEnd, loadStart, loadEnd, compileStart, compileEnd, evaluateStart, evaluateEnd, bytes, cached, error,
    ) {
        const { shortened } = internal.objectURL;
        internal.trace.module({
            specifier: shortened(specifier), url: shortened(url),
            resolveStart, resolveEnd, loadStart, loadEnd, compileStart, compileEnd, evaluateStart, evaluateEnd, bytes, cached, error,
        });
    },

    /** The tracing context that is current, for inContext. */
    context: ops.context,

    /** Lets the host go on with an import() in the context it was called in. */
    inContext(context, token) { within(context, () => ops.continueImport(token)); },
};

function within(context, body) {
    const before = ops.enter(context);
    try {
        return body();
    } finally {
        ops.setContext(before);
    }
}

const commonJS = /^(?:require|module|exports|__filename|__dirname) is not defined$/;

/** A line for those who come from CommonJS. */
function explain(error) {
    let message;
    try { message = error.message; } catch { return; }
    if (typeof message !== 'string' || RegExpPrototypeExec(commonJS, message) === null) return;
    ops.print(2, '\nCommonJS is not supported: use import, import() and import.meta, in a .mjs file or with "type": "module" in package.json.\n');
}

function join(names) {
    let text = '';
    for (let i = 0; i < names.length; i++) text += names[i] + '\n';
    return text;
}
