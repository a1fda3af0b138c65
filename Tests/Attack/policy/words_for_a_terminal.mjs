// attack: control characters in what is refused, for the terminal of who reads the findings
// expect-violation: module
// expect: held
const out = [];
for (const name of ['\x1b]0;owned\x07', '\x1b[2J', 'a\r\nsidelight: ESCAP\u0045D', '\u202egnp.exe', '\u0085x', '\u2028y', 'x'.repeat(100_000)]) {
    for (const one of [() => import(`node:${name}`), () => import(`/${name}`), () => fetch(`http://${name}/`), () => process.env[name]]) {
        try {
            await one();
        } catch (error) {
            if (/[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]/.test(error.permission ? error.message : '')) out.push(`control characters in: ${JSON.stringify(error.message)}`);
            if (error.permission && error.message.length > 2_000) out.push('a long message');
        }
    }
}
console.log(out.length === 0 ? 'held' : out.join());
