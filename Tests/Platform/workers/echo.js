// Answers every message with itself; a message { do: … } says what else to do.
self.onmessage = ({ data, ports }) => {
    switch (data?.do) {
        case 'close': postMessage('closing'); self.close(); postMessage('still here'); return;
        case 'throw': throw new RangeError('thrown in the child');
        case 'reject': Promise.reject(new TypeError('rejected in the child')); return;
        case 'throw text': throw 'a text'; // eslint-disable-line no-throw-literal
        case 'loop': postMessage('looping'); for (;;) { /* until it is terminated */ }
        case 'wait': postMessage('waiting'); Atomics.wait(new Int32Array(data.shared), 0, 0, 60000); postMessage('woken'); return;
        case 'exit': process.exit(data.code); return;
        case 'names': postMessage([self.name, self === globalThis, self instanceof DedicatedWorkerGlobalScope, typeof Worker, Object.prototype.toString.call(self)]); return;
        case 'port': ports[0].postMessage('through the port'); ports[0].onmessage = (event) => ports[0].postMessage(['echo', event.data]); return;
        case 'unclonable': try { postMessage(() => {}); } catch (error) { postMessage([error.name, error instanceof DOMException]); } return;
        case 'broadcast': new BroadcastChannel(data.name).postMessage('from the child'); return;
        case 'wasm': postMessage(new WebAssembly.Instance(data.module).exports.add(40, 2)); return;
        case 'nested': {
            const inner = new Worker('./echo.js', { name: 'inner' });
            inner.onmessage = (event) => { postMessage(['inner', event.data]); inner.terminate(); };
            inner.postMessage('deep');
            return;
        }
        default: postMessage(data, ports);
    }
};
