// attack: header names, values and paths that would begin another request
// policy| network: {private: [{host: 127.0.0.1, ports: [1], methods: [GET]}]}
// expect-violation: network
// expect: held
const out = [];
for (const attempt of [
    () => fetch('$TARGET/a', { headers: { 'x': 'a\r\nGET /b HTTP/1.1' } }), () => fetch('$TARGET/a', { headers: { 'a\r\nb': 'c' } }), () => fetch('$TARGET/a', { headers: { host: '127.0.0.1:1' } }),
    () => fetch('http://127.0.0.1:1/ HTTP/1.1\r\nHost: 127.0.0.1:$PORT\r\n\r\n'), () => fetch('$TARGET/a', { method: 'GET / HTTP/1.1\r\nx: ' }), () => fetch('http://127.0.0.1:1\r\n:$PORT/'),
    () => fetch('http://127.0.0.1:1/', { headers: { 'x-forwarded-host': 'a', 'proxy': '$TARGET' } }), () => fetch('http://127.0.0.1:$PORT:1/'),
]) {
    try {
        await attempt();
        out.push(`${attempt}`);
    } catch { /* as it should be */ }
}
console.log(out.length === 0 ? 'held' : `ESCAPED: ${out}`);
