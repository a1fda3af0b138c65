// attack: loopback in every form a URL can have, where every host of the Internet is allowed
// policy| network: {allow: ["*"]}
// expect-violation: network
// expect: held
const urls = ['127.0.0.1', '127.1', '127.0.1', '0x7f.1', '0x7f000001', '2130706433', '0177.0.0.1', '017700000001', '127.0.0.1.', '0', '0.0.0.0', '[::1]', '[::]', '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]', '[::127.0.0.1]', '[64:ff9b::7f00:1]', '[2002:7f00:1::]', 'localhost', 'LOCALHOST', 'localhost.', 'a.localhost', '①②⑦.⓪.⓪.①', '127。0。0。1', '%31%32%37.0.0.1',
    '%6cocalhost', 'ｌocalhost', 'user@127.0.0.1', 'example.com@127.0.0.1'].map((host) => `http://${host}:$PORT/`);
const out = [];
for (const url of urls) {
    try {
        const response = await fetch(url);
        out.push(`ESCAPED: ${url} gives ${response.status}`);
    } catch (error) { void error; }
}
console.log(out.length === 0 ? 'held' : out.join());
