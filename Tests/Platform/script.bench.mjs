// What a JavaScript processor costs a span in Node's V8, without the agent: node Tests/Platform/script.bench.mjs
import { makeWorld, span, keyValue, bytes } from './script_world.mjs';

const values = {
    'http.request.method': 'GET', 'url.full': 'https://shop.example/cart/items?id=1', 'url.path': '/cart/items', 'http.response.status_code': 200,
    'server.address': 'shop.example', 'server.port': 443, 'user_agent.original': 'Mozilla/5.0 (X11; Linux x86_64) Gecko', 'client.address': '10.1.2.3',
    'network.protocol.version': '1.1', 'http.route': '/cart/items',
};
const scripts = {
    'nothing': '{ span(s) {} }',
    'drop': '{ span(s) { return false; } }',
    'read name': '{ span(s) { if (s.name === "x") return false; } }',
    'read one': `{ span(s) { if (s.attributes['http.route'] === 'x') return false; } }`,
    'read one, set another': `{ span(s) { if (s.attributes['http.route'] !== 'x') s.attributes['shop.area'] = 'cart'; } }`,
    'the same by get and set': `{ span(s) { if (s.get('http.route') !== 'x') s.set('shop.area', 'cart'); } }`,
    'mask one in place': `{ span(s) { s.attributes['client.address'] = s.attributes['client.address'].replace(/\\d+$/, '0'); } }`,
    'all attributes': `{ span(s) { for (const [k, v] of s.attributes) if (k === 'x') return false; } }`,
};
const items = Array.from({ length: 512 }, () => span({ name: 'GET /cart/items', attributes: values }));
for (const [name, script] of Object.entries(scripts)) {
    const world = makeWorld(script);
    world.fill([{ signal: 1, resource: keyValue(1, 'service.name', 'shop'), scopes: [{ message: bytes(1, 'lib'), items }] }]);
    for (let i = 0; i < 200; i++) world.runSlot();
    if (world.errors.length) throw world.errors[0];
    const start = process.cpuUsage();
    const rounds = 400;
    for (let i = 0; i < rounds; i++) world.runSlot();
    const used = process.cpuUsage(start);
    console.log(`${name.padEnd(26)} ${((used.user + used.system) * 1000 / rounds / 512).toFixed(0).padStart(5)} ns`);
}
