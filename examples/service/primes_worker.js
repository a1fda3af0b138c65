// The child Worker of primes.js.
import { step } from './router.js';

self.onmessage = ({ data: { id, limit } }) => step('count primes', { 'primes.limit': limit }, (span) => {
    const count = countPrimes(limit);
    span.setAttribute('primes.count', count);
    self.postMessage({ id, count });
});

/** The sieve of Eratosthenes, over odd numbers only. */
function countPrimes(limit) {
    if (limit <= 2) return 0;
    const composite = new Uint8Array(limit >> 1); // of 2i + 1; 1 stands for 2 here
    let count = composite.length;
    for (let i = 1; i < composite.length; i++) {
        if (composite[i] === 1) {
            count--;
            continue;
        }
        const prime = 2 * i + 1;
        for (let j = (prime * prime - 1) / 2; j < composite.length; j += prime) composite[j] = 1;
    }
    return count;
}
