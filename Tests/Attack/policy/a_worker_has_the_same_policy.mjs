// attack: a Worker that is allowed tries what its parent may not
// policy| modules: ["./**"]
// policy| code: {workers: allow}
// expect-violation: network
// expect: held
const isWorker = import.meta.url.endsWith('?worker');
async function attempt() {
    const out = [];
    for (const one of [() => fetch('$TARGET/'), () => (0, eval)('1'), () => import('/etc/passwd', { with: { type: 'json' } }), () => new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))]) {
        try { await one(); out.push(`ESCAPED: ${one}`); } catch (error) { void error; }
    }
    if (globalThis.process?.env?.CANARY) out.push('ESCAPED: CANARY');
    return out;
}
if (isWorker) {
    postMessage(await attempt());
} else {
    const out = await attempt();
    const worker = new Worker(`${import.meta.url}?worker`, { type: 'module' });
    out.push(...await new Promise((resolve) => { worker.onmessage = (event) => resolve(event.data); worker.onerror = (event) => resolve([`no answer: ${event.message}`]); }));
    console.log(out.length === 0 ? 'held' : out.join());
}
