import { trace } from '@opentelemetry/api';

trace.getTracer('oom').startSpan('ended before').end();
const kept = [];
for (;;) kept.push(new Array(10000).fill(kept.length));
