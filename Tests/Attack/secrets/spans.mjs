// attack: a secret as name, attribute, event, status and link of spans, as baggage and as a metric
// policy| base: standard
// policy| secrets: {TOKEN: {env: CANARY}}
// expect: held
import { context, metrics, propagation, SpanStatusCode, trace } from '@opentelemetry/api';
const secret = process.env.TOKEN;
const tracer = trace.getTracer(`tracer of ${secret}`, secret);
tracer.startActiveSpan(`login ${secret}`, (span) => {
    span.setAttribute('password', secret);
    span.setAttribute(secret, [secret, 'x']);
    span.addEvent(secret, { secret });
    span.recordException(new Error(secret));
    span.setStatus({ code: SpanStatusCode.ERROR, message: secret });
    span.end();
});
console.log('held');
