// Events of the global object: errors and rejections that nobody caught (https://html.spec.whatwg.org/#report-an-exception,
// https://html.spec.whatwg.org/#unhandled-promise-rejections), and performance observers.
import { done, equal, same, test, throws } from './assert.js';

const turn = () => new Promise((resolve) => { setTimeout(resolve, 5); });

test('the global object is an event target', () => {
    let seen;
    const listener = function (event) { seen = [this === globalThis, event.target === globalThis, event.currentTarget === globalThis, event.isTrusted]; };
    addEventListener('own', listener);
    globalThis.dispatchEvent(new Event('own'));
    same(seen, [true, true, true, false]);
    seen = undefined;
    self.removeEventListener('own', listener);
    dispatchEvent(new Event('own'));
    equal(seen, undefined);
    equal(addEventListener, EventTarget.prototype.addEventListener);
    const controller = new AbortController();
    addEventListener('own', listener, { signal: controller.signal });
    controller.abort();
    dispatchEvent(new Event('own'));
    equal(seen, undefined);
});
test('an error that nobody caught is an event, and canceled when a listener says so', async () => {
    const events = [];
    const listener = (event) => {
        event.preventDefault();
        events.push([event.constructor.name, event.isTrusted, event.cancelable, event.error?.message ?? event.error, event.message, event.filename.endsWith('global_events.js') || event.filename, event.lineno > 0]);
    };
    addEventListener('error', listener);
    let heard = 0;
    const onUncaught = () => heard++;
    process.on('uncaughtException', onUncaught);
    reportError(new TypeError('one'));
    reportError('text');
    setTimeout(() => { throw new RangeError('two'); }, 1);
    queueMicrotask(() => { throw new Error('three'); });
    const target = new EventTarget();
    target.addEventListener('x', () => { throw new Error('four'); });
    target.dispatchEvent(new Event('x'));
    await turn();
    removeEventListener('error', listener);
    process.off('uncaughtException', onUncaught);
    same(events, [
        ['ErrorEvent', true, true, 'one', 'Uncaught TypeError: one', true, true], ['ErrorEvent', true, true, 'text', "Uncaught 'text'", '', false],
        ['ErrorEvent', true, true, 'four', 'Uncaught Error: four', true, true], ['ErrorEvent', true, true, 'three', 'Uncaught Error: three', true, true],
        ['ErrorEvent', true, true, 'two', 'Uncaught RangeError: two', true, true],
    ]);
    equal(heard, 0);
});
test('without preventDefault the listeners of process come next', () => {
    const order = [];
    const listener = () => { order.push('event'); };
    const onUncaught = (error) => { order.push(error.message); };
    addEventListener('error', listener);
    process.on('uncaughtException', onUncaught);
    reportError(new Error('both'));
    same(order, ['event', 'both']);
    removeEventListener('error', listener);
    process.off('uncaughtException', onUncaught);
});
test('onerror gets what the event holds, and true cancels', () => {
    let got;
    globalThis.onerror = function (message, filename, lineno, colno, error) { got = [message, typeof filename, lineno > 0, colno > 0, error.message, arguments.length]; return true; };
    reportError(new Error('handled'));
    globalThis.onerror = null;
    same(got, ['Uncaught Error: handled', 'string', true, true, 'handled', 5]);
    equal(onerror, null);
});
test('a rejection that nobody handles is an event, and another one when somebody does later', async () => {
    const log = [];
    const reason = new Error('why');
    let promise;
    const onUnhandled = (event) => { log.push([event.type, event.constructor.name, event.promise === promise, event.reason === reason, event.cancelable]); event.preventDefault(); };
    const onHandled = (event) => { log.push([event.type, event.constructor.name, event.promise === promise, event.reason === reason, event.cancelable]); };
    addEventListener('unhandledrejection', onUnhandled);
    addEventListener('rejectionhandled', onHandled);
    const told = [];
    const onRejectionHandled = (handled) => told.push(handled === promise);
    process.on('rejectionHandled', onRejectionHandled);
    promise = Promise.reject(reason);
    await turn();
    promise.catch(() => {});
    await turn();
    const early = Promise.reject(1);
    early.catch(() => {});
    await turn();
    removeEventListener('unhandledrejection', onUnhandled);
    removeEventListener('rejectionhandled', onHandled);
    process.off('rejectionHandled', onRejectionHandled);
    same(log, [['unhandledrejection', 'PromiseRejectionEvent', true, true, true], ['rejectionhandled', 'PromiseRejectionEvent', true, true, false]]);
    same(told, [true]);
});
test('onunhandledrejection, and process.on behind it with the promise', async () => {
    const order = [];
    globalThis.onunhandledrejection = (event) => { order.push(`event ${event.reason}`); };
    let promise;
    const listener = (reason, rejected) => { order.push(`process ${reason} ${rejected === promise}`); };
    process.on('unhandledRejection', listener);
    promise = Promise.reject(5);
    await turn();
    globalThis.onunhandledrejection = null;
    process.off('unhandledRejection', listener);
    same(order, ['event 5', 'process 5 true']);
});
test('PromiseRejectionEvent wants a promise', () => {
    for (const init of [undefined, null, {}, { promise: 5 }]) throws(() => new PromiseRejectionEvent('x', init), 'TypeError');
    equal(new PromiseRejectionEvent('x', { promise: Promise.resolve() }).reason, undefined);
});
test('a performance observer hears of marks and measures', async () => {
    const calls = [];
    const observer = new PerformanceObserver(function (list, self, options) {
        calls.push([this === observer && self === observer, list.getEntries().map((entry) => entry.name), list.getEntriesByType('measure').length, list.getEntriesByName('a').length, options.droppedEntriesCount]);
    });
    observer.observe({ entryTypes: ['mark', 'measure', 'nonsense'] });
    performance.mark('b', { startTime: 2 });
    performance.mark('a', { startTime: 1 });
    performance.measure('m', 'a', 'b');
    equal(calls.length, 0);
    await turn();
    observer.disconnect();
    performance.mark('unheard');
    await turn();
    same(calls, [[true, ['a', 'm', 'b'], 1, 1, 0]]);
    throws(() => observer.observe({}), 'TypeError');
    throws(() => observer.observe({ type: 'mark', entryTypes: ['mark'] }), 'TypeError');
    throws(() => new PerformanceObserver(), 'TypeError');
    same(PerformanceObserver.supportedEntryTypes, ['mark', 'measure']);
    equal(PerformanceObserver.supportedEntryTypes, PerformanceObserver.supportedEntryTypes);
    performance.clearMarks();
    performance.clearMeasures();
});
test('observers by type, buffered ones, and takeRecords', async () => {
    performance.mark('before');
    let names = [];
    const observer = new PerformanceObserver((list) => { names.push(...list.getEntries().map((entry) => entry.name)); });
    observer.observe({ type: 'mark', buffered: true });
    throws(() => observer.observe({ entryTypes: ['mark'] }), 'InvalidModificationError');
    await turn();
    performance.mark('after');
    same(observer.takeRecords().map((entry) => entry.name), ['after']);
    await turn();
    same(names, ['before']);
    observer.disconnect();
    observer.observe({ entryTypes: ['measure'] });
    observer.disconnect();
    performance.clearMarks();
    same(Object.keys(performance.toJSON()), ['timeOrigin']);
    throws(() => performance.getEntriesByName(), 'TypeError');
});
await done();
