// attack: String.prototype methods are replaced to see texts of the platform
// policy| base: strict
// policy| code: {primordials: open}
// policy| random: allow
// expect: held
let seen = 0;
for (const name of Object.getOwnPropertyNames(String.prototype)) {
    const original = String.prototype[name];
    if (typeof original !== 'function' || name === 'constructor') continue;
    String.prototype[name] = function (...a) { seen++; return Reflect.apply(original, this, a); };
}
new URL('http://a.test/b');
new Request('http://a.test', { headers: { a: 'b' } });
new Response('x', { status: 200 });
btoa('abc');
setTimeout(() => {}, 0);
console.warn('%s and %d', 'text', 3);
console.log(seen === 0 ? 'held' : `ESCAPED: ${seen} calls were seen`);
