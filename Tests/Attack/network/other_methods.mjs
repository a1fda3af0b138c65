// attack: methods that the policy does not name, in other spellings and by other ways
// policy| network: {private: [{host: 127.0.0.1, ports: [$PORT], methods: [GET]}]}
// expect-violation: network
// expect: held
const out = [];
const url = '$TARGET/';
for (const method of ['POST', 'post', 'Post', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'patch', 'QUERY', 'GETX', 'get get', 'GET\r\nPOST', 'CONNECT', 'TRACE', '\u0130']) {
    for (const attempt of [() => fetch(url, { method }), () => fetch(new Request(url, { method, body: ['HEAD', 'GETX'].includes(method) ? undefined : 'a' }))]) {
        try {
            await attempt();
            out.push(method);
        } catch { /* as it should be */ }
    }
}
console.log(out.length === 0 ? 'held' : `ESCAPED: ${out}`);
