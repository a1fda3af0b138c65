// attack: an answer names a length and a coding of its own, so that what follows is read as the next answer
// command: serve
// policy: standard
// request: GET /short -> 200 held
// request: GET /long -> 200 held
// request: GET /chunked -> 200 held
// request: GET /both -> 200 held
// request: GET /after -> 200 held
const FIELDS = {
    '/short': { 'content-length': '1' }, '/long': { 'content-length': '1000' }, '/chunked': { 'transfer-encoding': 'chunked' },
    '/both': { 'content-length': '0', 'transfer-encoding': 'identity, chunked', trailer: 'x' }, '/after': {},
};

export default {
    fetch(request) {
        try {
            return new Response('held', { headers: FIELDS[new URL(request.url).pathname] });
        } catch {
            return new Response('held');
        }
    },
};
