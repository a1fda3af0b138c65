// attack: a subprotocol that is a header line
// policy: standard
// expect: held
const taken = [];
for (const protocol of ['a\r\nx: y', 'a\n', 'a b', 'a,b', '', 'a\0', 'ä', ['a', 'a'], ['ok', 'b\r\nc: d'], 'a:b', 'a"b']) {
    try {
        new WebSocket('$TARGET/socket'.replace('http', 'ws'), protocol).close();
        taken.push(JSON.stringify(protocol));
    } catch (error) {
        if (error.name !== 'SyntaxError') taken.push(String(error));
    }
}
console.log(taken.length ? `ESCAPED: ${taken}` : 'held');
