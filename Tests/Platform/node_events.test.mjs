// node:events against Node's: the same scenarios on both. node --test Tests/Platform/node_events.test.mjs
import assert from 'node:assert/strict';
import * as theirs from 'node:events';
import test from 'node:test';
import vm from 'node:vm';
import { boot } from './harness.mjs';
import { generator, outcome } from './generate.mjs';

const warnings = [];
const realm = boot({ print: (fd, text) => warnings.push(text) });
const ours = realm.internal.builtin('node:events');
const Ours = ours.EventEmitter;

test('exports are Node\'s', () => {
    const names = (module) => Object.keys(module).sort();
    assert.deepEqual(names(ours), names(theirs));
    assert.deepEqual(Reflect.ownKeys(Ours.prototype).filter((key) => typeof key === 'string').sort(), Reflect.ownKeys(theirs.EventEmitter.prototype).filter((key) => typeof key === 'string').sort());
    assert.deepEqual(Object.keys(Ours).sort(), Object.keys(theirs.EventEmitter).sort());
    assert.equal(ours.captureRejectionSymbol, theirs.captureRejectionSymbol);
});

/** One random life of an emitter; what happened, as text. */
function play(Emitter, seed) {
    const random = generator(seed);
    const emitter = new Emitter();
    emitter.setMaxListeners(0);
    const log = [];
    const listeners = Array.from({ length: 4 }, (_, i) => function (...args) {
        log.push(`${i}(${args.map(String)}) ${this === emitter}`);
        if (i === 2 && random.chance(0.3)) emitter.removeListener('a', listeners[random.below(4)]);
        if (i === 3 && random.chance(0.3)) emitter.once('a', listeners[0]);
    });
    if (random.chance(0.5)) emitter.on('newListener', (name, listener) => log.push(`new ${String(name)} ${listeners.indexOf(listener)}`));
    if (random.chance(0.5)) emitter.on('removeListener', (name, listener) => log.push(`gone ${String(name)} ${listeners.indexOf(listener)}`));
    const names = ['a', 'b', Symbol.for('s'), 'error'];
    for (let step = 0; step < 30; step++) {
        const name = random.pick(names);
        const listener = random.pick(listeners);
        const result = outcome(() => {
            switch (random.below(9)) {
            case 0: return emitter.on(name, listener) === emitter;
            case 1: return emitter.once(name, listener) === emitter;
            case 2: return emitter.prependListener(name, listener) === emitter;
            case 3: return emitter.prependOnceListener(name, listener) === emitter;
            case 4: return emitter.off(name, listener) === emitter;
            case 5: return random.chance(0.2) ? emitter.removeAllListeners(random.chance(0.7) ? name : undefined) === emitter : emitter.listenerCount(name, random.pick([undefined, listener]));
            case 6: return emitter.listeners(name).map((one) => listeners.indexOf(one)).join();
            case 7: return emitter.eventNames().map(String).join() + emitter.rawListeners(name).length;
            default: return emitter.emit(name, step, 'x');
            }
        });
        log.push(JSON.stringify(result));
    }
    return log.join('\n');
}

test('emitters live alike', () => {
    for (let seed = 1; seed < 1500; seed++) assert.equal(play(Ours, seed), play(theirs.EventEmitter, seed), `seed ${seed}`);
});

test('errors in the same words', () => {
    for (const run of [
        (E) => new E().emit('error'), (E) => new E().emit('error', new Error('own')), (E) => new E().emit('error', { a: 1 }), (E) => new E().on('a', 5), (E) => new E().once('a'), (E) => new E().setMaxListeners(-1),
        (E) => new E().setMaxListeners('x'), (E) => { E.defaultMaxListeners = -1; }, (E) => new E({ captureRejections: 5 }), (E) => new E().removeListener('a', null), (E) => E.getEventListeners({}, 'a'), (E) => E.getMaxListeners(5),
    ]) assert.deepEqual(outcome(() => run(Ours)), outcome(() => run(theirs.EventEmitter)), String(run));
});

const scenarios = {
    async 'once resolves with the arguments'({ EventEmitter, once }) {
        const emitter = new EventEmitter();
        queueMicrotask(() => emitter.emit('go', 1, 2));
        return [...await once(emitter, 'go')];
    },
    async 'once rejects with an error'({ EventEmitter, once }) {
        const emitter = new EventEmitter();
        queueMicrotask(() => emitter.emit('error', new Error('bad')));
        return once(emitter, 'go').catch((error) => [error.message, emitter.listenerCount('go'), emitter.listenerCount('error')]);
    },
    async 'on gives what was and what comes, then ends'({ EventEmitter, on }) {
        const emitter = new EventEmitter();
        const iterator = on(emitter, 'a', { close: ['end'] });
        emitter.emit('a', 1);
        emitter.emit('a', 2);
        queueMicrotask(() => { emitter.emit('a', 3); emitter.emit('end'); });
        const seen = [];
        for await (const [value] of iterator) seen.push(value);
        return [seen.join(), emitter.eventNames().length];
    },
    async 'on throws an error'({ EventEmitter, on }) {
        const emitter = new EventEmitter();
        const iterator = on(emitter, 'a');
        emitter.emit('a', 1);
        emitter.emit('error', new Error('bad'));
        const seen = [];
        try { for await (const [value] of iterator) seen.push(value); } catch (error) { seen.push(error.message); }
        return seen;
    },
    async 'captureRejections sends a rejection to error'({ EventEmitter }) {
        const emitter = new EventEmitter({ captureRejections: true });
        emitter.on('a', async () => { throw new Error('late'); });
        const heard = new Promise((resolve) => { emitter.on('error', (error) => resolve(error.message)); });
        emitter.emit('a');
        return heard;
    },
    async 'or to its own method'({ EventEmitter, captureRejectionSymbol }) {
        const emitter = new EventEmitter({ captureRejections: true });
        const heard = new Promise((resolve) => { emitter[captureRejectionSymbol] = (error, name, ...args) => resolve([error.message, name, ...args]); });
        emitter.on('a', async () => { throw new Error('late'); });
        emitter.emit('a', 1, 2);
        return [...await heard];
    },
    async 'errorMonitor hears first'({ EventEmitter, errorMonitor }) {
        const emitter = new EventEmitter();
        const log = [];
        emitter.on(errorMonitor, (error) => log.push(`monitor ${error}`));
        emitter.on('error', (error) => log.push(`listener ${error}`));
        emitter.emit('error', 'x');
        return log;
    },
    async 'classes of old inherit'({ EventEmitter }) {
        function Old() { EventEmitter.call(this); }
        Object.setPrototypeOf(Old.prototype, EventEmitter.prototype);
        const old = new Old();
        let got;
        old.on('a', (value) => { got = value; });
        return [old.emit('a', 5), got, old instanceof EventEmitter];
    },
};
for (const [name, scenario] of Object.entries(scenarios)) {
    test(name, async () => assert.equal(JSON.stringify(await scenario(ours)), JSON.stringify(await scenario(theirs))));
}

test('too many listeners are warned of once', () => {
    const emitter = new Ours();
    for (let i = 0; i < 13; i++) emitter.on('a', () => {});
    assert.equal(warnings.filter((text) => text.includes('Possible EventEmitter memory leak detected. 11 a listeners added to [EventEmitter]. MaxListeners is 10.')).length, 1);
});

test('an abort ends once and on', async () => {
    const controller = vm.runInContext('new AbortController()', realm.context);
    const emitter = new Ours();
    const waiting = ours.once(emitter, 'a', { signal: controller.signal });
    const iterator = ours.on(emitter, 'b', { signal: controller.signal });
    controller.abort('why');
    await assert.rejects(waiting, (error) => error.name === 'AbortError' && error.code === 'ABORT_ERR' && error.cause === 'why');
    await assert.rejects(iterator.next(), (error) => error.name === 'AbortError');
    assert.deepEqual([...emitter.eventNames()], []);
});
