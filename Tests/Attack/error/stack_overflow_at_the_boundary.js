// attack: the stack runs out inside of a host function
// policy| base: strict
// policy| random: allow
// expect: held
let reached = 0;
const probe = [() => new URL('http://a/b?c'), () => new Headers({ a: 'b' }), () => structuredClone({ a: [1] }), () => performance.now(), () => crypto.getRandomValues(new Uint8Array(4)), () => new Response('x'), () => setTimeout(() => {}, 0)];
function down(index) {
    try { down(index); } catch (error) {
        try { probe[index](); reached++; } catch (inner) { if (!(inner instanceof Error)) console.log('ESCAPED: ' + String(inner)); else if (inner instanceof RangeError === false && inner.name !== 'RangeError' && inner.constructor !== RangeError && !(inner instanceof DOMException) && !(inner instanceof TypeError)) console.log('ESCAPED: ' + inner); }
    }
}
for (let i = 0; i < probe.length; i++) down(i);
// All of it works afterwards.
for (const one of probe) one();
console.log(new URL('http://a/b').pathname === '/b' && new Headers({ a: 'b' }).get('a') === 'b' ? 'held' : 'ESCAPED: broken');
process.exit(0);
