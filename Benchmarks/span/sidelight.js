import { trace } from '@opentelemetry/api';
import { measure } from './measure.js';

await measure(trace.getTracer('span-benchmark'), process.argv.slice(2));
