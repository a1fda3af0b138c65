// attack: a child gets eval that its parent does not have, where workers are allowed
// policy| base: strict
// policy| code: {workers: allow}
// expect-violation: code
// expect: held
const worker = new Worker(new URL('./child.mjs', import.meta.url), { type: 'module' });
const said = await new Promise((resolve) => { worker.onmessage = ({ data }) => resolve(data); worker.onerror = (e) => { e.preventDefault(); resolve('error ' + e.message); }; });
console.log(said);
process.exit(0);
