// attack: a million spans
// policy: standard
// limits: spans-per-second=100
// expect: held
// expect-limit: spans-per-second
import { trace } from '@opentelemetry/api';
const tracer = trace.getTracer('flood');
for (let i = 0; i < 1e6; i++) tracer.startSpan('x').end();
console.log('held');
