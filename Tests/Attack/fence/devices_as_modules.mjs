// attack: modules that have no end: devices, and the terminal
// policy| base: standard
// policy| modules: ["./**"]
// expect: held
let out = 'held';
for (const path of ['/dev/zero', '/dev/urandom', '/dev/full', '/dev/tty', '/dev/stdin', '/dev/fd/0', '/proc/self/fd/0', '/proc/kmsg']) {
    try { await import('file://' + path); out = 'ESCAPED: ' + path; } catch {}
}
console.log(out);
