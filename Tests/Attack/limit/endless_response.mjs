// attack: a response that is larger than may be
// command: serve
// limits: response=10KB
// request: GET /text -> 503
// request: GET /bytes -> 503
// request: GET /fast -> 200 fast
// expect-limit: response
// expect-outcome: exceededResponse
const routes = { text: () => '\u20ac'.repeat(4000), bytes: () => new Uint8Array(10_241), fast: () => 'fast' };
export default { fetch: (request) => new Response(routes[new URL(request.url).pathname.slice(1)]()) };
