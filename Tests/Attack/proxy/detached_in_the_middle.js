// attack: buffers are detached or shrunk while the platform works on them
// expect: held
const odd = [];
const detach = (view) => structuredClone(view.buffer, { transfer: [view.buffer] });
const tries = [
    () => { const v = new Uint8Array(1024); crypto.getRandomValues(v); detach(v); return v.length === 0; },
    () => { const v = new Uint8Array(1024); const d = new TextDecoder().decode(v, { get stream() { detach(v); return false; } }); return d.length === 0 || d.length === 1024; },
    () => { const v = new Uint8Array(1024); new Blob([{ toString() { detach(v); return 'x'; } }, v]); return true; },
    () => { const v = new Uint8Array(1024); const c = crypto.subtle.digest({ get name() { detach(v); return 'SHA-256'; } }, v); c.catch(() => {}); return true; },
    () => { const v = new Uint8Array(1024); new Response(v); detach(v); return true; },
    () => { const v = new Uint8Array(1024); Atomics.store(v, { valueOf() { detach(v); return 0; } }, 1); return true; },
];
for (const one of tries) try { if (!one()) odd.push(String(one)); } catch (error) { if (!(error instanceof Error)) odd.push(error); }
console.log(odd.length === 0 ? 'held' : `ESCAPED: ${odd}`);
