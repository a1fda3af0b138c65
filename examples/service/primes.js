// Work that would hold up all other requests: it goes to a child Worker, a thread and an isolate of its own. What the child does belongs to the request
// that asked, in the trace, too: a message carries the context of its sender.
import { Problem } from './router.js';

const LIMIT_MAX = 20_000_000;

let worker; // started by the first request that needs it, and again after one that failed
const waiting = new Map(); // number of a question → { resolve, reject }
let asked = 0;

/** How many primes there are below a limit. */
export async function primes({ limit }) {
    const number = Number(limit);
    if (!Number.isInteger(number) || number < 0 || number > LIMIT_MAX) throw new Problem(422, `the limit is not a whole number from 0 to ${LIMIT_MAX}`);
    return Response.json({ limit: number, primes: await ask(number) });
}

function ask(limit) {
    worker ??= start();
    const id = ++asked;
    return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        worker.postMessage({ id, limit });
    });
}

function start() {
    const started = new Worker(new URL('./primes_worker.js', import.meta.url), { type: 'module', name: 'primes' });
    started.onmessage = ({ data: { id, count } }) => {
        waiting.get(id).resolve(count);
        waiting.delete(id);
    };
    started.onerror = (event) => {
        event.preventDefault(); // it is told to those who wait
        worker = undefined;
        for (const { reject } of waiting.values()) reject(new Error(`the child failed: ${event.message}`));
        waiting.clear();
    };
    return started;
}
