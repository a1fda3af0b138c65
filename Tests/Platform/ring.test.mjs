// The ring's JavaScript end, where what goes wrong can be played only.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boot } from './harness.mjs';
import { makeRing } from './serve.mjs';

/** A number that is put into a map when `terminate` was called is the last thing that happens: as when a child is terminated there. */
const terminable = `{
    const { set } = Map.prototype;
    let isDue = false;
    globalThis.terminate = () => { isDue = true; };
    Map.prototype.set = function (key, value) {
        if (isDue && typeof value === 'number') { isDue = false; throw new Error('terminated'); }
        return Reflect.apply(set, this, [key, value]);
    };
}`;

function start() {
    const ring = makeRing();
    const realm = boot({ ring, first: terminable });
    const { trace } = realm.internal.builtin('@opentelemetry/api');
    return { ring, trace, terminate: realm.context.terminate };
}

test('an id of a string is given once, also when execution ends as it is given', () => {
    const { ring, trace, terminate } = start();
    const tracer = trace.getTracer('a');
    tracer.startSpan('before').end();
    terminate();
    tracer.startSpan('during').end();
    tracer.startSpan('after').end();
    tracer.startSpan('during').end();
    // `read` throws of an id that comes again.
    assert.deepEqual(ring.read().spans.map((span) => span.name), ['before', 'during', 'after', 'during']);
});

test('an id of a scope is given once, also when execution ends as it is given', () => {
    const { ring, trace, terminate } = start();
    trace.getTracer('before').startSpan('a').end();
    terminate();
    trace.getTracer('during').startSpan('a').end();
    trace.getTracer('after').startSpan('a').end();
    assert.deepEqual(ring.read().spans.map((span) => span.name), ['a', 'a', 'a']);
});

test('a text is cut once its secrets are out of it', () => {
    const ring = makeRing();
    const realm = boot({ ring, trace: { limits: { attributeLength: 8 } }, ops: () => ({ masked: (text) => text.replaceAll('hunter2-secret', '**************') }) });
    const { trace } = realm.internal.builtin('@opentelemetry/api');
    trace.getTracer('a').startSpan('cut').setAttributes({ whole: 'hunter2-secret', begun: 'a hunter2-secret', other: 'abcdefghijk' }).end();
    assert.deepEqual(JSON.parse(JSON.stringify(ring.read().spans[0].attributes)), { whole: '********', begun: 'a ******', other: 'abcdefgh' });
});
