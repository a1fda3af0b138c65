// Worker: life, errors, transfer, and what a child finds.
import { done, equal, ok, same, test, throws } from './assert.js';

const at = (name) => new URL(`../workers/${name}.js`, import.meta.url);
const open = (name, options = {}) => new Worker(at(name), { type: 'module', ...options });
const next = (target, type = 'message') => new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));
/** Posts, and waits for so many messages. */
function ask(worker, message, count = 1, transfer = undefined) {
    const answers = [];
    return new Promise((resolve) => {
        const take = ({ data }) => {
            answers.push(data);
            if (answers.length < count) return;
            worker.removeEventListener('message', take);
            resolve(count === 1 ? answers[0] : answers);
        };
        worker.addEventListener('message', take);
        worker.postMessage(message, transfer);
    });
}
async function withEcho(run, options) {
    const worker = open('echo', options);
    try { await run(worker); } finally { worker.terminate(); }
}

test('a message goes to the child and back', () => withEcho(async (worker) => {
    same(await ask(worker, { list: [1, null, 'x'], when: new Date(5) }), { list: [1, null, 'x'], when: new Date(5) });
    ok(worker instanceof EventTarget);
    equal(Object.prototype.toString.call(worker), '[object Worker]');
}));

test('a thousand messages keep their order', () => withEcho(async (worker) => {
    const seen = await new Promise((resolve) => {
        const list = [];
        worker.onmessage = ({ data }) => { list.push(data); if (list.length === 1000) resolve(list); };
        for (let i = 0; i < 1000; i++) worker.postMessage(i);
    });
    same(seen, Array.from({ length: 1000 }, (_, i) => i));
}));

test('what a child finds', () => withEcho(async (worker) => {
    same(await ask(worker, { do: 'names' }), ['my child', true, true, 'function', '[object DedicatedWorkerGlobalScope]']);
}, { name: 'my child' }));

test('plain relative URLs and URL objects', async () => {
    const worker = new Worker('../workers/echo.js');
    equal(await ask(worker, 5), 5);
    worker.terminate();
    throws(() => new Worker('http://[bad'), 'SyntaxError');
    throws(() => new Worker('http://127.0.0.1/x.js'), 'NotSupportedError');
    throws(() => new Worker('x.js', { type: 'module', get name() { throw new RangeError('mine'); } }), 'RangeError');
    throws(() => new Worker(), 'TypeError');
    throws(() => new Worker('x.js', { type: 'other' }), 'TypeError');
    throws(() => new Worker('x.js', { credentials: 'other' }), 'TypeError');
    throws(() => new Worker('x.js', 5), 'TypeError');
    throws(() => Worker('x.js'), 'TypeError');
});

test('buffers move both ways, shared memory is shared', () => withEcho(async (worker) => {
    const buffer = new Uint8Array([7, 8]).buffer;
    const back = await ask(worker, { buffer }, 1, [buffer]);
    equal(buffer.byteLength, 0);
    same([...new Uint8Array(back.buffer)], [7, 8]);
    const shared = new SharedArrayBuffer(8);
    equal(await ask(worker, { do: 'wait', shared }), 'waiting');
    const woken = next(worker);
    const word = new Int32Array(shared);
    Atomics.store(word, 0, 1);
    Atomics.notify(word, 0);
    equal((await woken).data, 'woken');
}));

test('a compiled module is shared', () => withEcho(async (worker) => {
    const bytes = new Uint8Array([
        0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 7, 1, 3, 97, 100, 100, 0, 0, 10, 9, 1, 7, 0, 32, 0, 32, 1, 106, 11,
    ]);
    equal(await ask(worker, { do: 'wasm', module: await WebAssembly.compile(bytes) }), 42);
}));

test('Blobs, Files, DOMExceptions and keys go to the child and back', async () => {
    const worker = open('typed');
    const key = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-1' }, true, ['sign']);
    const blob = new Blob(['x'.repeat(100000)]);
    const answer = await ask(worker, { blob, file: new File([], 'f'), error: new DOMException('m', 'AbortError'), key });
    same(answer.kinds, [true, true, true, true]);
    same([answer.text.length, answer.name, answer.error, answer.blob.size], [100000, 'f', ['AbortError', 'm'], 100001]);
    same([...answer.mac], [...new Uint8Array(await crypto.subtle.sign('HMAC', key, new Uint8Array(3)))]);
    worker.terminate();
    equal((await answer.blob.text()).length, 100001); // its memory outlives the child
    throws(() => worker.postMessage(new Response()), 'DataCloneError');
});

test('a worker from a blob: URL, which may be revoked at once', async () => {
    const url = URL.createObjectURL(new Blob(['postMessage([self.name, typeof Worker, self.location?.href]); onmessage = (e) => postMessage(e.data + 1);']));
    const worker = new Worker(url, { name: 'inline' });
    URL.revokeObjectURL(url);
    same((await next(worker)).data, ['inline', 'function', null]);
    equal(await ask(worker, 41), 42);
    worker.terminate();
    const gone = await next(new Worker(url), 'error');
    ok(/no such blob URL/.test(gone.message), gone.message);
    gone.preventDefault();
});

test('a module worker from blob: and data: URLs', async () => {
    const code = `import { basename } from 'node:path'; const m = await import('data:text/javascript,export default 5');
        let relative = 'no error'; try { await import('./x.js'); } catch (e) { relative = e.message; }
        postMessage([basename('/a/b'), m.default, import.meta.url.slice(0, 5), import.meta.dirname, relative]);`;
    const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
    const check = async (worker, scheme) => {
        const [base, five, start, dirname, relative] = (await next(worker)).data;
        same([base, five, start, dirname], ['b', 5, scheme, null]);
        ok(/relative/.test(relative), relative);
    };
    await check(new Worker(url, { type: 'module' }), 'blob:');
    await check(new Worker(`data:text/javascript,${encodeURIComponent(code)}`, { type: 'module' }), 'data:');
    await check(new Worker(`data:text/javascript;base64,${btoa(code)}`), 'data:'); // its syntax says that it is one
    URL.revokeObjectURL(url);
    for (const [bad, why] of [
        ['data:text/plain,1', /media type/], ['data:text/javascript', /invalid data URL/], ['data:text/javascript;base64,!', /base64/], ['data:text/javascript,%28', /SyntaxError/],
    ]) {
        const event = await next(new Worker(bad, { type: 'module' }), 'error');
        ok(why.test(event.message), `${bad}: ${event.message}`);
        event.preventDefault();
    }
});

test('an object URL is known in all isolates, and goes with the one that made it', async () => {
    const url = URL.createObjectURL(new Blob(['from the parent']));
    const worker = new Worker(`data:text/javascript,
        onmessage = async ({ data }) => postMessage([await (await fetch(data)).text(), URL.createObjectURL(new Blob(['from the child']))]);`);
    const [text, childs] = await ask(worker, url);
    equal(text, 'from the parent');
    equal(await (await fetch(childs)).text(), 'from the child');
    worker.postMessage(url);
    await next(worker);
    const closed = new Worker('data:text/javascript,postMessage(URL.createObjectURL(new Blob(["x"]))); close();');
    const { data } = await next(closed);
    worker.terminate();
    let found = true;
    for (let i = 0; i < 200 && found; i++) {
        found = await fetch(data).then(() => true, () => false);
        if (found) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    ok(!found, 'still there');
    URL.revokeObjectURL(url);
});

test('ports reach into the child', () => withEcho(async (worker) => {
    const { port1, port2 } = new MessageChannel();
    worker.postMessage({ do: 'port' }, [port2]);
    port1.start();
    equal((await next(port1)).data, 'through the port');
    port1.postMessage(5);
    same((await next(port1)).data, ['echo', 5]);
}));

test('a port between two children', async () => {
    const a = open('echo'), b = open('echo');
    const { port1, port2 } = new MessageChannel();
    b.postMessage({ do: 'port' }, [port2]);
    const back = await new Promise((resolve) => {
        a.onmessage = ({ ports }) => resolve(ports[0]);
        a.postMessage('keep', [port1]);
    });
    back.start();
    equal((await next(back)).data, 'through the port');
    const gone = next(back, 'close');
    b.terminate();
    await gone;
    a.terminate();
});

test('BroadcastChannel crosses isolates', () => withEcho(async (worker) => {
    const channel = new BroadcastChannel('b');
    const heard = next(channel);
    worker.postMessage({ do: 'broadcast', name: 'b' });
    equal((await heard).data, 'from the child');
    channel.close();
}));

test('messages wait until the child listens', async () => {
    for (const name of ['late', 'config']) {
        const worker = open(name);
        const answer = await ask(worker, 'x');
        same(answer, [name === 'late' ? 'late' : 'configured', 'x']);
        worker.terminate();
    }
});

test('a child without anything to do ends, and its messages arrive', async () => {
    const worker = open('short');
    equal((await next(worker)).data, 'done');
    worker.postMessage('nobody is there');
});

test('close(): the rest of the handler runs, nothing after it', () => withEcho(async (worker) => {
    const seen = [];
    worker.onmessage = ({ data }) => seen.push(data);
    worker.postMessage({ do: 'close' });
    worker.postMessage('too late');
    const probe = open('echo');
    while (seen.length < 2) await ask(probe, 1);
    for (let i = 0; i < 50; i++) await ask(probe, 1);
    probe.terminate();
    same(seen, ['closing', 'still here']);
}));

test('errors of a child are events, and it goes on', () => withEcho(async (worker) => {
    for (const [what, name, text] of [['throw', 'RangeError', 'thrown in the child'], ['reject', 'TypeError', 'rejected in the child']]) {
        const told = next(worker, 'error');
        worker.postMessage({ do: what });
        const event = await told;
        ok(event instanceof ErrorEvent && event.cancelable);
        equal(event.message, `Uncaught ${name}: ${text}`);
        ok(event.filename.endsWith('echo.js') && event.lineno > 0 && event.colno > 0, `${event.filename}:${event.lineno}`);
        ok(event.error.name === name && event.error.message === text && event.error.stack.includes('echo.js'));
    }
    const told = next(worker, 'error');
    worker.postMessage({ do: 'throw text' });
    const event = await told;
    same([event.message, event.error], ["Uncaught 'a text'", 'a text']);
    equal(await ask(worker, 'alive'), 'alive');
}));

test('a child that takes its errors tells nobody', async () => {
    const worker = open('handled');
    worker.onerror = () => { throw new Error('told'); };
    same(await ask(worker, 1), ['Uncaught SyntaxError: mine', true, true, true, 'SyntaxError']);
    same(await ask(worker, 1), ['Uncaught SyntaxError: mine', true, true, true, 'SyntaxError']);
    worker.terminate();
});

test('a child that does not load', async () => {
    for (const [name, text] of [['missing', 'Cannot find module'], ['syntax', 'SyntaxError']]) {
        const event = await next(open(name), 'error');
        ok(event.message.includes(text), event.message);
    }
    const worker = open('fails');
    const [message, error] = await Promise.all([next(worker), next(worker, 'error')]);
    same([message.data, error.message], ['before', 'Uncaught Error: at load']);
});

test('an error that nobody hears is the parent\'s', async () => {
    const worker = open('echo');
    const taken = new Promise((resolve) => process.once('uncaughtException', resolve));
    worker.postMessage({ do: 'throw' });
    const error = await taken;
    same([error.name, error.message], ['RangeError', 'thrown in the child']);
    worker.terminate();
});

test('terminate at each stage', async () => {
    open('echo').terminate();
    const early = open('echo');
    early.postMessage(1);
    await undefined;
    early.terminate();
    const looping = open('echo');
    equal(await ask(looping, { do: 'loop' }), 'looping');
    looping.terminate();
    looping.terminate();
    looping.postMessage('nobody');
    const waiting = open('echo');
    equal(await ask(waiting, { do: 'wait', shared: new SharedArrayBuffer(4) }), 'waiting');
    waiting.terminate();
    let after = 0;
    const chatty = open('echo');
    await new Promise((resolve) => {
        chatty.onmessage = () => { after++; chatty.terminate(); resolve(); };
        for (let i = 0; i < 20; i++) chatty.postMessage(i);
    });
    await new Promise((resolve) => setTimeout(resolve, 10));
    equal(after, 1);
});

test('process.exit ends the child alone', async () => {
    const worker = open('echo');
    worker.postMessage({ do: 'exit', code: 3 });
    const probe = open('echo');
    for (let i = 0; i < 20; i++) await ask(probe, i);
    probe.terminate();
});

test('what cannot be cloned', () => withEcho(async (worker) => {
    throws(() => worker.postMessage(() => {}), 'DataCloneError');
    throws(() => worker.postMessage(worker), 'DataCloneError');
    same(await ask(worker, { do: 'unclonable' }), ['DataCloneError', true]);
}));

test('children have children', () => withEcho(async (worker) => {
    same(await ask(worker, { do: 'nested' }), ['inner', 'deep']);
}));

test('a subclass', async () => {
    class Mine extends Worker {
        mine = 5;
        get answer() { return next(this); }
    }
    const worker = new Mine(at('echo'));
    worker.postMessage('x');
    same([(await worker.answer).data, worker.mine, worker instanceof Mine], ['x', 5, true]);
    worker.terminate();
});

test('there are no more than the limit allows', async () => {
    const many = [];
    const error = throws(() => { for (let i = 0; i < 64; i++) many.push(open('echo')); }, 'QuotaExceededError', 'workers');
    ok(error instanceof DOMException);
    ok(many.length > 0 && many.length <= 16, String(many.length));
    for (const worker of many) worker.terminate();
});

await done();
