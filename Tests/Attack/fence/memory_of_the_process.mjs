// attack: the process's own memory, as a module, as JSON and as a worker's script
// policy| base: standard
// policy| modules: ["./**"]
// expect: held
let out = 'held';
for (const path of ['/proc/self/mem', '/proc/thread-self/mem', '/proc/self/task/1/mem', '/proc/self/pagemap', '/proc/kcore', '/dev/mem', '/dev/kmem', '/dev/port']) {
    try { await import('file://' + path); out = 'ESCAPED: ' + path; } catch {}
    try { await import('file://' + path, { assert: { type: 'json' } }); out = 'ESCAPED: ' + path; } catch {}
}
console.log(out);
