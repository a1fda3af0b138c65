// attack: URLs that look like an allowed host and lead to another
// policy| network: {allow: [allowed.example]}
// expect-violation: network
// expect: held
const urls = [
    'http://allowed.example@127.0.0.1:$PORT/', 'http://allowed.example:80@127.0.0.1:$PORT/', 'http://127.0.0.1:$PORT\\@allowed.example/', 'http://127.0.0.1:$PORT/@allowed.example', 'http://127.0.0.1:$PORT#@allowed.example',
    'http://127.0.0.1:$PORT?@allowed.example', 'http:\\\\127.0.0.1:$PORT\\', 'http:/127.0.0.1:$PORT/', 'http:127.0.0.1:$PORT/', 'ht\ntp://127.0.0.1:$PORT/', ' http://127.0.0.1:$PORT/ ', 'http://allowed.example.127.0.0.1:$PORT/',
    'http://allowed.example%00.localhost:$PORT/', 'http://allowed.example%40127.0.0.1:$PORT/', 'http://allowed.example\t@127.0.0.1:$PORT/', 'http://[::ffff:127.0.0.1]:$PORT/', 'http://allowed-example:$PORT/', 'http://xn--a.allowed.example.:$PORT/',
    '//127.0.0.1:$PORT/', 'https://127.0.0.1:$PORT/',
];
const out = [];
for (const url of urls) {
    for (const input of [url, { toString: () => url }]) {
        try {
            await fetch(input);
            out.push(url);
        } catch { /* as it should be */ }
    }
}
console.log(out.length === 0 ? 'held' : `ESCAPED: ${out}`);
