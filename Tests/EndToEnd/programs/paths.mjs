// Spans whose keys come in changing orders with values that repeat and change. Prints what each should have.
import { trace } from '@opentelemetry/api';

const tracer = trace.getTracer('paths');
let seed = 42;
const random = (below) => (seed = seed * 1103515245 + 12345 & 0x7fffffff) % below;
const pick = (list) => list[random(list.length)];

const keys = ['method', 'path', 'status', 'index', 'user', 'cached', 'parts', 'note'];
const values = ['GET', 'GET', 'GET', 'POST', '', 'ü', 'x'.repeat(64), 'y'.repeat(65), 'z'.repeat(300), 0, 200, -1, 0.5, 2 ** 40, true, false, ['a', 'b'], [1, 2]];
const orders = [keys, [...keys].reverse(), ['method', 'path', 'method', 'status'], ['user', 'user', 'user'], ['method', 'path', 'status', 'cached', 'note']];
const expected = {};

function note(span, name, parent, attributes, events) {
    expected[span.spanContext().spanId] = { name, parent: parent?.spanContext().spanId ?? '', attributes, events };
}

function fill(span, attributes, events, round) {
    for (const key of pick(orders)) {
        // Mostly the same, sometimes another one, sometimes one never seen.
        const value = key === 'user' ? `user ${round}` : random(4) ? values[keys.indexOf(key)] : pick(values);
        if (random(8) === 0) span.setAttributes({ [key]: value });
        else span.setAttribute(key, value);
        attributes[key] = value;
        if (random(5) === 0) {
            const name = pick(['hit', 'miss', `event ${round}`]);
            span.addEvent(name);
            events.push(name);
        }
    }
}

function one(round, parent) {
    const name = pick(['load', 'save', 'load', `other ${round % 50}`]);
    const options = random(3) ? undefined : { attributes: { path: '/at/start', method: 'GET' } };
    tracer.startActiveSpan(name, options, (span) => {
        const attributes = { ...options?.attributes }, events = [];
        note(span, name, parent, attributes, events);
        fill(span, attributes, events, round);
        if (parent === undefined || random(3) === 0) one(round, span);
        fill(span, attributes, events, round);
        span.end();
    });
}
for (let round = 0; round < 1500; round++) {
    one(round);
    if (round % 100 === 99) await new Promise((resolve) => setTimeout(resolve, 5));
}

// A getter that throws costs its own attribute only, the first time and when the path is known.
for (let round = 0; round < 40; round++) {
    const attributes = { before: 'kept', get broken() { throw new Error('no'); }, after: round };
    const span = tracer.startSpan('getter', { attributes });
    span.setAttributes(attributes);
    note(span, 'getter', undefined, { before: 'kept', after: round }, []);
    span.end();
}

// More keys than a path has, and than a span may have.
for (let round = 0; round < 40; round++) {
    const span = tracer.startSpan('wide'), attributes = {};
    for (let i = 0; i < 40; i++) span.setAttribute(`key ${i}`, attributes[`key ${i}`] = i % 3 ? `value ${i}` : round);
    note(span, 'wide', undefined, attributes, []);
    span.end();
}
console.log(JSON.stringify(expected));
