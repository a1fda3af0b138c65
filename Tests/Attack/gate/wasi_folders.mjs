// attack: a program makes itself a WASI with all folders
// policy| modules: ["node:*"]
// policy| code: {wasm: allow}
// expect-violation: read
// expect: held
import { WASI } from 'node:wasi';
const out = [];
for (const preopens of [{ '/': '/' }, { a: '/etc' }, { a: '..' }, { a: '/proc/self' }, { a: '/tmp' }, { a: '/proc/self/cwd/..' }]) {
    try { new WASI({ version: 'preview1', preopens }); out.push(JSON.stringify(preopens)); } catch (error) { if (error.code !== 'ERR_ACCESS_DENIED') out.push(`${error}`); }
}
console.log(out.length === 0 ? 'held' : `ESCAPED: ${out}`);
