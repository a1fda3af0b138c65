// attack: requests that are never answered; the end does not wait for them
// command: serve
// limits: wall=300ms
// request: GET /never -> 503 The request took longer than its limit
// request: GET /fast -> 200 fast
// expect-outcome: exceededWall
export default { fetch: (request) => request.url.endsWith('/never') ? new Promise(() => {}) : new Response('fast') };
