// attack: __proto__ in JSON becomes a prototype
// policy| base: strict
// policy| code: {primordials: open}
// policy| random: allow
// expect: held
const read = await new Response('{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}').json();
Object.assign({}, read);
structuredClone(read);
console.log(({}).polluted === undefined && Object.getPrototypeOf(structuredClone(read)) === Object.prototype ? 'held' : 'ESCAPED: the prototype is polluted');
