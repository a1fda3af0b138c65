// attack: intervals that make intervals
// command: serve
// limits: timers=100 cpu=1s
// request: GET /fork -> 200
// expect-limit: timers
export default {
    fetch(request) {
        if (!request.url.endsWith('/fork')) return new Response('fast');
        const fork = () => { try { setInterval(fork, 1); } catch { /* held */ } };
        for (let i = 0; i < 200; i++) fork();
        return new Response('forked');
    },
};
