// attack: random numbers where the policy has none
// policy| modules: ["node:*"]
// policy| crypto: allow
// expect-violation: random
// expect: held
import nodes from 'node:crypto';
const out = [];
for (const attempt of [
    () => crypto.getRandomValues(new Uint8Array(8)), () => crypto.randomUUID(), () => nodes.randomBytes(8), () => nodes.randomUUID(), () => nodes.randomInt(10), () => nodes.randomFillSync(new Uint8Array(8)),
    () => nodes.getRandomValues(new Uint8Array(8)), () => nodes.webcrypto.randomUUID(), () => Crypto.prototype.randomUUID.call(crypto), () => nodes.randomFill(new Uint8Array(8), () => {}),
]) {
    try { attempt(); out.push(`${attempt}`); } catch (error) { if (error.permission !== 'random') out.push(`${error}`); }
}
if (Math.random() < 0 || Math.random() >= 1) out.push('Math.random is broken');
console.log(out.length === 0 ? 'held' : `ESCAPED: ${out}`);
