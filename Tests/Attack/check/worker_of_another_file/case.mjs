// attack: a Worker whose file did not pass
// policy| base: standard
// policy| check: {require: true}
// expect: held
// expect-violation: module
const worker = new Worker(new URL('./other.mjs', import.meta.url), { type: 'module' });
worker.onmessage = (event) => { console.log(`ESCAPED: ${event.data}`); process.exit(0); };
worker.onerror = (event) => { event.preventDefault(); console.log('held'); };
