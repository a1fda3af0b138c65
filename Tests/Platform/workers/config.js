// Waits for its first message at a top-level await.
const config = await new Promise((resolve) => self.addEventListener('message', ({ data }) => resolve(data), { once: true }));
postMessage(['configured', config]);
