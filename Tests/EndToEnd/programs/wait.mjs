// Opens a root span, says so, and waits to be ended.
import { trace, ROOT_CONTEXT } from '@opentelemetry/api';

trace.getTracer('wait').startSpan('open root', {}, ROOT_CONTEXT);
trace.getTracer('wait').startSpan('done').end();
console.log(`pid ${process.pid}`);
setInterval(() => {}, 1000);
