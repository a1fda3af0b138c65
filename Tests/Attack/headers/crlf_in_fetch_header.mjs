// attack: a request gets a second request out of a header's value
// policy: standard
// expect: held
const taken = [];
for (const value of ['a\r\nx: y', 'a\r\n\r\nGET /second HTTP/1.1\r\nhost: x\r\n\r\n', 'a\nb', 'a\rb', 'a\0b']) {
    for (const options of [{ headers: { x: value } }, { headers: { cookie: value } }, { headers: { authorization: value } }, { headers: [['x', 'ok'], ['x', value]] }]) {
        try {
            await fetch('$TARGET/smuggled', options);
            taken.push(JSON.stringify(value));
        } catch (error) {
            if (!(error instanceof TypeError)) taken.push(String(error));
        }
    }
}
console.log(taken.length ? `ESCAPED: ${taken}` : 'held');
