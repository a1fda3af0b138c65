// attack: methods that are not named, written otherwise
// policy| network: {private: [{host: 127.0.0.1, methods: [PUT]}]}
// expect-violation: network
// expect: held
const out = [];
for (const method of ['GET', 'get', 'POST', 'post', 'DELETE', 'HEAD', 'OPTIONS', 'PUTX', 'X-PUT', 'QUERY']) {
    try {
        await fetch('$TARGET/', { method, headers: { 'x-http-method-override': 'PUT' } });
        out.push(`ESCAPED: ${method}`);
    } catch (error) { void error; }
}
console.log(out.length === 0 ? 'held' : out.join());
