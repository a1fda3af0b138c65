// attack: a WebSocket where fetch may not go
// policy| network: {allow: ["https://*"]}
// expect-violation: network
// expect: held
const out = [];
for (const url of ['ws://127.0.0.1:$PORT/', 'ws://localhost:$PORT/', 'ws://[::1]:$PORT/', 'http://127.0.0.1:$PORT/', 'wss://127.0.0.1:$PORT/']) {
    out.push(await new Promise((resolve) => {
        let socket;
        try { socket = new WebSocket(url); } catch { return resolve('refused'); }
        socket.onopen = () => resolve('open');
        socket.onerror = () => resolve('refused');
        return undefined;
    }));
}
console.log(out.every((one) => one === 'refused') ? 'held' : `ESCAPED: ${out}`);
