// attack: a server in an empty network namespace serves, and is asked to fetch for its client
// command: serve
// policy| base: standard
// policy| fence: {namespaces: [net]}
// request: GET / -> 200 held
// request: GET /again -> 200 held
export default {
    async fetch() {
        try { await fetch('$TARGET/ssrf'); return new Response('ESCAPED'); } catch { return new Response('held'); }
    },
};
