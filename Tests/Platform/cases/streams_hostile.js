// Streams work on, and nobody can watch their inside, when a program has patched promises, iterators and Object.prototype. No promise is used to look at
// the results: sinks note them.
import { done, same, test } from './assert.js';

const { defineProperty, getOwnPropertyDescriptor, setPrototypeOf } = Object;
const names = ['next', 'value', 'size', 'state', 'stream', 'reader', 'writer', 'controller', 'chunk', 'close', 'error', 'cancel', 'pull', 'resolve', 'reject', 'isBytes', 'isByob',
    'isSync', 'first', 'last', 'signal', 'highWaterMark', 'buffer', 'done', 'reason', 'preventCancel', 'get', 'set'];

function patch(note) {
    const undo = [];
    const replace = (target, key, descriptor) => {
        const before = getOwnPropertyDescriptor(target, key);
        if (before !== undefined) setPrototypeOf(before, null);
        setPrototypeOf(descriptor, null);
        descriptor.configurable = true;
        undo[undo.length] = () => { if (before === undefined) delete target[key]; else defineProperty(target, key, before); };
        defineProperty(target, key, descriptor);
    };
    replace(Promise.prototype, 'then', { value() { note('then'); } });
    replace(Promise.prototype, 'catch', { value() { note('catch'); } });
    replace(Promise.prototype, 'constructor', { get() { note('constructor'); return class {}; } });
    replace(Promise, Symbol.species, { get() { note('species'); } });
    replace(Promise, 'resolve', { value() { note('resolve'); } });
    replace(Promise, 'reject', { value() { note('reject'); } });
    replace(Array.prototype, Symbol.iterator, { value() { note('iterator'); } });
    replace(Function.prototype, 'call', { value() { note('call'); } });
    replace(Function.prototype, 'apply', { value() { note('apply'); } });
    replace(Object.prototype, 'then', { get() { note('Object.prototype.then'); }, set() { note('set then'); } });
    for (let i = 0; i < names.length; i++) {
        // Dictionaries of users are read, so a getter would be asked for those; a setter never.
        const value = undefined;
        replace(Object.prototype, names[i], { get() { return value; }, set() { note(`set ${names[i]}`); } });
    }
    return () => { for (let i = undo.length - 1; i >= 0; i--) undo[i](); };
}

/** Patches within a timer: whoever awaits the result has begun before. */
function hostile(run, ms = 20) {
    return new Promise((resolve, reject) => {
        setTimeout(() => {
            const noted = [];
            const out = [];
            const undo = patch((what) => { noted[noted.length] = what; });
            setTimeout(() => {
                undo();
                resolve([noted, out]);
            }, ms);
            try {
                run(out);
            } catch (error) {
                undo();
                reject(error);
            }
        }, 1);
    });
}

const sink = (out) => new WritableStream({ write(chunk) { out[out.length] = chunk; }, close() { out[out.length] = 'close'; }, abort(reason) { out[out.length] = `abort ${reason}`; } });

test('pipes, tees and transforms', async () => {
    same(await hostile((out) => {
        const source = new ReadableStream({ start(c) { c.enqueue('a'); }, pull(c) { c.close(); } });
        const first = source.pipeThrough(new TransformStream({ transform(chunk, c) { c.enqueue(chunk + '!'); } })).tee()[0];
        first.pipeTo(sink(out));
    }), [[], ['a!', 'close']]);
});
test('failures', async () => {
    same(await hostile((out) => {
        new ReadableStream({ pull() { throw 'boom'; } }).pipeThrough(new TransformStream()).pipeThrough(new TransformStream()).cancel;
        const failing = new ReadableStream({ pull() { throw 'boom'; } });
        const through = failing.pipeThrough({ readable: new ReadableStream(), writable: sink(out) });
        through.getReader();
    }), [[], ['abort boom']]);
});
test('byte streams', async () => {
    same(await hostile((out) => {
        const stream = new ReadableStream({ type: 'bytes', autoAllocateChunkSize: 2, pull(c) { c.byobRequest.view[0] = 7; c.byobRequest.respond(1); c.close(); } });
        const branches = stream.tee();
        branches[1].pipeTo(new WritableStream({ write(chunk) { out[out.length] = chunk[0]; }, close() { out[out.length] = 'close'; } }));
    }), [[], [7, 'close']]);
});
test('text streams', async () => {
    same(await hostile((out) => {
        new ReadableStream({ start(c) { c.enqueue('ä'); c.close(); } }).pipeThrough(new TextEncoderStream()).pipeThrough(new TextDecoderStream()).pipeTo(sink(out));
    }), [[], ['ä', 'close']]);
});
test('an asynchronous source of the user\'s own thenables', async () => {
    same(await hostile((out) => {
        const thenable = { then(resolve) { resolve(); } };
        let left = 2;
        new ReadableStream({ start: () => thenable, pull(c) { if (left-- > 0) c.enqueue(left); else c.close(); return thenable; }, __proto__: null }, { __proto__: null, highWaterMark: 0 }).pipeTo(sink(out));
    }), [[], [1, 0, 'close']]);
});
test('streams that are transferred', async () => {
    const transfer = []; // read by its own iterator, since that of all arrays is patched
    transfer[Symbol.iterator] = function () { let at = 0; return { next: () => ({ value: this[at], done: at++ >= this.length }) }; };
    same(await hostile((out) => {
        const stream = new ReadableStream({ start(c) { c.enqueue('a'); c.close(); } });
        transfer[0] = stream;
        structuredClone(stream, { transfer }).pipeTo(sink(out));
        const target = sink(out);
        transfer[0] = target;
        structuredClone(target, { transfer }).abort('b');
    }, 60).then(([noted, out]) => [noted, out.sort()]), [[], ['a', 'abort b', 'close']]);
});
await done();
