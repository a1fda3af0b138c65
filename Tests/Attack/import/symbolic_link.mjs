// attack: a symbolic link in the folder leads out of it
// link: link.txt -> $SECRET
// link: link.mjs -> $SECRET
// link: folder -> ../outside
// expect-violation: module
// expect: held
const specifiers = [
    './link.txt',
    './link.mjs',
    './folder/secret.txt',
];
const out = [];
for (const specifier of specifiers) {
    try {
        const module = await import(specifier);
        out.push(`ESCAPED: ${specifier} gives ${Object.keys(module)}`);
    } catch (error) { void error; }
}
console.log(out.length === 0 ? 'held' : out.join());
