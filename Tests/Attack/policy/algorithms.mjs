// attack: an algorithm that is not named, in another case or as an object with getters
// policy| crypto: [SHA-256]
// policy| random: allow
// expect-violation: crypto
// expect: held
const out = [];
const data = new Uint8Array(3);
let asked = 0;
const shifty = { get name() { return asked++ ? 'SHA-1' : 'SHA-256'; } };
for (const algorithm of ['SHA-1', 'sha-1', 'SHA-384', { name: 'SHA-512' }, 'sHa-384', new String('SHA-1')]) {
    try { await crypto.subtle.digest(algorithm, data); out.push(`ESCAPED: ${algorithm}`); } catch (error) { void error; }
}
try { if ((await crypto.subtle.digest(shifty, data)).byteLength !== 32) out.push('ESCAPED: a getter'); } catch (error) { void error; }
try { await crypto.subtle.importKey('raw', data, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']); out.push('ESCAPED: HMAC'); } catch (error) { void error; }
if ((await crypto.subtle.digest('sha-256', data)).byteLength !== 32) out.push('SHA-256 is refused');
console.log(out.length === 0 ? 'held' : out.join());
