// attack: setTimeout and setInterval with a text
// expect: held
globalThis.reached = false;
const tries = [() => setTimeout('globalThis.reached = true', 0), () => setInterval('globalThis.reached = true', 1)];
for (const one of tries) { try { one(); } catch {} }
await new Promise((resolve) => setTimeout(resolve, 20));
console.log(globalThis.reached ? 'ESCAPED: a text was run' : 'held');
process.exit(0);
