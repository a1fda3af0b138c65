// attack: AsyncLocalStorage of one chain is seen in another
// policy| base: strict
// policy| modules: ["node:async_hooks", "./**"]
// expect: held
import { AsyncLocalStorage } from 'node:async_hooks';
const storage = new AsyncLocalStorage();
const seen = [];
await Promise.all(Array.from({ length: 50 }, (_, i) => storage.run(i, async () => {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
    await new Response('x').text();
    queueMicrotask(() => { if (storage.getStore() !== i) seen.push(i); });
    if (storage.getStore() !== i) seen.push(i);
})));
console.log(seen.length === 0 && storage.getStore() === undefined ? 'held' : `ESCAPED: ${seen}`);
