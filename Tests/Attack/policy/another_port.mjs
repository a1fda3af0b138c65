// attack: a port beside the one that is named
// policy| network: {private: ["127.0.0.1:1", "localhost:1", "127.0.0.1:70-79"]}
// expect-violation: network
// expect: held
const urls = ['http://127.0.0.1:$PORT/', 'http://localhost:$PORT/', 'http://127.0.0.1:000$PORT/', 'http://127.0.0.1:1@127.0.0.1:$PORT/', 'http://127.0.0.1:$PORT/:1', 'http://127.0.0.1:$PORT?:1'];
const out = [];
for (const url of urls) {
    try {
        const response = await fetch(url);
        out.push(`ESCAPED: ${url} gives ${response.status}`);
    } catch (error) { void error; }
}
console.log(out.length === 0 ? 'held' : out.join());
