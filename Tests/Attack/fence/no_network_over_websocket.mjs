// attack: a WebSocket out of an empty network namespace
// policy| base: standard
// policy| fence: {namespaces: [net, ipc]}
// expect: held
const socket = new WebSocket('ws://127.0.0.1:$PORT/');
const how = await new Promise((resolve) => { socket.onopen = () => resolve('ESCAPED'); socket.onerror = () => resolve('held'); });
console.log(how);
