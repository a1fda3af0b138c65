// Node departs from the standard in five of these: its EventTarget ignores phases, and isTrusted is no own property.
import { done, equal, ok, same, test, throws } from './assert.js';

test('listeners run in order, capturing ones first', () => {
    const target = new EventTarget();
    const order = [];
    target.addEventListener('x', () => order.push('a'));
    target.addEventListener('x', () => order.push('b'), true);
    target.addEventListener('x', { handleEvent(event) { order.push(this === event.currentTarget ? 'wrong' : 'c'); } });
    target.addEventListener('y', () => order.push('never'));
    equal(target.dispatchEvent(new Event('x')), true);
    same(order, ['b', 'a', 'c']);
});
test('the same listener is added once per phase', () => {
    const target = new EventTarget();
    let runs = 0;
    const listener = () => runs++;
    target.addEventListener('x', listener);
    target.addEventListener('x', listener, false);
    target.addEventListener('x', listener, { capture: true });
    target.dispatchEvent(new Event('x'));
    equal(runs, 2);
    target.removeEventListener('x', listener);
    target.dispatchEvent(new Event('x'));
    equal(runs, 3);
    target.removeEventListener('x', listener, true);
    target.dispatchEvent(new Event('x'));
    equal(runs, 3);
});
test('once, passive and signal', () => {
    const target = new EventTarget();
    let runs = 0;
    target.addEventListener('x', () => runs++, { once: true });
    target.addEventListener('x', (event) => event.preventDefault(), { passive: true });
    const controller = new AbortController();
    target.addEventListener('x', () => { runs += 10; }, { signal: controller.signal });
    target.addEventListener('x', () => { runs += 1000; }, { signal: AbortSignal.abort() });
    equal(target.dispatchEvent(new Event('x', { cancelable: true })), true);
    controller.abort();
    target.dispatchEvent(new Event('x'));
    equal(runs, 11);
});
test('preventDefault, stopImmediatePropagation and what an event tells', () => {
    const target = new EventTarget();
    const event = new Event('x', { cancelable: true, bubbles: true });
    let seen;
    target.addEventListener('x', (e) => {
        seen = [e === event, e.target === target, e.currentTarget === target, e.eventPhase, e.composedPath().length];
        e.preventDefault();
        e.stopImmediatePropagation();
    });
    target.addEventListener('x', () => { seen = 'not stopped'; });
    equal(target.dispatchEvent(event), false);
    same(seen, [true, true, true, 2, 1]);
    same([event.defaultPrevented, event.returnValue, event.currentTarget, event.eventPhase, event.isTrusted, event.bubbles], [true, false, null, 0, false, true]);
    throws(() => { event.isTrusted = true; }, 'TypeError');
    equal(Object.getOwnPropertyDescriptor(event, 'isTrusted').configurable, false);
    same([Event.AT_TARGET, event.CAPTURING_PHASE, Object.prototype.toString.call(event)], [2, 1, '[object Event]']);
});
test('an event cannot be dispatched within itself', () => {
    const target = new EventTarget();
    const event = new Event('x');
    let error;
    target.addEventListener('x', () => { try { target.dispatchEvent(event); } catch (e) { error = e; } });
    target.dispatchEvent(event);
    equal(error.name, 'InvalidStateError');
    ok(error instanceof DOMException && error instanceof Error);
    equal(error.code, 11);
    throws(() => target.dispatchEvent({}), 'TypeError');
});
test('listeners added or removed while dispatching', () => {
    const target = new EventTarget();
    const order = [];
    const second = () => order.push('second');
    target.addEventListener('x', () => { order.push('first'); target.removeEventListener('x', second); target.addEventListener('x', () => order.push('late')); }, { once: true });
    target.addEventListener('x', second);
    target.dispatchEvent(new Event('x'));
    same(order, ['first']);
    target.dispatchEvent(new Event('x'));
    same(order, ['first', 'late']);
});
test('CustomEvent and subclasses', () => {
    class Special extends EventTarget {}
    const target = new Special();
    let detail;
    target.addEventListener('x', (event) => { detail = event.detail; });
    target.dispatchEvent(new CustomEvent('x', { detail: { a: 1 } }));
    same(detail, { a: 1 });
    equal(new CustomEvent('x').detail, null);
    throws(() => new Event(), 'TypeError');
    throws(() => EventTarget.prototype.addEventListener.call({}, 'x', () => {}), 'TypeError');
});
test('AbortController', () => {
    const controller = new AbortController();
    const { signal } = controller;
    const order = [];
    signal.onabort = (event) => order.push(`on ${event.type} ${event.isTrusted}`);
    signal.addEventListener('abort', () => order.push('listener'));
    equal(signal.aborted, false);
    equal(signal.reason, undefined);
    signal.throwIfAborted();
    controller.abort();
    controller.abort('again');
    same(order, ['on abort true', 'listener']);
    equal(signal.reason.name, 'AbortError');
    equal(signal.reason.code, 20);
    throws(() => signal.throwIfAborted(), 'AbortError');
    throws(() => new AbortSignal(), 'TypeError');
    equal(AbortSignal.abort(5).reason, 5);
});
test('AbortSignal.any follows whichever comes first', () => {
    const [a, b] = [new AbortController(), new AbortController()];
    const any = AbortSignal.any([a.signal, b.signal]);
    const nested = AbortSignal.any([any]);
    let runs = 0;
    nested.addEventListener('abort', () => runs++);
    b.abort('b');
    a.abort('a');
    same([any.reason, nested.reason, runs], ['b', 'b', 1]);
    equal(AbortSignal.any([AbortSignal.abort(1), AbortSignal.abort(2)]).reason, 1);
    equal(AbortSignal.any([]).aborted, false);
    throws(() => AbortSignal.any([{}]), 'TypeError');
});
test('AbortSignal.timeout', async () => {
    const signal = AbortSignal.timeout(5);
    await new Promise((resolve) => { signal.onabort = resolve; setTimeout(() => {}, 50); });
    equal(signal.reason.name, 'TimeoutError');
    equal(signal.reason.code, 23);
    throws(() => AbortSignal.timeout(-1), process.versions.node === undefined ? 'TypeError' : 'RangeError');
});
test('DOMException', () => {
    const error = new DOMException('message', 'NotFoundError');
    same([error.name, error.message, error.code, String(error), error.NOT_FOUND_ERR, DOMException.ABORT_ERR], ['NotFoundError', 'message', 8, 'NotFoundError: message', 8, 20]);
    ok(error instanceof Error && typeof error.stack === 'string' && error.stack.includes('NotFoundError: message'));
    same([new DOMException().name, new DOMException().message, new DOMException('', 'Odd').code], ['Error', '', 0]);
    equal(Object.prototype.toString.call(error), '[object DOMException]');
});
await done();
