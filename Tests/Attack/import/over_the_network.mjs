// attack: modules by http:, https:, and other schemes
// expect: held
const specifiers = [
    '$TARGET/module.js',
    'http://127.0.0.1:$PORT/x.mjs',
    'https://127.0.0.1:$PORT/x.mjs',
    'ws://127.0.0.1:$PORT/',
    'ftp://127.0.0.1:$PORT/x.js',
    '//127.0.0.1:$PORT/x.js',
    'jsr:@x/y',
    'npm:left-pad',
];
const out = [];
for (const specifier of specifiers) {
    try {
        const module = await import(specifier);
        out.push(`ESCAPED: ${specifier} gives ${Object.keys(module)}`);
    } catch (error) { void error; }
}
console.log(out.length === 0 ? 'held' : out.join());
