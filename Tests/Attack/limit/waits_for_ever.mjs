// attack: requests that are never answered, more than may be
// command: serve
// limits: wall=300ms
// request: GET /never -> 503
// request: GET /fast -> 200 fast
// expect-outcome: exceededWall
// expect-exit: 1
export default { fetch: (request) => request.url.endsWith('/never') ? new Promise(() => {}) : new Response('fast') };
