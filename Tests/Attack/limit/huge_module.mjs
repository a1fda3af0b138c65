// attack: a module of megabytes
// policy: standard
// limits: module-bytes=100KB
// expect: held
// expect-limit: module-bytes
let code;
try { await import(`data:text/javascript,export default '${'x'.repeat(1 << 20)}'`); } catch (error) { ({ code } = error); }
console.log(code === 'ERR_LIMIT_EXCEEDED' ? 'held' : `ESCAPED: ${code}`);
