// Values that throw at whatever is asked of them, given to the tracing API; then a prototype whose methods are no longer ours. Prints what got through.
import { context, trace } from '@opentelemetry/api';

const tracer = trace.getTracer('hostile');
const refuse = () => { throw new Error('asked'); };
const everything = {
    get: refuse, has: refuse, ownKeys: refuse, getOwnPropertyDescriptor: refuse, getPrototypeOf: refuse, apply: refuse, construct: refuse,
};
const { proxy: revoked, revoke } = Proxy.revocable([], {});
revoke();
const getter = (...names) => {
    const object = {};
    for (const name of names) Object.defineProperty(object, name, { get: refuse, enumerable: true });
    return object;
};
const values = {
    proxy: new Proxy({}, everything), list: new Proxy([], everything), revoked,
    getters: getter('kind', 'root', 'startTime', 'attributes', 'links', 'code', 'message', 'context', 'spanContext', 'traceId', 'name', 'stack', 'length', '0'),
    symbol: Symbol('no number'), bigint: 1n, text: { toString: refuse, valueOf: refuse, [Symbol.toPrimitive]: refuse },
};
const through = [];

function attempt(what, action) {
    try {
        action();
    } catch (error) {
        through.push(`${what}: ${error}`);
    }
}

for (const name in values) {
    const bad = values[name];
    const good = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 };
    const calls = {
        startSpan: () => tracer.startSpan(`${name} options`, bad).end(),
        'options of each kind': () =>
            tracer.startSpan(`${name} members`, { kind: bad, root: bad, startTime: bad, attributes: bad, links: bad }).end(),
        'context of startSpan': () => tracer.startSpan(`${name} context`, {}, bad).end(),
        startActiveSpan: () => tracer.startActiveSpan(`${name} active`, bad, (span) => span.end()),
        'context of startActiveSpan': () => tracer.startActiveSpan(`${name} active context`, {}, bad, (span) => span.end()),
        'a span of its own': () =>
            context.with(trace.setSpan(context.active(), bad), () => {
                tracer.startSpan(`${name} parent`).end();
                console.log('beside a span of its own');
            }),
        'a context of its own': () =>
            context.with(trace.setSpan(context.active(), { spanContext: () => bad }), () => {
                tracer.startSpan(`${name} parent context`).end();
                console.log('beside a context of its own');
            }),
    };
    for (const what in calls) attempt(`${name}, ${what}`, calls[what]);
    const span = tracer.startSpan(`${name} methods`);
    const methods = {
        setStatus: () => span.setStatus(bad),
        'a code': () => span.setStatus({ code: bad }),
        'a message': () => span.setStatus({ code: 2, message: bad }),
        addLink: () => span.addLink(bad),
        'context of a link': () => span.addLink({ context: bad }),
        'attributes of a link': () => span.addLink({ context: good, attributes: bad, droppedAttributesCount: bad }),
        'state of a link': () => span.addLink({ context: { ...good, traceState: bad } }),
        addLinks: () => span.addLinks(bad),
        'links within': () => span.addLinks([bad]),
        addEvent: () => span.addEvent(bad),
        'attributes of an event': () => span.addEvent('event', bad),
        'time of an event': () => span.addEvent('event', {}, bad),
        recordException: () => span.recordException(bad),
        'time of an exception': () => span.recordException(new Error('fine'), bad),
        setAttributes: () => span.setAttributes(bad),
        setAttribute: () => span.setAttribute('key', bad),
        'a key': () => span.setAttribute(bad, 1),
        updateName: () => span.updateName(`${name} methods`),
        'a name': () => tracer.startSpan(bad).end(),
        end: () => span.end(bad),
    };
    for (const what in methods) attempt(`${name}, ${what}`, methods[what]);
}

// What the platform records must not go through what the program can change.
const span = tracer.startSpan('last');
const prototype = Object.getPrototypeOf(span);
for (const name of Object.getOwnPropertyNames(prototype)) {
    if (name !== 'constructor') prototype[name] = refuse;
}
await fetch('http://127.0.0.1:9/').catch(() => {});
process.stdout.write(JSON.stringify(through));
process.exit(3);
