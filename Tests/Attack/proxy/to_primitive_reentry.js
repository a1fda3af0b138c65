// attack: conversions to texts call back and change what is converted
// expect: held
const headers = new Headers();
let depth = 0;
const evil = { toString() { if (++depth < 50) { headers.append('a' + depth, evil); headers.delete('a' + (depth - 1)); } return 'value'; } };
headers.set('a0', evil);
const params = new URLSearchParams();
const wicked = { toString() { params.delete('a'); params.append('b', 'c'); return 'a'; } };
params.append(wicked, wicked);
const url = new URL('http://a.test/');
try { url.host = { toString() { url.href = 'http://b.test/'; return 'c.test'; } }; } catch {}
const bytes = new Uint8Array(8);
try { new TextEncoder().encodeInto({ toString() { structuredClone(bytes.buffer, { transfer: [bytes.buffer] }); return 'xxxxxxxx'; } }, bytes); } catch {}
console.log([...headers].length <= 60 && url.host === 'c.test' ? 'held' : `ESCAPED: ${url.host}`);
