// Sends back what it gets; what is moved to it is moved back.
const port = typeof self === 'object' && typeof self.postMessage === 'function' ? self : (await import('node:worker_threads')).parentPort;
const answer = (data) => port.postMessage(data, data instanceof ArrayBuffer ? [data] : []);
if (port.on !== undefined) port.on('message', answer); else port.onmessage = (event) => answer(event.data);
