// attack: characters whose lower byte is a line end, for whoever cuts characters down to bytes
// policy: standard
// expect: held
const taken = [];
for (const character of ['\u010a', '\u010d', '\u0a0d', '\u560a', '\u560d', '\ud83d\ude0a', '\u2028', '\u0100']) {
    for (const make of [() => new Headers({ x: `a${character}b: c` }), () => new Request('http://a.test', { headers: { x: character } }), () => new Response('', { headers: { x: character } }), () => new Response('', { statusText: character })]) {
        try {
            make();
            taken.push(character.codePointAt(0).toString(16));
        } catch (error) {
            if (!(error instanceof TypeError)) taken.push(String(error));
        }
    }
}
console.log(taken.length ? `ESCAPED: ${taken}` : 'held');
