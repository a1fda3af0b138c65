// attack: modules that are built in, under their other names, where the policy names one alone
// policy| modules: ["node:path"]
// expect-violation: module
// expect: held
const out = [];
for (const name of ['node:os', 'os', 'node:crypto', 'crypto', 'node:process', 'sidelight', '@opentelemetry/api', 'node:path/posix', 'NODE:os', 'node:os?a', 'node:wasi']) {
    try { await import(name); out.push(name); } catch { /* as it should be */ }
}
try { (await import('path')).join('a', 'b'); } catch (error) { out.push(`path: ${error}`); }
console.log(out.length === 0 ? 'held' : `ESCAPED: ${out}`);
