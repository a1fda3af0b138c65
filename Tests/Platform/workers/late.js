// Listens only after its top-level await.
await new Promise((resolve) => setTimeout(resolve, 5));
self.onmessage = ({ data }) => postMessage(['late', data]);
