// attack: a Worker whose code is made at run time
// policy| base: standard
// policy| check: {require: true}
// expect: held
// expect-violation: module
const code = `postMessage(ev${'al'}('1 + 1'))`;
const worker = new Worker(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })), { type: 'module' });
worker.onmessage = (event) => { console.log(`ESCAPED: ${event.data}`); process.exit(0); };
worker.onerror = (event) => { event.preventDefault(); console.log('held'); };
