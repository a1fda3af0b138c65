// The second service: POST /tags with a text answers the words that say most about it. It knows nothing of the first one.
import { trace } from '@opentelemetry/api';

const tracer = trace.getTracer('tags', '1.0.0');
const tagsPattern = new URLPattern({ pathname: '/tags' });

export default {
    async fetch(request) {
        if (!tagsPattern.test(request.url)) return Response.json({ error: 'only /tags is here' }, { status: 404 });
        if (request.method !== 'POST') return Response.json({ error: 'POST a text' }, { status: 405, headers: { allow: 'POST' } });
        const text = await request.text();
        const tags = tracer.startActiveSpan('choose tags', (span) => {
            const words = new Set(text.toLowerCase().match(/\p{Letter}{5,}/gu));
            const chosen = [...words].sort((a, b) => b.length - a.length || (a < b ? -1 : 1)).slice(0, 3);
            span.setAttribute('tags.count', chosen.length);
            span.end();
            return chosen;
        });
        console.log(`tags: ${tags.join(', ') || 'none'}`);
        return Response.json({ tags });
    },
};
