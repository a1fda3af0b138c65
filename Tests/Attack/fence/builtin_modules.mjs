// attack: modules of Node that start processes, write files or open sockets
// policy: standard
// expect: held
const found = [];
for (const name of ['fs', 'fs/promises', 'child_process', 'cluster', 'net', 'dgram', 'tls', 'http', 'https', 'http2', 'vm', 'v8', 'inspector', 'worker_threads', 'repl', 'wasi', 'module', 'os', 'trace_events', 'ffi', 'sqlite']) {
    for (const specifier of [name, 'node:' + name]) {
        try {
            const module = await import(specifier);
            for (const dangerous of ['readFileSync', 'writeFileSync', 'open', 'spawn', 'exec', 'fork', 'connect', 'createServer', 'createSocket', 'runInNewContext', 'writeHeapSnapshot', 'setFlagsFromString', 'dlopen', 'createRequire', 'Session']) {
                if (typeof module[dangerous] === 'function') found.push(`${specifier}.${dangerous}`);
            }
        } catch {}
    }
}
console.log(found.length === 0 ? 'held' : 'ESCAPED: ' + found);
