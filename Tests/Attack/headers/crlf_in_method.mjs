// attack: a method that is a whole request
// policy: standard
// expect: held
const taken = [];
for (const method of ['GET / HTTP/1.1\r\nx: y\r\n\r\nGET', 'G ET', 'GET\r\n', 'GET\0', '', 'GÉT', 'CONNECT', 'TRACE', 'track']) {
    try {
        await fetch('$TARGET/smuggled', { method });
        taken.push(JSON.stringify(method));
    } catch (error) {
        if (!(error instanceof TypeError)) taken.push(String(error));
    }
}
console.log(taken.length ? `ESCAPED: ${taken}` : 'held');
