// attack: what a request's span and context have inside, to answer another request in its place
// command: serve
// policy| modules: ["@opentelemetry/api", "./**"]
// request: GET /a -> 200 held
// request: GET /b -> 200 held
import { context, trace } from '@opentelemetry/api';
export default {
    fetch() {
        for (const list of [trace.getActiveSpan(), context.active()].flatMap(({ _values, _stores }) => [_values, _stores])) {
            for (let node = list; node; node = node.next) {
                const { value } = node;
                if (typeof value === 'object' && value !== null && Reflect.ownKeys(value).length > 0) return new Response('ESCAPED');
            }
        }
        return new Response('held');
    },
};
