// attack: a worker whose network namespace is empty connects to loopback
// policy| base: standard
// policy| fence: {namespaces: [net]}
// expect: held
let reached = 0;
for (const url of ['$TARGET/a', 'http://localhost:$PORT/b', 'http://127.1:$PORT/c', 'http://[::1]:$PORT/d', 'http://0.0.0.0:$PORT/e']) {
    try { await fetch(url); reached++; } catch {}
}
console.log(reached === 0 ? 'held' : 'ESCAPED: reached loopback');
