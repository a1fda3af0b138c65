// attack: the reason phrase ends the status line early
// command: serve
// policy: standard
// request: GET / -> 200 held
export default {
    fetch() {
        for (const statusText of ['OK\r\nx: y', 'OK\n', '\r', 'OK\0', 'a\x7fb', '\u010a']) {
            try {
                new Response('', { statusText });
                return new Response(`ESCAPED: ${JSON.stringify(statusText)}`);
            } catch (error) {
                if (!(error instanceof TypeError)) return new Response(`ESCAPED: ${error}`);
            }
        }
        return new Response('held');
    },
};
