// attack: a Worker, to be under no policy in it
// expect-violation: worker
// expect: held
const out = [];
for (const url of [import.meta.url, new URL('./none.mjs', import.meta.url), 'data:text/javascript,postMessage(1)', URL.createObjectURL(new Blob(['postMessage(1)'], { type: 'text/javascript' }))]) {
    for (const options of [{}, { type: 'module' }]) {
        try {
            const worker = new Worker(url, options);
            await new Promise((resolve) => { worker.onmessage = () => { out.push('ESCAPED'); resolve(); }; worker.onerror = resolve; });
        } catch (error) { void error; }
    }
}
console.log(out.length === 0 ? 'held' : out.join());
process.exit(0);
