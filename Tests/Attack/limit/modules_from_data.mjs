// attack: module after module, each another data: URL
// policy: standard
// limits: modules=50
// expect: held
// expect-limit: modules
let count = 0, code;
try { for (; count < 10_000; count++) await import(`data:text/javascript,export default ${count}`); } catch (error) { ({ code } = error); }
console.log(count < 50 && code === 'ERR_LIMIT_EXCEEDED' ? 'held' : `ESCAPED: ${count} ${code}`);
