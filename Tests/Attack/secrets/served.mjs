// attack: a handler throws a secret, names its span by it and logs it; the client has nothing of it
// command: serve
// policy| base: standard
// policy| secrets: {TOKEN: {env: CANARY}}
// request: GET /log -> 200 ok
// request: GET /throw -> 500
// request: GET /reject -> 500
export default {
    async fetch(request, env, ctx) {
        const secret = process.env.TOKEN;
        switch (new URL(request.url).pathname) {
            case '/log': console.log(secret); console.error(new Error(secret)); return new Response('ok');
            case '/throw': throw new Error(secret);
            default: return Promise.reject(secret);
        }
    },
    health() { return { status: 'warn', reason: process.env.TOKEN }; },
};
