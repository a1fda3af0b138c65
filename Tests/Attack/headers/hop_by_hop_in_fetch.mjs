// attack: a request names its own length, coding and connection, so that its body is read as the next request
// command: serve
// policy: standard
// request: POST /check -> 200 held
// request: GET /after -> 200 held
const smuggled = 'GET /after HTTP/1.1\r\nhost: x\r\n\r\n';

export default {
    async fetch(request) {
        const path = new URL(request.url).pathname;
        // What is left of a body that was given up is no request of its own.
        if (request.headers.get('x-smuggled')) return new Response('ESCAPED: a request out of a body');
        if (path === '/after') return new Response('held');
        const taken = [];
        for (const headers of [{ 'content-length': '1' }, { 'transfer-encoding': 'chunked' }, { 'content-length': '5', 'transfer-encoding': 'chunked' }, { connection: 'x-a, close', upgrade: 'h2c' }, { host: 'other.test', te: 'trailers' }]) {
            const made = new Request('http://a.test/', { method: 'POST', body: smuggled, headers });
            if ((await made.text()) !== smuggled) taken.push(JSON.stringify(headers));
        }
        return new Response(taken.length ? `ESCAPED: ${taken}` : 'held');
    },
};
