// attack: a clock that tells nanoseconds apart, where the policy has coarse ones
// policy| clock: coarse
// policy| code: {wasm: allow, workers: allow}
// policy| modules: ["node:*", "@opentelemetry/api"]
// expect: held
import { trace } from '@opentelemetry/api';
import { performance as nodes } from 'node:perf_hooks';
const out = [];
const whole = (milliseconds) => Math.abs(milliseconds - Math.round(milliseconds)) < 1e-6;
const times = {
    performance: () => performance.now(), nodes: () => nodes.now(), hrtime: () => { const [s, n] = process.hrtime(); return s * 1e3 + n / 1e6; }, bigint: () => Number(process.hrtime.bigint()) / 1e6, event: () => new Event('a').timeStamp,
    mark: () => performance.mark('a').startTime, date: () => Date.now(), uptime: () => process.uptime() * 1e3,
};
for (const [name, read] of Object.entries(times)) {
    const seen = new Set();
    let before = -Infinity;
    for (const end = Date.now() + 20; Date.now() < end;) {
        const time = read();
        if (time < before) out.push(`${name} runs backwards`);
        before = time;
        seen.add(time);
    }
    const list = [...seen];
    if (list.some((time) => !whole(time - list[0]))) out.push(`${name}: ${list.slice(0, 3)}`);
    if (list.length > 60) out.push(`${name} has ${list.length} steps in 20 ms`);
}
// Where a span's beginning lies in what a program sees of it.
const span = trace.getTracer('a').startSpan('b');
for (const value of Object.values(span)) if (typeof value === 'number' && value > 1e6 && !Number.isInteger(value)) out.push('a span tells');
if (typeof SharedArrayBuffer !== 'undefined') out.push('SharedArrayBuffer is there');
const memory = (() => { try { return new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }); } catch { return undefined; } })();
if (memory !== undefined && memory.buffer.constructor !== ArrayBuffer) out.push('a memory is shared');
try { new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 5, 4, 1, 3, 1, 1])); out.push('a module has shared memory'); } catch { /* as it should be */ }
console.log(out.length === 0 ? 'held' : `ESCAPED: ${out}`);
