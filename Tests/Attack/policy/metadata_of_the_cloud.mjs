// attack: where clouds give out credentials, and other networks that are nobody's business
// policy| network: {allow: ["*"]}
// expect-violation: network
// expect: held
const urls = ['169.254.169.254', '0xa9fea9fe', '2852039166', '[::ffff:a9fe:a9fe]', '[fd00:ec2::254]', '[fe80::1]', '10.0.0.1', '172.16.0.1', '192.168.1.1', '100.100.100.200', '192.0.0.192',
    '[fc00::1]', '224.0.0.1', '255.255.255.255', '198.18.0.1', '[ff02::1]'].map((host) => `http://${host}/latest/meta-data/`);
const out = [];
for (const url of urls) {
    try {
        const response = await fetch(url);
        out.push(`ESCAPED: ${url} gives ${response.status}`);
    } catch (error) { void error; }
}
console.log(out.length === 0 ? 'held' : out.join());
