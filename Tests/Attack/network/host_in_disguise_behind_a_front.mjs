// attack: headers host that one reader takes for a host that is allowed, and the next for another one
// policy| network: {private: [{host: 127.0.0.1, ports: ["$PORT"], methods: [GET]}]}
// expect: held
// expect-violation: network
const values = ['x@evil.example', 'evil.example/x', '127.0.0.1:1@evil.example', '127.0.0.1:x@evil.example', '127.0.0.1:80 evil.example', 'evil.example:$PORT', '127.0.0.1, evil.example', 'evil.example'];
const outcomes = await Promise.all(values.map((host) => fetch('$TARGET/', { headers: { host } }).then(() => `sent ${host}`, (error) => error.code ?? error.name)));
console.log(outcomes.every((outcome) => outcome === 'ERR_ACCESS_DENIED' || outcome === 'TypeError') ? 'held' : `ESCAPED ${outcomes}`);
