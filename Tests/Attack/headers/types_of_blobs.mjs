// attack: the type of a blob becomes header lines
// policy: standard
// expect: held
const taken = [];
for (const type of ['text/html\r\nx: y', 'a/b\n', 'a/b\0', 'a/\u010ab', 'a/b; c="\r\n"', '\r\n\r\nbody']) {
    const blob = new Blob(['x'], { type });
    for (const value of [blob.type, new File(['x'], 'n', { type }).type, new Response(blob).headers.get('content-type'), new Request('http://a.test', { method: 'POST', body: blob }).headers.get('content-type'), blob.slice(0, 1, type).type]) {
        if (/[\r\n\0\u0100-\uffff]/.test(value ?? '')) taken.push(JSON.stringify(value));
    }
}
console.log(taken.length ? `ESCAPED: ${taken}` : 'held');
