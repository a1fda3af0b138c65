// What is recorded of an exception: attributes by OpenTelemetry's conventions, with what it says of other errors.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boot } from './harness.mjs';
import { makeRing } from './serve.mjs';

const ring = makeRing();
const realm = boot({ ring });
const { exceptionAttributes } = realm.internal.traceValues;

const error = (message, more) => Object.assign(new Error(message), { stack: `Error: ${message}\n    at f (${message}.js:1:2)` }, more);
const stack = (exception) => exceptionAttributes(exception)['exception.stacktrace'];

test('causes follow the stack, one behind the other, and end', () => {
    assert.equal(
        stack(error('a', { cause: error('b', { cause: 'text' }) })),
        'Error: a\n    at f (a.js:1:2)\n[cause]: Error: b\n    at f (b.js:1:2)\n[cause]: text');
    const circle = error('a');
    circle.cause = error('b', { cause: circle });
    assert.equal(stack(circle).split('[cause]').length, 9);
});

test('members of an AggregateError follow its stack, eight at most', () => {
    const many = error('many', { errors: [error('a'), 'no error', error('b')], cause: error('c') });
    assert.equal(
        stack(many),
        'Error: many\n    at f (many.js:1:2)\n[errors][0]: Error: a\n    at f (a.js:1:2)\n[errors][2]: Error: b\n    at f (b.js:1:2)\n'
        + '[cause]: Error: c\n    at f (c.js:1:2)');
    const more = stack(error('more', { errors: Array.from({ length: 1000 }, (_, i) => error(`e${i}`)) }));
    assert.match(more, /\[errors\]\[7\]: Error: e7\n.*\n\[errors\]: 992 more$/);
});

test('errors that are something else are left out', () => {
    for (const errors of [{ length: 3 }, [{ path: 'x' }, null, 1], 'text', []]) {
        assert.equal(stack(error('a', { errors })), 'Error: a\n    at f (a.js:1:2)');
    }
    const hostile = error('a');
    Object.defineProperty(hostile, 'errors', { get() { throw new Error('getter'); } });
    assert.equal(exceptionAttributes(hostile)['exception.message'], 'a');
});

test('an error that the console prints is recorded the same way', () => {
    ring.read();
    realm.context.console.error('caught', error('a', { cause: error('b') }));
    const [log] = ring.read().logs;
    assert.match(log.attributes['exception.stacktrace'], /\n\[cause\]: Error: b\n/);
    assert.equal(log.attributes['exception.message'], 'a');
});
