import { trace } from '@opentelemetry/api';

const tracer = trace.getTracer('pool');
self.onmessage = ({ data }) => {
    tracer.startActiveSpan('work', (span) => {
        span.setAttribute('number', data);
        span.end();
    });
    postMessage(data);
};
