// attack: promises that never settle
// limits: promises=10000
// expect-exit: 4
// expect-limit: promises
// expect-outcome: exceededPromises
const kept = [];
for (let i = 0; i < 1e7; i++) kept.push(new Promise(() => {}));
console.log('ESCAPED');
