// attack: async functions that wait for one promise for ever, and races between them
// limits: promises=10000
// expect-exit: 4
// expect-outcome: exceededPromises
const never = new Promise(() => {});
async function wait() { await never; }
for (let i = 0; i < 1e7; i++) Promise.race([never, wait()]);
console.log('ESCAPED');
