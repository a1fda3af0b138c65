// attack: code in data: and blob: URLs gets what its importer does not have
// expect: held
const out = [];
const code = 'export default [typeof process?.binding, typeof require, typeof ops, typeof internal, typeof primordials].join()';
const urls = [`data:text/javascript,${code}`, `data:text/javascript;base64,${btoa(code)}`, URL.createObjectURL(new Blob([code], { type: 'text/javascript' }))];
for (const url of urls) {
    try { out.push((await import(url)).default); } catch (error) { out.push('refused'); }
}
console.log(out.every((o) => o === 'refused' || o === 'undefined,undefined,undefined,undefined,undefined') ? 'held' : `ESCAPED: ${out}`);
