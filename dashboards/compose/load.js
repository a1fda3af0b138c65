// A few requests a second for the example service, so that the dashboards have something to show.
const base = process.env.NOTES_URL ?? 'http://127.0.0.1:8080';
const words = ['wonderful', 'hippopotamus', 'remember', 'enormous', 'elephant', 'quietly'];
const pick = (list) => list[Math.floor(Math.random() * list.length)];
const ids = [];

const calls = [
    async () => {
        const text = `${pick(words)} ${pick(words)} ${pick(words)}`;
        const answer = await fetch(`${base}/notes`, { method: 'POST', body: JSON.stringify({ text }) });
        const { id } = await answer.json();
        if (id !== undefined && ids.push(id) > 100) ids.shift();
    },
    () => fetch(`${base}/notes`),
    () => fetch(`${base}/notes/${pick(ids) ?? 'none'}`),
    () => fetch(`${base}/notes/${pick(ids) ?? 'none'}/tags`),
    () => fetch(`${base}/fingerprint/${pick(words)}`),
    () => fetch(`${base}/slow/${Math.floor(Math.random() * 300)}`),
    () => fetch(`${base}/primes/${1000 + Math.floor(Math.random() * 50000)}`),
    // Fails: an error in a compiled module, with its stack in the source.
    () => (Math.random() < 0.05 ? fetch(`${base}/report/13`) : fetch(`${base}/`)),
];

for (;;) {
    try {
        const answer = await pick(calls)();
        await answer?.arrayBuffer();
    } catch (error) {
        console.warn(`${base}: ${error.message}`);
        await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 100));
}
