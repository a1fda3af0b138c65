// attack: loopback and private addresses in every spelling that a URL parser or a resolver takes
// policy| network: {allow: ["*"]}
// expect-violation: network
// expect: held
const hosts = [
    '127.0.0.1', '127.1', '127.0.1', '0x7f.0.0.1', '0x7f000001', '2130706433', '0177.0.0.1', '017700000001', '127.0.0.1.', '127.000.000.001', '0', '0.0.0.0', '[::]', '[::1]',
    '[0:0:0:0:0:0:0:1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[0:0:0:0:0:ffff:127.0.0.1]', '[::127.0.0.1]', '[2002:7f00:1::]', '[64:ff9b::7f00:1]', '[fe80::1]', '[fc00::1]',
    'localhost', 'LOCALHOST', 'localhost.', 'a.localhost', '①②⑦.⓪.⓪.①', '１２７.0.0.1', '127。0。0。1', '%31%32%37.0.0.1', '169.254.169.254', '10.0.0.1', '192.168.0.1', '172.16.0.1', '100.64.0.1',
];
const out = [];
for (const host of hosts) {
    try {
        await fetch(`http://${host}:$PORT/`);
        out.push(host);
    } catch (error) {
        if (error.code !== 'ERR_ACCESS_DENIED' && !(error instanceof TypeError)) out.push(`${host}: ${error}`);
    }
}
console.log(out.length === 0 ? 'held' : `ESCAPED: ${out}`);
