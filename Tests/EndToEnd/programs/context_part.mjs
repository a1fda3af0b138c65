import { trace } from '@opentelemetry/api';

trace.getTracer('part', '9').startSpan('while loading').end();
export const run = (callback) => callback();
