// A pool of children under load. `node`: what a span of each message says; the parent prints a number once its answer has come.
import { trace, ROOT_CONTEXT } from '@opentelemetry/api';

const tracer = trace.getTracer('pool');
const open = tracer.startSpan('open root', {}, ROOT_CONTEXT);
open.setAttribute('lost', true);
console.log(`pid ${process.pid}`);
let number = 0;
for (let i = 0; i < 4; i++) {
    const worker = new Worker('./pool_child.mjs', { type: 'module', name: `child ${i}` });
    const post = () => tracer.startActiveSpan('ask', (span) => {
        worker.postMessage(number++);
        span.end();
    });
    worker.onmessage = ({ data }) => {
        console.log(`${data}`);
        post();
    };
    post();
}
