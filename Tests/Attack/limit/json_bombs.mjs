// attack: JSON that is deep, wide, or one long number
// command: serve
// limits: heap=64MB cpu=2s
// request: GET /deep -> 200
// request: GET /number -> 200
// request: GET /wide -> 503
// request: GET /fast -> 200 fast
// expect-outcome: exceededMemory
const routes = {
    deep() { try { return JSON.parse('['.repeat(5e6)); } catch (error) { return error.name; } },
    number() { return `${JSON.parse('1'.repeat(1e6))}`; },
    wide() { return JSON.parse(`[${'{"a":1},'.repeat(4e6)}0]`).length; },
    fast: () => 'fast',
};
export default { fetch: (request) => new Response(routes[new URL(request.url).pathname.slice(1)]()) };
