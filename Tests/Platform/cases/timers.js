import { done, equal, ok, rejects, same, test, throws } from './assert.js';
import timersModule, { setTimeout as moduleTimeout } from 'node:timers';
import { setImmediate as promisedImmediate, setTimeout as sleep } from 'node:timers/promises';

const onSidelight = typeof setTimeout(() => {}, 0) === 'number';

test('timers run in the order of their due times, then of their making', async () => {
    const order = [];
    await new Promise((resolve) => {
        setTimeout(() => { order.push('d'); resolve(); }, 30);
        setTimeout(() => order.push('c'), 20);
        setTimeout(() => order.push('a'), 10);
        setTimeout(() => order.push('b'), 10);
    });
    same(order, ['a', 'b', 'c', 'd']);
});
test('extra arguments are passed on', async () => same(await new Promise((resolve) => { setTimeout((...args) => resolve(args), 0, 1, 'two'); }), [1, 'two']));
test('a cleared timer does not run', async () => {
    let ran = false;
    const id = setTimeout(() => { ran = true; }, 1);
    clearTimeout(id);
    clearTimeout(id);
    await sleep(10);
    equal(ran, false);
});
test('clearing nonsense does nothing', () => {
    for (const id of [undefined, null, 0, -1, 1e9, NaN, {}, '', 'x']) {
        clearTimeout(id);
        clearInterval(id);
        if (onSidelight) clearImmediate(id); // an object breaks Node's queue
    }
});
test('an interval runs until it clears itself', async () => {
    let runs = 0;
    await new Promise((resolve) => {
        const id = setInterval(() => { if (++runs === 3) { clearInterval(id); resolve(); } }, 1);
    });
    await sleep(10);
    equal(runs, 3);
});
test('delays are coerced', async () => {
    const order = [];
    await new Promise((resolve) => {
        setTimeout(() => { order.push('last'); resolve(); }, 20);
        for (const delay of [undefined, null, NaN, -5, '1', 2 ** 31, Infinity, {}]) setTimeout(() => order.push('soon'), delay);
    });
    equal(order.length, 9);
    equal(order[8], 'last');
});
test('a callback must be a function', () => {
    for (const bad of [undefined, null, 'code()', 5, {}]) {
        throws(() => setTimeout(bad, 1), 'TypeError', 'callback');
        throws(() => setInterval(bad, 1), 'TypeError', 'callback');
        throws(() => setImmediate(bad), 'TypeError', 'callback');
        throws(() => queueMicrotask(bad), 'TypeError', 'callback');
    }
});
test('immediates run after this turn, those made meanwhile in the next', async () => {
    const order = [];
    await new Promise((resolve) => {
        setImmediate(() => {
            order.push(1);
            setImmediate(() => { order.push(3); resolve(); });
        });
        setImmediate((x) => order.push(x), 2);
        const cleared = setImmediate(() => order.push('never'));
        clearImmediate(cleared);
        order.push(0);
    });
    same(order, [0, 1, 2, 3]);
});
test('microtasks run between timer callbacks', async () => {
    const order = [];
    await new Promise((resolve) => {
        setTimeout(() => { order.push('a'); Promise.resolve().then(() => order.push('a+')); queueMicrotask(() => order.push('a++')); }, 5);
        setTimeout(() => { order.push('b'); resolve(); }, 5);
    });
    same(order, ['a', 'a+', 'a++', 'b']);
});
test('of many timers none overtakes one that was made before with the same or a shorter delay', async () => {
    const ran = [];
    const delays = [];
    let seed = 1;
    await new Promise((resolve) => {
        const ids = [];
        for (let i = 0; i < 2000; i++) {
            seed = seed * 16807 % 2147483647;
            delays.push(seed % 40 + 1);
            ids.push(setTimeout((index) => ran.push(index), delays[i], i));
        }
        for (let i = 0; i < 2000; i += 3) clearTimeout(ids[i]);
        setTimeout(resolve, 60);
    });
    equal(ran.length, 1333);
    if (!onSidelight) return; // Node rounds
    const place = new Map(ran.map((index, at) => [index, at]));
    for (const [a, at] of place) {
        for (const [b, bt] of place) ok(!(a < b && delays[a] <= delays[b] && at > bt), `${b} before ${a}`);
    }
});
test('the modules export the same functions', async () => {
    equal(moduleTimeout, setTimeout);
    equal(timersModule.clearInterval, clearInterval);
    equal(await sleep(1, 'value'), 'value');
    equal(await promisedImmediate('now'), 'now');
    const error = await rejects(sleep(1000, 0, { signal: AbortSignal.abort('why') }), 'AbortError');
    equal(error.cause, 'why');
    const controller = new AbortController();
    const slept = sleep(60_000, 0, { signal: controller.signal });
    controller.abort();
    await rejects(slept, 'AbortError');
});
test('nextTick comes before timers', async () => {
    const order = [];
    await new Promise((resolve) => {
        setTimeout(() => { order.push('timer'); resolve(); }, 0);
        process.nextTick((x) => order.push(x), 'tick');
    });
    same(order, ['tick', 'timer']);
});
await done();
