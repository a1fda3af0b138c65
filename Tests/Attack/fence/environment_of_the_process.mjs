// attack: a secret of the environment is read from /proc, past environment: []
// policy| base: standard
// policy| environment: []
// policy| modules: ["./**"]
// expect: held
let said = '';
for (const path of ['/proc/self/environ', '/proc/thread-self/environ', '/proc/self/task/../environ', '/proc/self/cwd/../../self/environ']) {
    for (const options of [undefined, { assert: { type: 'json' } }]) {
        try { said += JSON.stringify(await import('file://' + path, options)); } catch (error) { said += error.message + error.stack; }
    }
}
console.log(said.includes('canary') ? 'ESCAPED' : 'held');
