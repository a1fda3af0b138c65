// AsyncLocalStorage through what the platform calls back: timers, immediates, microtasks, awaits, aborts, fetch.
import { done, equal, same, test } from './assert.js';
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

const storage = new AsyncLocalStorage();
const within = (value, run) => storage.run(value, run);

test('a timer, an immediate, a microtask and a tick run in the context they were made in', async () => {
    const seen = {};
    const all = [];
    for (const [name, start] of [['timeout', setTimeout], ['immediate', setImmediate], ['microtask', queueMicrotask], ['tick', process.nextTick]]) {
        all.push(new Promise((resolve) => within(name, () => start(() => { seen[name] = storage.getStore(); resolve(); }))));
    }
    await Promise.all(all);
    same([seen.timeout, seen.immediate, seen.microtask, seen.tick], ['timeout', 'immediate', 'microtask', 'tick']);
    equal(storage.getStore(), undefined);
});
test('two timers of one turn do not mix', async () => {
    const seen = [];
    await Promise.all([1, 2, 3].map((value) => within(value, () => new Promise((resolve) => {
        setTimeout(async () => {
            seen.push(storage.getStore());
            await null;
            seen.push(storage.getStore() * 10);
            await sleep(1);
            seen.push(storage.getStore() * 100);
            resolve();
        }, 5);
    }))));
    same(seen.sort((a, b) => a - b), [1, 2, 3, 10, 20, 30, 100, 200, 300]);
});
test('an interval keeps its context', async () => {
    const seen = [];
    await within('interval', () => new Promise((resolve) => {
        const id = setInterval(() => {
            seen.push(storage.getStore());
            if (seen.length === 3) { clearInterval(id); resolve(); }
        }, 1);
    }));
    same(seen, ['interval', 'interval', 'interval']);
});
test('listeners run in the context of who dispatches', () => {
    const target = new EventTarget();
    let seen;
    within('adding', () => target.addEventListener('x', () => { seen = storage.getStore(); }));
    within('dispatching', () => target.dispatchEvent(new Event('x')));
    equal(seen, 'dispatching');
});
test('an exception of a callback does not leave its context behind', async () => {
    const listener = () => {};
    process.on('uncaughtException', listener);
    const next = new Promise((resolve) => { setTimeout(() => resolve(storage.getStore()), 5); });
    within('thrown in', () => setTimeout(() => { throw new Error('expected'); }, 5));
    const after = new Promise((resolve) => { setTimeout(() => resolve(storage.getStore()), 5); });
    same([await next ?? 'none', await after ?? 'none'], ['none', 'none']);
    process.off('uncaughtException', listener);
});
test('what awaits a fetch goes on in its context', async () => {
    await Promise.all(['a', 'b'].map((value) => within(value, async () => {
        await fetch('data:,x');
        equal(storage.getStore(), value);
        try { await fetch('http://127.0.0.1:1/'); } catch { /* expected */ }
        equal(storage.getStore(), value);
    })));
});
await done();
