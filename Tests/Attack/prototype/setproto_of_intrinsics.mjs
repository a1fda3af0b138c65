// attack: the prototype chain of intrinsics is cut
// policy| base: strict
// policy| code: {primordials: open}
// policy| random: allow
// expect: held
const { setPrototypeOf } = Object;
for (const target of [Array.prototype, Function.prototype, Promise.prototype, Map.prototype, Error.prototype]) {
    try { setPrototypeOf(target, null); } catch {}
}
const text = await new Response('still').text();
console.log(text === 'still' ? 'held' : 'ESCAPED');
