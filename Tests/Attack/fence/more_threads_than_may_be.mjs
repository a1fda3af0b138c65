// attack: workers without end, each making more
// policy: standard
// limits: workers=8
// expect: held
let made = 0;
const all = [];
for (let i = 0; i < 500; i++) {
    try { all.push(new Worker(URL.createObjectURL(new Blob(['for (let i = 0; i < 50; i++) try { new Worker(location.href) } catch {}; setTimeout(() => {}, 1e6)'])))); all.at(-1).onerror = (event) => event.preventDefault?.(); made++; } catch {}
}
await new Promise((resolve) => setTimeout(resolve, 300));
for (const worker of all) worker.terminate();
console.log('held');
