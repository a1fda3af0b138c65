// attack: modules of Node that reach the system
// expect: held
const specifiers = [
    'node:fs',
    'fs',
    'fs/promises',
    'node:child_process',
    'child_process',
    'node:net',
    'net',
    'node:vm',
    'vm',
    'node:worker_threads',
    'node:inspector',
    'node:v8',
    'node:module',
    'node:process/../fs',
    'node:dgram',
    'node:cluster',
    'node:repl',
    'node:sqlite',
    'node:ffi',
    'bun:ffi',
    'deno:core',
    'sidelight:internal',
    'internal/process',
    'node:internal/fs/utils',
    'node:_http_client',
];
const out = [];
for (const specifier of specifiers) {
    try {
        const module = await import(specifier);
        out.push(`ESCAPED: ${specifier} gives ${Object.keys(module)}`);
    } catch (error) { void error; }
}
console.log(out.length === 0 ? 'held' : out.join());
