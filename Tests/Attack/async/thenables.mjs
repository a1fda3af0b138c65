// attack: thenables are given to the platform, which may not run them before its time, nor twice
// expect: held
let calls = 0;
const thenable = { then(resolve) { calls++; resolve({ then(again) { calls++; again('done'); } }); } };
const value = await thenable;
new Response(new ReadableStream({ async pull(controller) { await thenable; controller.close(); } })).text();
await new Promise((resolve) => setTimeout(resolve, 5));
console.log(value === 'done' && calls === 4 ? 'held' : `ESCAPED: ${calls}`);
