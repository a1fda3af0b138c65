// attack: hosts whose names contain an allowed one
// policy| network: {allow: ["https://api.example.com", "*.example.org:443"]}
// expect-violation: network
// expect: held
const urls = ['http://api.example.com/', 'https://api.example.com:444/', 'https://example.org/', 'https://xexample.org/', 'https://example.org.invalid/', 'https://api.example.com.invalid/',
    'https://api.example.com@invalid.invalid/', 'https://invalid.invalid#api.example.com', 'https://invalid.invalid\\\\api.example.com/', 'https://api.example.com\u3002invalid/',
    'https://aрi.example.com/', 'https://api-example.com/', 'https://a.example.org:8443/'];
const out = [];
for (const url of urls) {
    try {
        const response = await fetch(url);
        out.push(`ESCAPED: ${url} gives ${response.status}`);
    } catch (error) { void error; }
}
console.log(out.length === 0 ? 'held' : out.join());
