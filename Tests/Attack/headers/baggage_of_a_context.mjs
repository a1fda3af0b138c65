// attack: baggage and trace state that go out as header lines
// policy: standard
// expect: held
import { context, propagation, trace } from '@opentelemetry/api';

const taken = [];
const evil = 'v\r\nset-cookie: a=b';
const baggage = propagation.createBaggage({ good: { value: evil }, ['k\r\nx']: { value: 'v' }, other: { value: 'v', metadata: evil } });
const carrier = {};
await trace.getTracer('t').startActiveSpan('s', async (span) => {
    propagation.inject(propagation.setBaggage(context.active(), baggage), carrier);
    span.end();
});
for (const [name, value] of Object.entries(carrier)) {
    if (/[\r\n\0]/.test(name + value)) taken.push(JSON.stringify([name, value]));
}
console.log(taken.length ? `ESCAPED: ${taken}` : 'held');
