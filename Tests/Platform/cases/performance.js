import { done, equal, ok, same, test, throws } from './assert.js';

test('now is monotonic and small, timeOrigin is Unix time', () => {
    const [a, b] = [performance.now(), performance.now()];
    ok(a >= 0 && b >= a && b < 600_000);
    ok(Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 5000);
});
test('marks and measures', () => {
    const mark = performance.mark('a', { detail: { x: 1 }, startTime: 5 });
    same([mark.name, mark.entryType, mark.startTime, mark.duration, mark.detail], ['a', 'mark', 5, 0, { x: 1 }]);
    performance.mark('b', { startTime: 9 });
    const measure = performance.measure('m', 'a', 'b');
    same([measure.entryType, measure.startTime, measure.duration], ['measure', 5, 4]);
    same(performance.measure('n', { start: 1, duration: 2, detail: 'd' }).toJSON().duration, 2);
    same(performance.getEntries().map((entry) => entry.name), ['n', 'a', 'm', 'b']);
    same(performance.getEntriesByType('mark').map((entry) => entry.name), ['a', 'b']);
    equal(performance.getEntriesByName('m')[0], measure);
    performance.clearMarks('a');
    performance.clearMeasures();
    same(performance.getEntries().map((entry) => entry.name), ['b']);
    throws(() => performance.measure('x', 'missing'), 'SyntaxError', 'missing');
    ok(mark instanceof PerformanceMark && mark instanceof PerformanceEntry && measure instanceof PerformanceMeasure);
    throws(() => new PerformanceEntry(), 'TypeError');
    performance.clearMarks();
});
test('observers that go leave the others in order', async () => {
    const seen = [];
    const count = 200_000; // half the square of it: this ends, or it does not
    const observers = Array.from({ length: count }, (_, i) => new PerformanceObserver(() => { seen.push(i); }));
    for (const observer of observers) observer.observe({ type: 'mark' });
    for (let i = 0; i < count; i++) if (i !== 2 && i !== 3 && i !== 7) observers[i].disconnect();
    observers[2].disconnect();
    observers[2].observe({ type: 'mark' });
    performance.mark('seen');
    for (let turn = 0; turn < 1000 && seen.length < 3; turn++) await new Promise((resolve) => { setTimeout(resolve, 1); });
    same(seen, [3, 7, 2]);
    for (const i of [2, 3, 7]) observers[i].disconnect();
    performance.clearMarks();
});
test('null is an empty dictionary, and a text no sequence', () => {
    performance.mark('here');
    equal(performance.measure('from the beginning', null, 'here').startTime, 0);
    throws(() => new PerformanceObserver(() => {}).observe({ entryTypes: 'mark' }), 'TypeError');
    throws(() => new Blob('text'), 'TypeError');
    performance.clearMarks();
    performance.clearMeasures();
});
await done();
