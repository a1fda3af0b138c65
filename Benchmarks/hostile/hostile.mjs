// The neighbours: each path is another attack. Nothing of them is to come to an end of its own.
const held = [];
const deep = (n) => (n === 0 ? [] : [deep(n - 1)]);

const attacks = {
    '/cpu': () => { for (;;); },
    '/memory': () => { for (;;) held.push(new Array(1e5).fill({})); },
    '/buffers': () => { for (;;) held.push(new Uint8Array(16 << 20).fill(1)); },
    '/regex': () => /^(a+)+$/.test('a'.repeat(40) + '!'),
    '/timers': () => { for (;;) setTimeout(() => {}, 1e8); },
    '/promises': async () => { for (;;) held.push(new Promise(() => {})); },
    '/microtasks': () => { const again = () => Promise.resolve().then(again); again(); return new Promise(() => {}); },
    '/fetch': async () => { for (let i = 0; i < 10000; i++) fetch(`http://127.0.0.1:${1 + i % 65535}/`).catch(() => {}); },
    '/metadata': () => fetch('http://169.254.169.254/latest/meta-data/').then((answer) => answer.text()),
    '/logs': () => { for (let i = 0; i < 1e6; i++) console.log('x'.repeat(1000)); },
    '/response': () => new Response(new ReadableStream({ pull(controller) { controller.enqueue(new Uint8Array(1 << 20)); } })),
    '/clone': () => structuredClone(deep(20000)),
    '/json': () => JSON.parse('['.repeat(1e6) + ']'.repeat(1e6)),
    '/strings': () => { let text = 'x'; for (;;) { text += text; held.push(text.slice(1)); } },
    '/stack': () => { const down = () => down() + 1; return down(); },
    '/workers': () => { for (;;) new Worker('data:text/javascript,for(;;);'); },
    '/eval': () => (0, eval)('1 + 1'),
    '/sockets': () => { for (let i = 0; i < 10000; i++) new WebSocket('ws://127.0.0.1:9/'); },
    '/canary': (env) => JSON.stringify(env) + JSON.stringify(process.env),
};

export default {
    async fetch(request, env) {
        const { pathname } = new URL(request.url);
        const attack = attacks[pathname];
        const said = await attack?.(env);
        return said instanceof Response ? said : new Response(String(said));
    },
};

export const paths = Object.keys(attacks);
