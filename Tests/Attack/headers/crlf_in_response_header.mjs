// attack: an answer gets further header lines, and a second answer, out of a value with line ends
// command: serve
// policy: standard
// request: GET / -> 200 held
const VALUES = ['a\r\nset-cookie: b=c', 'a\nb: c', 'a\rb: c', 'a\r\n\r\nHTTP/1.1 200 OK', 'a\0b', '\r\nx', 'x\r\n y'];

export default {
    fetch() {
        const taken = [];
        for (const value of VALUES) {
            for (const make of [
                () => new Response('', { headers: { x: value } }),
                () => new Response('', { headers: [['x', value]] }),
                () => new Headers().append('x', value),
                () => { const response = new Response(''); response.headers.set('x', value); return response; },
            ]) {
                try {
                    make();
                    // White space at the ends is taken away, line ends included: nothing is left of it.
                    if (value.trim() === value) taken.push(JSON.stringify(value));
                } catch (error) {
                    if (!(error instanceof TypeError)) taken.push(String(error));
                }
            }
        }
        return new Response(taken.length ? `ESCAPED: ${taken}` : 'held');
    },
};
