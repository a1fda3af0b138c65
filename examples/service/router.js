// Finds the handler of a request. The pattern that matches gives the request's span its name and its http.route: nothing else is needed.
import { SpanStatusCode, trace } from '@opentelemetry/api';

/** An answer that is an error of the caller, or of somebody we asked. */
export class Problem extends Error {
    name = 'Problem';

    constructor(status, message, options) {
        super(message, options);
        this.status = status;
    }
}

const tracer = trace.getTracer('notes', '1.0.0');

/** A step of a request that deserves a span of its own. */
export function step(name, attributes, work) {
    return tracer.startActiveSpan(name, { attributes }, async (span) => {
        try {
            return await work(span);
        } catch (error) {
            span.recordException(error);
            span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
            throw error;
        } finally {
            span.end();
        }
    });
}

export function makeRouter(table) {
    const routes = Object.entries(table).map(([pathname, methods]) => ({ pattern: new URLPattern({ pathname }), methods }));
    return async function route(request, env, ctx) {
        try {
            for (const { pattern, methods } of routes) {
                const match = pattern.exec(request.url);
                if (match === null) continue;
                const handler = methods[request.method];
                if (handler === undefined) return refused(405, `${request.method} is not for this`, { allow: Object.keys(methods).join(', ') });
                return await handler(match.pathname.groups, request, env, ctx);
            }
            return refused(404, 'nothing is here');
        } catch (error) {
            // What is not a Problem is a fault of ours: Sidelight records it, with its stack, and answers 500.
            if (!(error instanceof Problem)) throw error;
            console.warn(`${error.status}: ${error.message}`);
            return refused(error.status, error.message);
        }
    };
}

function refused(status, message, headers = {}) {
    return Response.json({ error: message }, { status, headers });
}
