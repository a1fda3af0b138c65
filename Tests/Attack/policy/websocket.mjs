// attack: a WebSocket to where no request may go
// expect-violation: network
// expect: held
function open(url) {
    return new Promise((resolve) => {
        try {
            const socket = new WebSocket(url);
            socket.onopen = () => resolve(`ESCAPED: ${url}`);
            socket.onerror = socket.onclose = () => resolve('');
        } catch { resolve(''); }
    });
}
const urls = ['ws://127.0.0.1:$PORT/', 'ws://localhost:$PORT/', 'http://127.0.0.1:$PORT/', 'wss://127.0.0.1:$PORT/'];
const out = (await Promise.all(urls.map(open))).filter(Boolean);
console.log(out.length === 0 ? 'held' : out.join());
