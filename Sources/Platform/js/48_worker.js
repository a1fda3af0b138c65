'use strict';
// @ts-check
// Workers (https://html.spec.whatwg.org/#workers): the Worker of a parent, and what a child finds on its global. The host makes thread and isolate.
//
// - The URL is a file's, a data: or a blob: URL. A relative one is of the script that makes the Worker. Without `type: 'module'` the file's own kind decides, as for an entry.
// - A child ends when its parent terminates it, when it calls close() or process.exit(), and when nothing is left that it could do: nobody listens for
//   messages, no timer is set, nothing is awaited of the host.
// - An error that nobody catches in a child is an event there, then one of the Worker; where nobody listens for that, it is the parent's own uncaught
//   error. The child goes on.

const {
    ArrayPrototypeJoin, Error, JSONParse, JSONStringify, Number, ObjectDefineProperty, ReflectSetPrototypeOf, SafeWeakMap,
    StringPrototypeLastIndexOf, StringPrototypeSlice, StringPrototypeSplit, StringPrototypeStartsWith, TypeError, cutOff,
} = primordials;
const { DOMException } = internal;
const { ErrorEvent, EventTarget, fire, host, listenerCount, watchGlobally } = internal.events;
const { handlerOf, post, received, receivers, setHandlerOf, toTransfer, words } = internal.messages;
const { noBytes } = internal.encoding;
const { refusal } = internal.limits;
const { refuse } = internal.serialization;
const { shortened } = internal.objectURL;
const { parse, serialize } = internal.url;
const { defineGlobal, defineInterface, requireArguments, shapeInterface, toDOMString, toDictionary, toUSVString } = internal.webidl;

const MESSAGE = 0, ERROR = 1;

// ---- The parent's side ----

const workers = new SafeWeakMap(); // Worker → its state

function stateOf(worker) {
    const state = workers.get(worker);
    if (state === undefined) throw new TypeError('Illegal invocation: the receiver is not a Worker');
    return state;
}

class WorkerState {
    constructor(id, worker) {
        this.id = id; // of the port to it
        this.worker = worker; // lives as long as the child
        this.isOver = false;
        this.handlers = { __proto__: null };
        internal.timers.addRef();
    }

    end() {
        if (this.isOver) return;
        this.isOver = true;
        receivers.delete(this.id);
        ops.workerTerminate(this.id);
        internal.timers.dropRef();
    }

    over() { this.end(); }

    receive(kind, data, ports, failed) {
        if (kind === MESSAGE) fire(this.worker, received(failed ? 'messageerror' : 'message', data, ports));
        else if (kind === ERROR) this.fail(failed ? { message: 'an error that cannot be cloned' } : data);
        else this.fail({ message: data, error: hostError(data) });
    }

    fail({ message, filename = '', lineno = 0, colno = 0, error = undefined }) {
        const event = new ErrorEvent('error', { cancelable: true, message, filename, lineno, colno, error: error ?? null });
        const isHeard = listenerCount(this.worker, 'error') > 0;
        if (fire(this.worker, event) && !isHeard) internal.reportError(error ?? hostError(message));
    }
}
cutOff(WorkerState);

/** Not of the program's making, so without a stack. */
const hostError = (message) => internal.stackless(() => new Error(message));

/** https://html.spec.whatwg.org/#workeroptions */
function toOptions(options) {
    options = toDictionary(options, 'Worker: the options');
    if (options === undefined) return { name: '', type: 'classic' };
    const { credentials, name, type } = options;
    if (credentials !== undefined) oneOf(toDOMString(credentials), ['omit', 'same-origin', 'include'], 'credentials');
    const kind = type === undefined ? 'classic' : oneOf(toDOMString(type), ['classic', 'module'], 'type');
    return { name: name === undefined ? '' : toDOMString(name), type: kind };
}

function oneOf(value, values, what) {
    for (let i = 0; i < values.length; i++) if (values[i] === value) return value;
    throw new TypeError(`Worker: ${what} is '${value}', which is none of ${ArrayPrototypeJoin(values, ', ')}`);
}

/** The URL of a script's name, which is a path mostly. */
function urlOfScript(name) {
    return StringPrototypeStartsWith(name, '/') ? `file://${ArrayPrototypeJoin(StringPrototypeSplit(name, '%'), '%25')}` : name;
}

/** `from`: the script that asks. */
function toURL(text, from) {
    const base = parse(urlOfScript(from), null);
    const url = parse(text, base);
    if (url === null) throw new DOMException(`'${text}' is not a URL of a Worker`, 'SyntaxError');
    if (url.protocol === 'file:' || isInline(url)) return url;
    throw new DOMException(`'${serialize(url, false)}' cannot be a Worker: only files and data: and blob: URLs can`, 'NotSupportedError');
}

const isInline = (url) => url.protocol === 'data:' || url.protocol === 'blob:';

/** https://html.spec.whatwg.org/#worker */
class Worker extends EventTarget {
    constructor(url, options = undefined) { // eslint-disable-line
        internal.policy?.check('worker');
        requireArguments(arguments.length, 1, 'Worker');
        const text = toUSVString(url);
        const { name, type } = toOptions(options);
        const from = ops.callingScript() ?? internal.entry ?? '/';
        const record = toURL(text, from);
        const href = serialize(record, false);
        // Of a blob: URL, which may be revoked at once. Where there is none, the child fails with what is to be said.
        const source = isInline(record) ? internal.objectURL.sourceOf(record, type === 'module' ? '' : 'any') : undefined;
        const isMissing = typeof source === 'string';
        const cells = words();
        const tail = internal.messageContext?.put(cells);
        let context = '';
        for (let i = 0; i < 8; i++) context += `${i === 0 ? '' : ','}${cells[i]}`;
        const configuration = JSONStringify({
            __proto__: null, url: href, from, name, type, start: internal.now() * 1e6, context: StringPrototypeSplit(context, ','), text: tail ?? '',
            missing: isMissing ? source : undefined,
        });
        // Whatever can throw comes before the child does, which nobody could end otherwise.
        const worker = ops.hostObject(-1);
        ReflectSetPrototypeOf(worker, new.target.prototype);
        let id;
        try {
            id = ops.workerStart(configuration, isMissing ? noBytes : source);
        } catch (error) {
            throw refusal('workers', 'exceededWorkers', error.message);
        }
        const state = new WorkerState(id, worker);
        workers.set(worker, state);
        host(worker, undefined);
        receivers.set(id, state);
        ops.messageEnable(id);
        return worker;
    }

    postMessage(message, transfer = undefined) {
        const state = stateOf(this);
        requireArguments(arguments.length, 1, 'postMessage');
        post(state.id, message, toTransfer(transfer, 'postMessage'), this);
    }
    terminate() { stateOf(this).end(); }
    get onmessage() { return handlerOf(stateOf(this).handlers, 'message'); }
    set onmessage(value) { setHandlerOf(this, stateOf(this).handlers, 'message', value); }
    get onmessageerror() { return handlerOf(stateOf(this).handlers, 'messageerror'); }
    set onmessageerror(value) { setHandlerOf(this, stateOf(this).handlers, 'messageerror', value); }
    get onerror() { return handlerOf(stateOf(this).handlers, 'error'); }
    set onerror(value) { setHandlerOf(this, stateOf(this).handlers, 'error', value); }
}
defineInterface(Worker);

// ---- The child's side ----

class WorkerGlobalScope extends EventTarget {
    constructor() { // eslint-disable-line
        throw new TypeError('Illegal constructor');
    }
}
class DedicatedWorkerGlobalScope extends WorkerGlobalScope {}
shapeInterface(WorkerGlobalScope);
shapeInterface(DedicatedWorkerGlobalScope);

/** Of a child: {inside, hasRun, isEvaluated, isEnabled, isReferenced, handlers}. */
let scope;

/** Whether messages are handed out, and whether listening for them keeps the child alive. */
function settle() {
    const listens = listenerCount(globalThis, 'message') > 0;
    // Who listens for messages gets them while a top-level await still waits; else they wait for the code that will.
    if (!scope.isEnabled && scope.hasRun && (scope.isEvaluated || listens)) {
        scope.isEnabled = true;
        ops.messageEnable(scope.inside);
    }
    if (listens === scope.isReferenced) return;
    scope.isReferenced = listens;
    if (listens) internal.timers.addRef(); else internal.timers.dropRef();
}

function defineAttribute(name, get, set) {
    ObjectDefineProperty(globalThis, name, { __proto__: null, get, set, enumerable: true, configurable: true });
}

function defineHandler(type) {
    defineAttribute(`on${type}`, () => handlerOf(scope.handlers, type), (value) => setHandlerOf(globalThis, scope.handlers, type, value));
}

function defineOperation(name, value) {
    ObjectDefineProperty(globalThis, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
}

function defineScope(name) {
    defineGlobal('WorkerGlobalScope', WorkerGlobalScope);
    defineGlobal('DedicatedWorkerGlobalScope', DedicatedWorkerGlobalScope);
    ReflectSetPrototypeOf(globalThis, DedicatedWorkerGlobalScope.prototype);
    watchGlobally((type) => { if (type === 'message') settle(); });
    defineAttribute('name', () => name, (value) => {
        // [Replaceable]
        ObjectDefineProperty(globalThis, 'name', { __proto__: null, value, writable: true, enumerable: true, configurable: true });
    });
    defineOperation('postMessage', function postMessage(message, transfer = undefined) {
        requireArguments(arguments.length, 1, 'postMessage');
        post(scope.inside, message, toTransfer(transfer, 'postMessage'), undefined);
    });
    defineOperation('close', function close() {
        internal.messages.close();
        ops.workerClose();
    });
    defineHandler('message');
    defineHandler('messageerror');
}

// ---- Errors of a child ----

/** The global object's listeners have had their turn (internal.fireError). https://html.spec.whatwg.org/#runtime-script-errors-2 */
function survive(error, where) {
    const message = `Uncaught ${internal.errorHeading(error)}`;
    const { script: filename, line: lineno, column: colno } = internal.placeOf(error, where);
    const { trace } = internal;
    if (trace !== undefined) {
        const span = trace.activeSpan() ?? trace.runSpan;
        trace.error(error, span);
        // What nobody caught is the child's error as well.
        if (trace.runSpan !== undefined && span !== trace.runSpan) trace.fail(trace.runSpan, error);
    }
    internal.messageContext?.put(words());
    const told = { __proto__: null, message, filename, lineno, colno, error };
    try {
        ops.workerError(told, undefined, refuse);
    } catch {
        delete told.error;
        ops.workerError(told);
    }
    return true;
}

// ---- What the host calls ----

/** The child's span. */
function begin({ url, name, start, context, text }, isolate, thread) {
    const tracing = internal.messageContext;
    if (tracing === undefined) return;
    const cells = words();
    for (let i = 0; i < 8; i++) cells[i] = Number(context[i]);
    const known = shortened(url);
    const short = StringPrototypeStartsWith(url, 'data:') ? 'data:' : StringPrototypeSlice(known, StringPrototypeLastIndexOf(known, '/') + 1);
    tracing.begin(name === '' ? short : name, tracing.take(cells, text), start, {
        'url.full': known, 'sidelight.worker.name': name, 'sidelight.isolate.id': isolate, 'thread.id': thread,
    });
}

internal.worker = {
    isChild: () => scope !== undefined,

    /** @param {string} text what the parent's constructor wrote @param {number} inside the port to the parent */
    start(text, inside, isolate, thread) {
        const configuration = JSONParse(text);
        const { url, name, missing } = configuration;
        scope = { __proto__: null, inside, hasRun: false, isEvaluated: false, isEnabled: false, isReferenced: false, handlers: { __proto__: null } };
        receivers.set(inside, {
            __proto__: null, isChild: true, over() {},
            receive(kind, data, ports, failed) { fire(globalThis, received(failed ? 'messageerror' : 'message', data, ports)); },
        });
        defineScope(name);
        internal.survive = survive;
        begin(configuration, isolate, thread);
        if (missing !== undefined) throw hostError(`cannot load '${shortened(url)}': ${missing}`);
    },

    /** The entry's code has run, but for what awaits. */
    ran() {
        scope.hasRun = true;
        settle();
    },

    /** And that, too. */
    evaluated() {
        scope.isEvaluated = true;
        settle();
    },

    end(how, failure) { internal.messageContext?.end(how, failure); },
};
