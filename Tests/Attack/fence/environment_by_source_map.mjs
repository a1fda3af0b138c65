// attack: a source map that is /proc/self/environ, named by a script that throws
// policy| base: standard
// policy| environment: []
// policy| modules: ["./**"]
// expect: held
let stack = '';
try { (() => { throw new Error('mapped'); })(); } catch (error) { stack = error.stack; }
console.log(stack.includes('canary') ? 'ESCAPED' : 'held');
//# sourceMappingURL=/proc/self/environ
