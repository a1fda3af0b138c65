// The same three keys again and again, with limits from the environment that stop the third.
import { trace } from '@opentelemetry/api';

const tracer = trace.getTracer('limited');
for (let round = 0; round < 50; round++) {
    const span = tracer.startSpan('limited');
    span.setAttribute('one', 'abcdefgh');
    span.setAttribute('two', `${round} and more`);
    span.setAttribute('three', 'too many');
    span.setAttribute('one', 'ABCDEFGH');
    span.end();
}
