// attack: a worker whose script is the process's environment, and its error's words
// policy| base: standard
// policy| environment: []
// policy| modules: ["./**"]
// expect: held
let said = '';
for (const type of ['classic', 'module']) {
    try {
        const child = new Worker('file:///proc/self/environ', { type });
        said += await new Promise((resolve) => { child.onerror = (event) => { event.preventDefault?.(); resolve(String(event.message)); }; child.onmessage = () => resolve('?'); setTimeout(resolve, 500, ''); });
        child.terminate();
    } catch (error) { said += error.message; }
}
console.log(said.includes('canary') ? 'ESCAPED' : 'held');
