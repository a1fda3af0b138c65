// attack: Array.prototype.push is replaced to catch what the platform collects
// policy| base: strict
// policy| code: {primordials: open}
// policy| random: allow
// expect: held
const caught = [];
const { push } = Array.prototype;
Array.prototype.push = function (...items) {
    caught.push = push;
    push.call(caught, this, ...items);
    return push.apply(this, items);
};
new Headers([['a', 'b']]).get('a');
new URLSearchParams('a=1&b=2').getAll('a');
new URL('http://a/?b').searchParams.append('c', 'd');
structuredClone([1, 2, { a: 3 }]);
new Event('x');
setTimeout(() => {}, 0);
Array.prototype.push = push;
console.log(caught.length === 0 ? 'held' : `ESCAPED: ${caught.length} pushes were seen`);
