// What the differential tests share: numbers by chance from a seed, and outcomes that can be compared across realms.

/** @param {number} seed */
export function generator(seed) {
    let state = seed >>> 0 || 1;
    const next = () => {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        return (state >>>= 0) / 4294967296;
    };
    const random = {
        next,
        below: (max) => Math.floor(next() * max),
        pick: (list) => list[Math.floor(next() * list.length)],
        chance: (part) => next() < part,
    };
    return random;
}

/** What a call gives or throws, as plain data of this realm. */
export function outcome(run) {
    try {
        return { value: plain(run()) };
    } catch (error) {
        return { name: error.name, code: error.code, message: error.message };
    }
}

/** Objects and arrays of another realm as ones of this. */
export function plain(value) {
    if (Array.isArray(value)) return Array.from(value, plain);
    if (ArrayBuffer.isView(value)) return `bytes ${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`;
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
