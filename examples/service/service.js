// A service of notes: what a program for `sidelight serve` looks like. README.md beside it says what to call, and what to look at.
//
//   sidelight serve --listen 127.0.0.1:8081 examples/service/tags.js
//   sidelight serve --listen 127.0.0.1:8080 --cron '* * * * *' examples/service/service.js
import { Fingerprint } from './fingerprint.js';
import * as notes from './notes.js';
import { primes } from './primes.js';
import { makeRouter } from './router.js';
import * as streams from './streams.js';
import { monthlyReport } from './dist/report.js';

const route = makeRouter({
    '/': { GET: () => new Response('A service of notes. See examples/service/README.md.\n') },
    '/notes': { GET: notes.list, POST: notes.create },
    '/notes/:id': { GET: notes.read, PUT: notes.replace, DELETE: notes.remove },
    '/notes/:id/tags': { GET: notes.tags },
    '/tags': { POST: async (_, request, env) => Response.json({ tags: await notes.tagsOf(await request.text(), env) }) },
    '/rows/:count': { GET: streams.rows },
    '/ticks': { GET: streams.ticks },
    '/uploads/:name': { PUT: streams.upload },
    '/fingerprint/:text': { GET: fingerprint },
    '/primes/:limit': { GET: primes },
    '/slow/:milliseconds': { GET: slow },
    '/report/:month': { GET: ({ month }) => Response.json(monthlyReport(month)) },
});

export default {
    async fetch(request, env, ctx) {
        const response = await route(request, env, ctx);
        const id = request.headers.get('x-request-id');
        if (id !== null) response.headers.set('x-request-id', id);
        return response;
    },

    async scheduled(event) {
        console.log(`${notes.forgetOld()} old notes forgotten, as planned for ${new Date(event.scheduledTime).toISOString()}`);
    },
};

function fingerprint({ text }) {
    const decoded = decodeURIComponent(text);
    return Response.json({ text: decoded, fnv1a: `${new Fingerprint().update(new TextEncoder().encode(decoded))}` });
}

async function slow({ milliseconds }) {
    const wanted = Math.min(Number(milliseconds) || 0, 60_000);
    await new Promise((resolve) => setTimeout(resolve, wanted));
    console.log(`waited for ${wanted} ms`);
    return Response.json({ waited: wanted });
}
