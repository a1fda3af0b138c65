// attack: strings that double, flattened so that they are real
// command: serve
// limits: heap=40MB cpu=2s
// request: GET /fill -> 503
// request: GET /fast -> 200 fast
// expect-outcome: exceededMemory
const kept = [];
export default {
    fetch(request) {
        if (!request.url.endsWith('/fill')) return new Response('fast');
        for (let i = 0; ; i++) {
            const text = `${i}`.padEnd(100_000, String.fromCharCode(97 + i % 26));
            kept.push(text.split('').reverse());
        }
    },
};
