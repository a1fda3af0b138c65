// attack: header names that end a line, hold a colon or white space, or are no ASCII
// policy: standard
// expect: held
const NAMES = ['a\r\nb', 'a: b', 'a b', '', 'a\0', 'a\t', 'ä', '\u010a', 'a\u{ff1a}', '(a)', 'a,b', 'a;b', ' a', 'a ', 'a\x7f', '"a"', '{a}'];
const taken = [];
for (const name of NAMES) {
    for (const make of [() => new Headers({ [name]: 'x' }), () => new Headers([[name, 'x']]), () => new Headers().append(name, 'x'), () => new Request('http://a.test', { headers: { [name]: 'x' } })]) {
        try {
            make();
            taken.push(JSON.stringify(name));
        } catch (error) {
            if (!(error instanceof TypeError)) taken.push(String(error));
        }
    }
}
console.log(taken.length ? `ESCAPED: ${taken}` : 'held');
