// attack: %ArrayIteratorPrototype%.next is replaced to see what the platform iterates over
// policy| base: strict
// policy| code: {primordials: open}
// policy| random: allow
// expect: held
const iterator = Object.getPrototypeOf([][Symbol.iterator]());
const { next } = iterator;
let seen = 0;
iterator.next = function () { seen++; return Reflect.apply(next, this, []); };
new Headers([['a', 'b']]);
const own = seen; // sequence<sequence<ByteString>> is iterated over by its own iterators, as WebIDL has it
seen = 0;
new Event('a').composedPath();
new URLSearchParams({ a: 1 }).has('a');
console.log('%s', 'x');
console.dir({ a: [1, 2] });
iterator.next = next;
console.log(seen === 0 ? 'held' : `ESCAPED: next was called ${seen} times (${own})`);
