// Ends spans for as long as it may and writes the number of each to stdout after its end() has returned.
import { trace, ROOT_CONTEXT } from '@opentelemetry/api';

const tracer = trace.getTracer('kill');
const open = tracer.startSpan('open root', {}, ROOT_CONTEXT);
open.setAttribute('lost', true);
console.log(`pid ${process.pid}`);

for (let number = 0; ; ) {
    for (let burst = 0; burst < 50; burst++, number++) {
        tracer.startActiveSpan('outer', (outer) => {
            tracer.startActiveSpan('inner', (span) => {
                span.setAttributes({ number, text: 'a value', flag: true, ratio: 0.5 });
                span.addEvent('happened', { number });
                span.end();
            });
            outer.end();
        });
        console.log(`${number}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
}
