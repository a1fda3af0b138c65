// MessageChannel, MessagePort, BroadcastChannel, MessageEvent, and structuredClone with what is transferred.
import { done, equal, ok, same, test, throws } from './assert.js';

const next = (target, type = 'message') => new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));
const listen = (port) => { port.start(); return next(port); };

test('a message arrives as a MessageEvent, with a copy', async () => {
    const { port1, port2 } = new MessageChannel();
    const value = { a: [1, new Date(0), new Map([['k', new Set([1])]])] };
    port1.postMessage(value);
    const event = await listen(port2);
    ok(event instanceof MessageEvent && event.isTrusted);
    ok(event.data !== value && event.data.a[2].get('k').has(1));
    same([event.type, event.origin, event.lastEventId, event.source, event.ports.length], ['message', '', '', null, 0]);
    ok(Object.isFrozen(event.ports) && event.target === port2);
    port1.close();
});

test('messages keep their order and wait for start', async () => {
    const { port1, port2 } = new MessageChannel();
    for (let i = 0; i < 200; i++) port1.postMessage(i);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const seen = [];
    port2.addEventListener('message', ({ data }) => seen.push(data));
    await new Promise((resolve) => setTimeout(resolve, 5));
    equal(seen.length, 0);
    port2.start();
    await new Promise((resolve) => { port2.addEventListener('message', ({ data }) => data === 199 && resolve()); });
    same(seen, Array.from({ length: 200 }, (_, i) => i));
    port1.close();
});

test('onmessage starts the port, addEventListener does not', async () => {
    const { port1, port2 } = new MessageChannel();
    port1.postMessage('x');
    equal(port2.onmessage, null);
    const data = await new Promise((resolve) => { port2.onmessage = (event) => resolve(event.data); });
    equal(data, 'x');
    port2.onmessage = 5;
    equal(port2.onmessage, null);
    port1.close();
});

test('microtasks run between two messages', async () => {
    const { port1, port2 } = new MessageChannel();
    const steps = [];
    const over = new Promise((resolve) => {
        port2.onmessage = ({ data }) => {
            steps.push(data);
            Promise.resolve().then(() => { steps.push(`after ${data}`); if (data === 2) resolve(); });
        };
    });
    port1.postMessage(1);
    port1.postMessage(2);
    await over;
    same(steps, [1, 'after 1', 2, 'after 2']);
    port1.close();
});

test('an ArrayBuffer is moved', async () => {
    const { port1, port2 } = new MessageChannel();
    const buffer = new Uint8Array([1, 2, 3]).buffer;
    port1.postMessage({ buffer, view: new Uint8Array(buffer, 1) }, [buffer]);
    equal(buffer.byteLength, 0);
    const { data } = await listen(port2);
    same([...new Uint8Array(data.buffer)], [1, 2, 3]);
    ok(data.view.buffer === data.buffer && data.view[0] === 2);
    throws(() => port1.postMessage(1, [buffer]), 'DataCloneError');
    throws(() => port1.postMessage(1, { transfer: [data.buffer, data.buffer] }), 'DataCloneError');
    throws(() => port1.postMessage(1, [{}]), 'DataCloneError');
    throws(() => port1.postMessage(1, [1]), 'TypeError');
    throws(() => port1.postMessage(1, 'no list'), 'TypeError');
    equal(data.buffer.byteLength, 3, 'what was refused');
    port1.close();
});

test('shared memory is shared', async () => {
    const { port1, port2 } = new MessageChannel();
    const shared = new SharedArrayBuffer(8);
    port1.postMessage(shared);
    const { data } = await listen(port2);
    ok(data !== shared);
    new Int32Array(data)[0] = 42;
    equal(new Int32Array(shared)[0], 42);
    port1.close();
});

test('what cannot be cloned throws, and nothing is sent or detached', async () => {
    const { port1, port2 } = new MessageChannel();
    const buffer = new ArrayBuffer(4);
    throws(() => port1.postMessage({ f() {} }, [buffer]), 'DataCloneError');
    equal(buffer.byteLength, 4);
    const thrown = new RangeError('mine');
    try { port1.postMessage({ get x() { throw thrown; } }); } catch (error) { ok(error === thrown); }
    port1.postMessage('next');
    equal((await listen(port2)).data, 'next');
    throws(() => port1.postMessage(), 'TypeError');
    port1.close();
});

test('a getter that posts, closes or transfers meanwhile does no harm', async () => {
    const { port1, port2 } = new MessageChannel();
    const other = new MessageChannel();
    port1.postMessage({ get x() { port1.postMessage('inner'); return 'outer'; } });
    const seen = [];
    const over = new Promise((resolve) => { port2.onmessage = ({ data }) => { seen.push(data); if (seen.length === 2) resolve(); }; });
    await over;
    same(seen, ['inner', { x: 'outer' }]);
    port1.postMessage({ get x() { other.port1.close(); return 1; } }, [other.port1]);
    const { port1: a } = new MessageChannel();
    a.postMessage({ get x() { a.close(); return 1; } });
    const buffer = new ArrayBuffer(8);
    throws(() => port1.postMessage({ get x() { structuredClone(buffer, { transfer: [buffer] }); return 1; } }, [buffer]), 'DataCloneError');
    port1.close();
});

test('ports go through ports, with what waits in them', async () => {
    const outer = new MessageChannel(), inner = new MessageChannel();
    inner.port2.postMessage('early');
    outer.port1.postMessage({ port: inner.port1 }, [inner.port1]);
    const event = await listen(outer.port2);
    const moved = event.data.port;
    ok(moved instanceof MessagePort && moved !== inner.port1 && event.ports[0] === moved && event.ports.length === 1);
    equal((await listen(moved)).data, 'early');
    moved.postMessage('back');
    equal((await listen(inner.port2)).data, 'back');
    throws(() => outer.port1.postMessage(1, [inner.port1]), 'DataCloneError', 'detached');
    inner.port1.postMessage('lost: it is detached');
    throws(() => outer.port1.postMessage(1, [outer.port1]), 'DataCloneError');
    throws(() => outer.port1.postMessage({ port: inner.port2 }), 'DataCloneError');
    outer.port1.close();
    moved.close();
});

test('a port sent through its own channel is lost, and nothing hangs', async () => {
    const { port1, port2 } = new MessageChannel();
    port1.postMessage('x', [port2]);
    port1.postMessage('y');
    port1.close();
});

test('close: the other end hears it after what was sent before', async () => {
    const { port1, port2 } = new MessageChannel();
    port1.postMessage('last');
    port1.close();
    port1.close();
    port1.postMessage('never');
    const seen = [];
    port2.onmessage = ({ data }) => seen.push(data);
    await next(port2, 'close');
    same(seen, ['last']);
    port2.postMessage('into the void');
});

test('a port that is closed gets nothing', async () => {
    const { port1, port2 } = new MessageChannel();
    let count = 0;
    port2.onmessage = () => { count++; port2.close(); };
    port1.postMessage(1);
    port1.postMessage(2);
    await next(port1, 'close');
    equal(count, 1);
});

test('an error in a listener stops nothing', async () => {
    const { port1, port2 } = new MessageChannel();
    const errors = [];
    const take = (error) => errors.push(error.message);
    process.on('uncaughtException', take);
    const over = new Promise((resolve) => { port2.onmessage = ({ data }) => { if (data === 2) resolve(); throw new Error(`at ${data}`); }; });
    port1.postMessage(1);
    port1.postMessage(2);
    await over;
    process.off('uncaughtException', take);
    same(errors.slice(0, 1), ['at 1']);
    port1.close();
});

test('MessageEvent', () => {
    const { port1 } = new MessageChannel();
    const event = new MessageEvent('message', { data: 1, origin: 'o', lastEventId: 'l', ports: [port1], source: port1, bubbles: true });
    same([event.data, event.origin, event.lastEventId, event.ports[0] === port1, event.source === port1, event.bubbles, event.isTrusted], [1, 'o', 'l', true, true, true, false]);
    equal(new MessageEvent('x').data, null);
    ok(event.ports === event.ports);
    event.initMessageEvent('y', false, false, 2);
    same([event.type, event.data, event.origin, event.ports.length], ['y', 2, '', 0]);
    throws(() => new MessageEvent('x', { ports: [1] }), 'TypeError');
    throws(() => new MessageEvent('x', { source: {} }), 'TypeError');
    throws(() => new MessageEvent(), 'TypeError');
    port1.close();
});

test('interfaces', () => {
    throws(() => new MessagePort(), 'TypeError', 'Illegal');
    throws(() => MessageChannel(), 'TypeError');
    const channel = new MessageChannel();
    ok(channel.port1 === channel.port1 && channel.port1 instanceof EventTarget);
    equal(Object.prototype.toString.call(channel.port1), '[object MessagePort]');
    throws(() => MessagePort.prototype.postMessage.call({}, 1), 'TypeError');
    throws(() => EventTarget.prototype.addEventListener.call({}, 'x', () => {}), 'TypeError');
    let seen = 0;
    EventTarget.prototype.addEventListener.call(channel.port1, 'custom', (event) => { seen += event.target === channel.port1 && event.currentTarget === channel.port1 ? 1 : 0; });
    channel.port1.dispatchEvent(new Event('custom'));
    equal(seen, 1);
    channel.port1.close();
});

test('structuredClone transfers ports and buffers', async () => {
    const { port1, port2 } = new MessageChannel();
    const buffer = new ArrayBuffer(3);
    const clone = structuredClone({ port1, buffer, both: [port1, buffer] }, { transfer: [buffer, port1] });
    ok(clone.port1 instanceof MessagePort && clone.both[0] === clone.port1 && clone.both[1] === clone.buffer);
    equal(clone.buffer.byteLength, 3);
    equal(buffer.byteLength, 0);
    clone.port1.postMessage('hello');
    equal((await listen(port2)).data, 'hello');
    throws(() => structuredClone(port2), 'DataCloneError');
    throws(() => structuredClone(1, { transfer: [port1] }), 'DataCloneError');
    throws(() => structuredClone(1, { transfer: [port2, port2] }), 'DataCloneError');
    port2.close();
});

test('BroadcastChannel reaches all others of its name', async () => {
    const a = new BroadcastChannel('n'), b = new BroadcastChannel('n'), c = new BroadcastChannel('n'), other = new BroadcastChannel('m');
    const seen = [];
    for (const [name, channel] of Object.entries({ a, b, c, other })) channel.onmessage = ({ data }) => seen.push([name, data]);
    a.postMessage('x');
    b.postMessage({ y: 1 });
    c.close();
    await next(a);
    await new Promise((resolve) => setTimeout(resolve, 5));
    same(seen.sort(), [['a', { y: 1 }], ['b', 'x']]);
    throws(() => c.postMessage(1), 'InvalidStateError');
    throws(() => a.postMessage(() => {}), 'DataCloneError');
    throws(() => structuredClone(a), 'DataCloneError');
    throws(() => new BroadcastChannel(), 'TypeError');
    equal(a.name, 'n');
    for (const channel of [a, b, other]) channel.close();
});

test('BroadcastChannels get messages in the order they were posted, each in the order of the channels', async () => {
    const c1 = new BroadcastChannel('order'), c2 = new BroadcastChannel('order'), c3 = new BroadcastChannel('order'), d = new BroadcastChannel('other order');
    const d2 = new BroadcastChannel('other order');
    const seen = [];
    const all = new Promise((resolve) => {
        for (const [name, channel] of Object.entries({ c1, c2, c3, d, d2 })) {
            channel.onmessage = ({ data }) => { seen.push(`${name} ${data}`); if (data === 'done') resolve(); };
        }
    });
    c1.postMessage('1');
    d.postMessage('2');
    c2.postMessage('3');
    c3.postMessage('4');
    d2.postMessage('done');
    await all;
    same(seen, ['c2 1', 'c3 1', 'd2 2', 'c1 3', 'c3 3', 'c1 4', 'c2 4', 'd done']);
    for (const channel of [c1, c2, c3, d, d2]) channel.close();
});

test('a BroadcastChannel that is closed, or made in between, gets what the standard says', async () => {
    const a = new BroadcastChannel('x'), b = new BroadcastChannel('x'), c = new BroadcastChannel('x');
    const seen = [];
    b.onmessage = ({ data }) => { seen.push(`b ${data}`); c.close(); };
    c.onmessage = ({ data }) => seen.push(`c ${data}`);
    a.postMessage(1);
    const late = new BroadcastChannel('x');
    late.onmessage = ({ data }) => seen.push(`late ${data}`);
    a.postMessage(2);
    await next(late);
    same(seen, ['b 1', 'b 2', 'late 2']);
    for (const channel of [a, b, late]) channel.close();
});

test('what does not fit is refused', () => {
    const { port1 } = new MessageChannel();
    const big = new ArrayBuffer(300 << 20);
    port1.postMessage(big, [big]);
    throws(() => port1.postMessage(1), 'QuotaExceededError');
    port1.close();
});

await done();
