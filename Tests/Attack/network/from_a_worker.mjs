// attack: a child isolate asks for what its parent may not
// policy| code: {workers: allow, eval: allow}
// expect-violation: network
// expect: held
const source = `fetch('$TARGET/').then(() => postMessage('ESCAPED'), (error) => postMessage(error.code));`;
const worker = new Worker(URL.createObjectURL(new Blob([source])));
const said = await new Promise((resolve) => { worker.onmessage = ({ data }) => resolve(data); worker.onerror = (event) => resolve(event.message); });
worker.terminate();
console.log(said === 'ERR_ACCESS_DENIED' ? 'held' : `ESCAPED: ${said}`);
