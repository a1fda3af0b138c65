// Answers each request with what it was: method, path with query, and content.
export default {
    async fetch(request) {
        const url = new URL(request.url);
        const body = request.body ? await request.text() : "";
        return Response.json({ method: request.method, path: url.pathname + url.search, body });
    },
};
