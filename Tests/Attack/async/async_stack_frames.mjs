// attack: the stack of an async function shows frames of the host
// expect: held
const stacks = [];
async function a() { await null; stacks.push(new Error('x').stack); await b(); }
async function b() { await new Response('x').text(); stacks.push(new Error('y').stack); }
await a();
console.log(stacks.every((s) => !/sidelight:|primordials/.test(s)) ? 'held' : `ESCAPED: ${stacks}`);
