// attack: random numbers and keys where the policy has none
// expect-violation: random
// expect: held
const out = [];
for (const one of [() => crypto.getRandomValues(new Uint8Array(8)), () => crypto.randomUUID(), () => crypto.subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['encrypt'])]) {
    try { await one(); out.push('ESCAPED'); } catch (error) { if (!(error instanceof Error)) out.push('no error'); }
}
console.log(out.length === 0 ? 'held' : out.join());
