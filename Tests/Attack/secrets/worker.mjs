// attack: a Worker prints a secret and fails with it
// policy| base: standard
// policy| secrets: {TOKEN: {env: CANARY}}
// expect: held
const source = `console.log(process.env.TOKEN); console.error([process.env.TOKEN]); throw new Error(process.env.TOKEN);`;
const worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
await new Promise((resolve) => { worker.onerror = (event) => { event.preventDefault(); console.log(event.message); resolve(); }; });
worker.terminate();
console.log('held');
