// attack: getters and methods of interfaces are called on what they are not made for
// expect: held
const interfaces = [Headers, Request, Response, URL, URLSearchParams, Blob, FormData, AbortSignal, EventTarget, ReadableStream, WritableStream, TransformStream, MessagePort, TextDecoder, CompressionStream, CryptoKey, SubtleCrypto, WebSocket, BroadcastChannel, Performance];
const bad = [undefined, null, 1, 'x', {}, [], () => {}, Object.create(Headers.prototype), new Proxy(new Headers(), {}), globalThis];
let odd = 0;
for (const Class of interfaces) {
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(Class.prototype))) {
        for (const what of bad) {
            for (const call of [property.get, property.set, property.value]) {
                if (typeof call !== 'function' || name === 'constructor') continue;
                try {
                    const answer = Reflect.apply(call, what, [what]);
                    if (answer !== null && typeof answer === 'object' && typeof answer.then === 'function') answer.then(() => {}, () => {});
                } catch (error) {
                    if (!(error instanceof Error)) odd++;
                }
            }
        }
    }
}
console.log(odd === 0 ? 'held' : `ESCAPED: ${odd} thrown values of another kind`);
process.exit(0);
