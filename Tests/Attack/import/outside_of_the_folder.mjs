// attack: paths that lead out of the folder
// expect-violation: module
// expect: held
const specifiers = [
    '$SECRET',
    '../outside/secret.txt',
    '../outside/secret.txt?x',
    'file://$SECRET',
    'file:///etc/passwd',
    '/etc/passwd',
    'file:///proc/self/environ',
    '/proc/self/environ',
    './../outside/secret.txt',
    './/../outside/secret.txt',
    './%2e%2e/outside/secret.txt',
    './..%2foutside%2fsecret.txt',
    'file://localhost$SECRET',
    'file:////etc/passwd',
    './\x00../outside/secret.txt',
];
const out = [];
for (const specifier of specifiers) {
    try {
        const module = await import(specifier);
        out.push(`ESCAPED: ${specifier} gives ${Object.keys(module)}`);
    } catch (error) { void error; }
}
console.log(out.length === 0 ? 'held' : out.join());
