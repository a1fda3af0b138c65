// Makes one span with everything a span can carry, and tells on stdout, as JSON, what ids it has seen.
import { trace, context, SpanKind, SpanStatusCode, ROOT_CONTEXT, TraceFlags, createTraceState } from '@opentelemetry/api';

const tracer = trace.getTracer('fields', '1.2.3');

const everything = tracer.startSpan('everything', {
    kind: SpanKind.CLIENT,
    startTime: [1700000000, 123456789],
    attributes: { 'at.start': true, overwritten: 'old' },
    links: [{ context: { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1, traceState: createTraceState('a=1,b=2') }, attributes: { why: 'link' } }],
}, ROOT_CONTEXT);
everything.setAttribute('string', 'plain');
everything.setAttribute('empty', '');
everything.setAttribute('unicode', 'grüße ☃ 𝒳 日本語');
everything.setAttribute('long', 'x'.repeat(70000));
everything.setAttribute('true', true);
everything.setAttribute('false', false);
everything.setAttribute('zero', 0);
everything.setAttribute('negative', -42);
everything.setAttribute('beyond28bits', 2 ** 31 + 5);
everything.setAttribute('safe', Number.MAX_SAFE_INTEGER);
everything.setAttribute('unsafe', -Number.MAX_SAFE_INTEGER);
everything.setAttribute('double', 0.1);
everything.setAttribute('tiny', Number.MIN_VALUE);
everything.setAttribute('huge', 1.5e300);
everything.setAttributes({ strings: ['a', '', 'ü'], numbers: [1, 2, 3], doubles: [0.5, 1.5], bools: [true, false], none: [], overwritten: 'new' });
everything.addEvent('plain event');
everything.addEvent('timed event', { size: 7, name: 'ev' }, [1700000000, 200000000]);
everything.addLink?.({ context: { traceId: '11111111111111111111111111111111', spanId: '2222222222222222', traceFlags: 0 } });
everything.updateName('everything, renamed');
everything.setStatus({ code: SpanStatusCode.ERROR, message: 'said so' });
everything.end([1700000001, 5]);
everything.setAttribute('late', 1);
everything.end();

const kinds = {};
for (const kind of ['INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER']) {
    const span = tracer.startSpan(`kind ${kind}`, { kind: SpanKind[kind] });
    span.setStatus({ code: SpanStatusCode.OK });
    span.end();
    kinds[kind] = span.spanContext().spanId;
}

const remote = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7', traceFlags: TraceFlags.SAMPLED, isRemote: true, traceState: createTraceState('rojo=00f067aa0ba902b7,congo=t61rcWkgMzE') };
const child = tracer.startSpan('remote child', {}, trace.setSpanContext(ROOT_CONTEXT, remote));
child.end();

const failed = tracer.startSpan('recorded exception');
try {
    null.property;
} catch (error) {
    failed.recordException(error);
}
failed.recordException('just a text');
failed.end();

const many = tracer.startSpan('over the limits');
for (let i = 0; i < 200; i++) many.setAttribute(`key.${i}`, i);
for (let i = 0; i < 150; i++) many.addEvent(`event ${i}`);
many.end();

console.log(JSON.stringify({ everything: everything.spanContext(), kinds, child: child.spanContext(), run: trace.getActiveSpan()?.spanContext() }));
