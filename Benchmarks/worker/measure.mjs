// Workers on Sidelight, Deno and Node: measure.mjs MODE COUNT. Prints JSON.
//
// reply     COUNT children one after another: milliseconds from `new Worker` to the answer to a message posted at once; of the first, and of the median
// together  COUNT children at once: milliseconds until all have answered
// memory    prints a line and waits a while with 0, 1, 1 + COUNT children, each of which has answered, for who reads /proc meanwhile
// messages  COUNT small objects to a child and back, at most 100 under way
// transfer  COUNT times 1 MiB moved to a child and back
const isNode = typeof Worker === 'undefined';
const threads = isNode ? await import('node:worker_threads') : undefined;
const url = new URL('./child.mjs', import.meta.url);

class Child {
    constructor() {
        this.worker = isNode ? new threads.Worker(url) : new Worker(url, { type: 'module' });
        if (isNode) this.worker.on('message', (data) => this.take(data)); else this.worker.onmessage = (event) => this.take(event.data);
    }
    post(data, transfer) { this.worker.postMessage(data, transfer ?? []); }
    ask(data, transfer) {
        return new Promise((resolve) => {
            this.take = resolve;
            this.post(data, transfer);
        });
    }
    terminate() { this.worker.terminate(); }
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const programArguments = globalThis.Deno?.args ?? process.argv.slice(2);
const mode = programArguments[0], count = Number(programArguments[1]);

if (mode === 'reply') {
    const times = [];
    for (let i = 0; i < count; i++) {
        const start = performance.now();
        const child = new Child();
        await child.ask(i);
        times.push(performance.now() - start);
        child.terminate();
        await pause(20);
    }
    const first = times[0];
    times.sort((a, b) => a - b);
    console.log(JSON.stringify({ first, median: times[times.length >> 1], least: times[0] }));
} else if (mode === 'together') {
    const start = performance.now();
    const children = [];
    for (let i = 0; i < count; i++) children.push(new Child());
    await Promise.all(children.map((child) => child.ask(0)));
    console.log(JSON.stringify({ all: performance.now() - start }));
    for (const child of children) child.terminate();
} else if (mode === 'memory') {
    const children = [];
    for (const wanted of [0, 1, 1 + count]) {
        while (children.length < wanted) {
            children.push(new Child());
            await children[children.length - 1].ask({ text: 'hello' });
        }
        await pause(300);
        console.log(`${wanted}`);
        await pause(700);
    }
    for (const child of children) child.terminate();
} else if (mode === 'messages') {
    const child = new Child();
    await child.ask(0);
    const start = performance.now();
    await new Promise((resolve) => {
        let sent = 0, back = 0;
        const post = () => { if (sent < count) child.post({ id: sent++, name: 'a message', list: [1, 2, 3] }); };
        child.take = () => { if (++back === count) resolve(); else post(); };
        for (let i = 0; i < 100; i++) post();
    });
    console.log(JSON.stringify({ perSecond: count / (performance.now() - start) * 1e3 }));
    child.terminate();
} else {
    const child = new Child();
    let buffer = await child.ask(new ArrayBuffer(1 << 20));
    const start = performance.now();
    for (let i = 0; i < count; i++) buffer = await child.ask(buffer, [buffer]);
    console.log(JSON.stringify({ perSecond: count / (performance.now() - start) * 1e3, bytes: buffer.byteLength }));
    child.terminate();
}
