// The workload of "a span from JS": startActiveSpan, four attributes, one event, end; nested two deep. Whoever imports this hands
// in a tracer with the interface of @opentelemetry/api; the code that is measured is the same for every contender.
//
// Arguments: MODE SPANS. `tight` makes the spans in one go, `paced` yields to the event loop every 200. Prints one line of JSON.

const warmUpSpans = 20_000;
const spansBetweenYields = 200;

function pair(tracer, i) {
    tracer.startActiveSpan('outer', (outer) => {
        decorate(outer, i);
        tracer.startActiveSpan('inner', (inner) => {
            decorate(inner, i);
            inner.end();
        });
        outer.end();
    });
}

function decorate(span, i) {
    span.setAttribute('http.request.method', 'GET');
    span.setAttribute('url.path', '/api/items');
    span.setAttribute('http.response.status_code', 200);
    span.setAttribute('item.index', i);
    span.addEvent('cache.miss');
}

function tight(tracer, spans) {
    for (let i = 0; i < spans; i += 2) pair(tracer, i);
}

async function paced(tracer, spans) {
    for (let made = 0; made < spans; made += spansBetweenYields) {
        tight(tracer, Math.min(spansBetweenYields, spans - made));
        await new Promise((resolve) => setTimeout(resolve, 0));
    }
}

// Warming up is paced too, so that it costs no contender its queue; with SPANS 0 it is left out, which gives the cost of all the rest.
export async function measure(tracer, [mode, count]) {
    const spans = Number(count);
    const warmUp = spans > 0 ? warmUpSpans : 0;
    await paced(tracer, warmUp);
    const began = performance.now();
    if (mode === 'tight') tight(tracer, spans);
    else await paced(tracer, spans);
    const wallNanoseconds = (performance.now() - began) * 1e6;
    console.log(JSON.stringify({ warmUp, spans, wallNanosecondsPerSpan: spans > 0 ? wallNanoseconds / spans : 0 }));
}
