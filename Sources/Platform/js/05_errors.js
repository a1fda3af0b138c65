'use strict';
// @ts-check
// DOMException (https://webidl.spec.whatwg.org/#idl-DOMException) and the way out for errors that nobody caught.

const {
    Error, ErrorCaptureStackTrace, ErrorPrototype, ObjectDefineProperty, ObjectSetPrototypeOf, ReflectDefineProperty, ReflectDeleteProperty, ReflectGetOwnPropertyDescriptor, TypeError,
} = primordials;
const { DOM_EXCEPTION, Stamp, defineSerializable, exempt, makeSerializable } = internal.serialization;
const { defineInterface, toDOMString } = internal.webidl;

// Name → legacy code (https://webidl.spec.whatwg.org/#dfn-error-names-table).
const codes = {
    __proto__: null,
    IndexSizeError: 1, HierarchyRequestError: 3, WrongDocumentError: 4, InvalidCharacterError: 5, NoModificationAllowedError: 7, NotFoundError: 8,
    NotSupportedError: 9, InUseAttributeError: 10, InvalidStateError: 11, SyntaxError: 12, InvalidModificationError: 13, NamespaceError: 14,
    InvalidAccessError: 15, TypeMismatchError: 17, SecurityError: 18, NetworkError: 19, AbortError: 20, URLMismatchError: 21, QuotaExceededError: 22,
    TimeoutError: 23, InvalidNodeTypeError: 24, DataCloneError: 25,
};

const constants = {
    __proto__: null,
    INDEX_SIZE_ERR: 1, DOMSTRING_SIZE_ERR: 2, HIERARCHY_REQUEST_ERR: 3, WRONG_DOCUMENT_ERR: 4, INVALID_CHARACTER_ERR: 5, NO_DATA_ALLOWED_ERR: 6,
    NO_MODIFICATION_ALLOWED_ERR: 7, NOT_FOUND_ERR: 8, NOT_SUPPORTED_ERR: 9, INUSE_ATTRIBUTE_ERR: 10, INVALID_STATE_ERR: 11, SYNTAX_ERR: 12,
    INVALID_MODIFICATION_ERR: 13, NAMESPACE_ERR: 14, INVALID_ACCESS_ERR: 15, VALIDATION_ERR: 16, TYPE_MISMATCH_ERR: 17, SECURITY_ERR: 18,
    NETWORK_ERR: 19, ABORT_ERR: 20, URL_MISMATCH_ERR: 21, QUOTA_EXCEEDED_ERR: 22, TIMEOUT_ERR: 23, INVALID_NODE_TYPE_ERR: 24, DATA_CLONE_ERR: 25,
};

let isDOMException, payloadOf; // the latter throws on a stranger

class DOMExceptionState extends Stamp {
    #payload; // kind, message, name
    constructor(exception, payload) {
        super(exception);
        this.#payload = payload;
    }
    static {
        isDOMException = (value) => value !== null && typeof value === 'object' && #payload in value;
        payloadOf = (exception) => exception.#payload;
    }
}

class DOMException {
    constructor(message = '', name = 'Error') { // eslint-disable-line
        let cause;
        let hasCause = false;
        if (name !== null && typeof name === 'object') { // Node's second form, { name, cause }
            if ('cause' in name) { cause = name.cause; hasCause = true; }
            name = name.name === undefined ? 'Error' : name.name;
        }
        const payload = [DOM_EXCEPTION, toDOMString(message), toDOMString(name)];
        const exception = makeSerializable(new.target, DOMException, payload);
        new DOMExceptionState(exception, payload);
        if (hasCause) ObjectDefineProperty(exception, 'cause', { __proto__: null, value: cause, writable: true, enumerable: false, configurable: true });
        ErrorCaptureStackTrace(exception, DOMException);
        return exception;
    }

    get name() { return payloadOf(this)[2]; }
    get message() { return payloadOf(this)[1]; }
    get code() {
        const code = codes[payloadOf(this)[2]];
        return code === undefined ? 0 : code;
    }
}
ObjectSetPrototypeOf(DOMException.prototype, ErrorPrototype);
defineInterface(DOMException, constants);
exempt(DOMException);
defineSerializable(DOM_EXCEPTION, (exception, payload) => {
    const stack = payload[3];
    payload.length = 3;
    ObjectSetPrototypeOf(exception, DOMException.prototype);
    new DOMExceptionState(exception, payload);
    ObjectDefineProperty(exception, 'stack', { __proto__: null, value: stack, writable: true, enumerable: false, configurable: true });
});

/** @param {unknown} value */
internal.isDOMException = isDOMException;
internal.DOMException = DOMException;

/** The error, with a `code` as Node's have it: defined, not assigned, for a prototype's setter is the program's. */
internal.withCode = (error, code) => ObjectDefineProperty(error, 'code', { __proto__: null, value: code, writable: true, enumerable: true, configurable: true });

/** A TypeError with `code`, as Node's own argument errors have it. */
internal.typeError = (message, code) => internal.withCode(new TypeError(message), code);

/** The tracing context of the callback that runs, for the report should it throw: the host hears of that when the context is another one already. */
internal.uncaughtContext = undefined;

/** The listeners that process.on('uncaughtException' | 'unhandledRejection') set; 50_process.js replaces these. They tell whether somebody listened. */
internal.onUncaught = () => false;
internal.onRejection = () => false;
internal.onRejectionHandled = () => {};

/** A server outlives what one of its requests did, a child what one of its messages did: 44_serve.js and 48_worker.js replace this. It tells whether it
has recorded the error; `where` is as in internal.uncaught. */
internal.survive = (error, where) => false;

/**
 * An error that no JavaScript caught.
 * @param {unknown} error
 * @param {{script: string, line: number, column: number, endColumn?: number, sourceLine?: string}} [where] where it was thrown, as V8 tells it
 * @returns {boolean} true: a listener took it and the run goes on. False: it was printed and recorded, and the host ends the run with code 1
 */
internal.uncaught = (error, where) => {
    if (internal.fireError(error, where)) return true;
    return internal.uncaughtByNobody(error, where);
};

/** The same when the global object's listeners have had their turn. */
internal.uncaughtByNobody = (error, where) => {
    if (internal.onUncaught(error, 'uncaughtException') || internal.survive(error, where)) return true;
    fail(error, where);
    return false;
};

/** A rejection that had no handler when the microtasks had run. Same result as internal.uncaught. */
internal.unhandledRejection = (reason, promise) => {
    if (internal.fireUnhandledRejection(promise, reason)) return true;
    if (internal.onRejection(reason, promise)) return true;
    if (internal.onUncaught(reason, 'unhandledRejection')) return true;
    const error = isError(reason) ? reason : rejectionError(reason);
    if (internal.survive(error)) return true;
    fail(error, undefined);
    return false;
};

/** What the platform itself catches on behalf of user code (event listeners, microtasks): https://html.spec.whatwg.org/#report-an-exception. */
internal.reportError = (error) => {
    if (!internal.uncaught(error)) ops.exit(1);
};

function fail(error, where) {
    let text;
    try {
        text = internal.formatUncaught(error, where);
    } catch {
        text = 'Uncaught exception that could not be shown';
    }
    ops.print(2, text + '\n');
    internal.lastFailure = internal.failureText(error, where);
    internal.lastFailureIsRefusal = internal.findings !== undefined && internal.findings.isRefusal(error);
    const trace = internal.trace;
    internal.limits?.outcomeOf(error);
    if (trace !== undefined) trace.error(error, trace.runSpan); // what ends the run is the run's error
}

/** What `fail` said last, in a line. */
internal.lastFailure = '';
/** Whether it was the policy's doing. */
internal.lastFailureIsRefusal = false;

function isError(value) {
    return internal.types !== undefined && internal.types.isError(value);
}

/** Our own frames tell the program nothing. @param {Error} error of our making @param {string} heading what it is called @returns {Error} the same */
/**
 * What `make` makes, an error that no function of the program's is to blame for, without a stack: frames cost. `Error` is the program's to freeze, and to put a setter on.
 * @template T @param {() => T} make @returns {T}
 */
internal.stackless = (make) => {
    const before = ReflectGetOwnPropertyDescriptor(Error, 'stackTraceLimit');
    ReflectDefineProperty(Error, 'stackTraceLimit', { __proto__: null, value: 0, writable: true, enumerable: true, configurable: true });
    try {
        return make();
    } finally {
        if (before === undefined) ReflectDeleteProperty(Error, 'stackTraceLimit');
        else ReflectDefineProperty(Error, 'stackTraceLimit', { __proto__: null, ...before });
    }
};

internal.withoutStack = (error, heading = 'TypeError') => {
    error.stack = `${heading}: ${error.message}`;
    return error;
};

/** As Node words it, so that people who search for the sentence find it. */
function rejectionError(reason) {
    const error = internal.withoutStack(new Error(
        'This error originated either by throwing inside of an async function without a catch block, or by rejecting a promise which was not ' +
        `handled with .catch(). The promise rejected with the reason "${internal.inspect(reason)}".`), 'UnhandledPromiseRejection');
    ObjectDefineProperty(error, 'name', { __proto__: null, value: 'UnhandledPromiseRejection', writable: true, enumerable: false, configurable: true });
    error.code = 'ERR_UNHANDLED_REJECTION';
    return error;
}
