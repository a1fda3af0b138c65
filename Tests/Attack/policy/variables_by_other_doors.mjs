// attack: the environment by the files of /proc, by errors and by arguments
// expect: held
const out = [];
for (const path of ['/proc/self/environ', 'file:///proc/self/environ', '/proc/thread-self/environ', '/proc/1/environ', '/proc/self/task/1/environ', '/proc/self/cmdline', '/dev/fd/5', '/proc/self/fd/5', '/proc/self/mem', '/proc/self/maps']) {
    for (const options of [undefined, { with: { type: 'json' } }, { with: { type: 'text' } }, { with: { type: 'bytes' } }]) {
        try { await import(path, options); out.push(`ESCAPED: ${path}`); } catch (error) { if (String(error.message + error.stack).includes('canary-')) out.push(`ESCAPED: error of ${path}`); }
    }
}
if (JSON.stringify([process.argv, process.execArgv ?? [], process.title ?? '']).includes('canary-')) out.push('ESCAPED: arguments');
console.log(out.length === 0 ? 'held' : out.join());
