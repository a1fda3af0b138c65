import { trace, ROOT_CONTEXT } from '@opentelemetry/api';

const tracer = trace.getTracer('exit');
tracer.startSpan('open root', {}, ROOT_CONTEXT);
tracer.startActiveSpan('in the middle', (span) => {
    tracer.startSpan('ended').end();
    console.log('before');
    setTimeout(() => console.log('never'), 1);
    process.exit(Number(process.argv[2] ?? 0));
});
