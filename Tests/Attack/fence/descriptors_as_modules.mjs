// attack: what the worker has open, by /proc/self/fd: its ring, its configuration, its control socket
// policy: standard
// expect: held
let out = 'held';
for (let fd = 3; fd < 40; fd++) {
    for (const folder of ['/proc/self/fd/', '/dev/fd/']) {
        try {
            const module = await import('file://' + folder + fd, { assert: { type: 'json' } });
            out = 'ESCAPED: ' + fd + JSON.stringify(module).slice(0, 50);
        } catch {}
    }
}
console.log(out);
