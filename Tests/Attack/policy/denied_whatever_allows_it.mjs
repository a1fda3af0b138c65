// attack: what a rule denies, by another name, case or form
// policy| network:
// policy|   allow: ["*"]
// policy|   deny: ["127.0.0.0/8", "::1", localhost, "*.localhost"]
// policy|   private: ["*"]
// expect-violation: network
// expect: held
const urls = ['127.0.0.1', '127.1', '2130706433', '[::ffff:127.0.0.1]', '[::1]', 'localhost', 'LocalHost.', 'x.y.localhost'].map((host) => `http://${host}:$PORT/`);
const out = [];
for (const url of urls) {
    try {
        const response = await fetch(url);
        out.push(`ESCAPED: ${url} gives ${response.status}`);
    } catch (error) { void error; }
}
console.log(out.length === 0 ? 'held' : out.join());
