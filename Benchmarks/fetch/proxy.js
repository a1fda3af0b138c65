const origin = `http://127.0.0.1:${process.env.ORIGIN}`;

export default {
    async fetch(request) { return new Response((await fetch(origin + new URL(request.url).pathname)).body); },
};
