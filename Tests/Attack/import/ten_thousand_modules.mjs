// attack: a program makes modules without end
// policy| base: standard
// policy| limits: {modules: 1000}
// expect-limit: modules
// expect: held
let made = 0;
try { for (; made < 1e5; made++) await import(`data:text/javascript,export default ${made}`); } catch {}
console.log(made < 1e5 ? 'held' : 'ESCAPED: a hundred thousand modules');
