// attack: what Node's process object has of the system
// policy: standard
// expect: held
const found = [];
for (const name of ['binding', '_linkedBinding', 'dlopen', 'kill', '_kill', '_debugProcess', 'setuid', 'setgid', 'setgroups', 'chdir', 'umask', 'reallyExit', 'openStdin', 'initgroups', 'getBuiltinModule', 'mainModule', 'execve']) {
    const value = process[name];
    if (typeof value !== 'function') continue;
    try { value.call(process, name.includes('inding') ? 'fs' : 1, 'SIGKILL'); found.push(name); } catch {}
}
for (const name of ['require', 'module', 'Deno', 'Bun', 'load', 'read', 'readline', 'd8', 'os', 'std']) {
    if (typeof globalThis[name] === 'function' || typeof globalThis[name] === 'object' && globalThis[name]) found.push('global ' + name);
}
console.log(found.length === 0 ? 'held' : 'ESCAPED: ' + found);
