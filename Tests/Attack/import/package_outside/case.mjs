// attack: a package.json leads out of the folder by exports, main and imports
// expect: held
const specifiers = [
    'evil',
    'evil/secret',
    '#secret',
    '#outside',
];
const out = [];
for (const specifier of specifiers) {
    try {
        const module = await import(specifier);
        out.push(`ESCAPED: ${specifier} gives ${Object.keys(module)}`);
    } catch (error) { void error; }
}
console.log(out.length === 0 ? 'held' : out.join());
