// attack: code of strings by way of Workers and modules that a data: or blob: URL has
// policy| code: {workers: allow}
// expect-violation: code
// expect: held
const out = [];
const code = 'globalThis.postMessage?.("ran"); export default 1;';
const blob = () => URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
for (const url of [`data:text/javascript,${code}`, `data:text/javascript;base64,${btoa(code)}`, blob()]) {
    try { await import(url); out.push(url); } catch { /* as it should be */ }
}
for (const url of ['data:text/javascript,postMessage("ran")', blob()]) {
    for (const type of ['classic', 'module']) {
        out.push(...await new Promise((resolve) => {
            const worker = new Worker(url, { type });
            worker.onmessage = () => resolve([`${type} ${url}`]);
            worker.onerror = (event) => { event.preventDefault(); resolve([]); };
        }));
    }
}
console.log(out.length === 0 ? 'held' : `ESCAPED: ${out}`);
