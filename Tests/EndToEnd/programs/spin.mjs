import { trace } from '@opentelemetry/api';

trace.getTracer('spin').startSpan('ended before').end();
for (;;);
