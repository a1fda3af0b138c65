// Ends a span inside of another, which stays open, and then throws, or waits to be killed. For Sidelight and Deno.
const sidelight = typeof Deno === 'undefined';
const tracer = sidelight ? (await import('@opentelemetry/api')).trace.getTracer('loss') : Deno.telemetry.tracerProvider.getTracer('loss');
const [how] = sidelight ? process.argv.slice(2) : Deno.args;

tracer.startActiveSpan('left-open', () => {
    tracer.startActiveSpan('ended-before', (span) => span.end());
    if (how === 'throw') throw new Error('the end');
});
console.log('open');
setInterval(() => {}, 1000);
