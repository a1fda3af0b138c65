// N spans, paced.
import { trace } from '@opentelemetry/api';

const tracer = trace.getTracer('many');
const count = Number(process.argv[2] ?? 1000);
for (let i = 0; i < count; i++) {
    tracer.startActiveSpan('unit', { attributes: { i } }, (span) => span.end());
    if (i % 200 === 199) await new Promise((resolve) => setTimeout(resolve, 1));
}
console.log('made', count);
