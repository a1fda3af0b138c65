// attack: a URL whose path, query or user ends the request line
// policy: standard
// expect: held
const taken = [];
for (const text of ['http://a.test/x\r\ny: z', 'http://a.test/?q=\r\n\r\nGET /', 'http://a.test/#\r\nx', 'http://u\r\nser@a.test/', 'http://a.test/%0d%0ax', 'http://a.test/ HTTP/1.1', 'ht\r\ntp://a.test/']) {
    for (const url of [new URL(text).href, new Request(text.replace(/u\r\nser@/, '')).url, Response.redirect(text).headers.get('location')]) {
        if (/[\r\n\0 ]/.test(url)) taken.push(JSON.stringify(url));
    }
}
for (const text of ['http://a\0b/', 'http://a b/', 'http://a%0d%0ab/', 'http://a.test:80\0/', 'http://[::1%0a]/', 'http://a<b/', 'http://a%00/', 'http://a|b/']) {
    try {
        taken.push(`${JSON.stringify(text)} is ${new URL(text)}`);
    } catch (error) {
        if (!(error instanceof TypeError)) taken.push(String(error));
    }
}
console.log(taken.length ? `ESCAPED: ${taken}` : 'held');
