// attack: SharedArrayBuffers, typed arrays and Blobs get past the budget of buffers
// policy: standard
// limits: memory=16MB
// expect: held
const kept = [];
let bytes = 0;
function fill(make) {
    try {
        for (; bytes < 200 << 20; bytes += 1 << 20) kept.push(make());
    } catch (error) {
        return error instanceof RangeError;
    }
    return false;
}
const first = fill(() => new SharedArrayBuffer(1 << 20));
const second = fill(() => new Float64Array(1 << 17));
const third = fill(() => new Uint8Array(1 << 20).slice());
console.log(first && second && third && bytes <= 17 << 20 ? 'held' : `ESCAPED: ${bytes} bytes`);
