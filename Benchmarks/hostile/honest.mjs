// The neighbour that is to feel nothing: some work, some memory, a span.
import { trace } from '@opentelemetry/api';

const tracer = trace.getTracer('honest');

export default {
    fetch(request, env) {
        return tracer.startActiveSpan('work', (span) => {
            const seen = [];
            for (let i = 0; i < 200; i++) seen.push({ index: i, text: `entry ${i}` });
            span.setAttribute('count', seen.length);
            span.end();
            return new Response(seen.length === 200 && env.CANARY !== undefined ? 'Hello, World!' : 'something is wrong');
        });
    },
};
