// attack: what is refused is tried where the stack ends, so that there is no room for telling of it
// policy: strict
// expect: held
// expect-violation: worker
// expect-violation: random
let error;
function dive() {
    try {
        dive();
    } catch {}
    if (error === undefined) try {
        new Worker('data:,');
    } catch (e) {
        if (e.code === 'ERR_ACCESS_DENIED') error = e;
    }
}
dive();
let numbers = 0;
function random() {
    try {
        random();
    } catch {}
    if (numbers === 0) try {
        Math.random();
        numbers++;
    } catch {}
}
random();
console.log(error.code === 'ERR_ACCESS_DENIED' && numbers === 1 ? 'held' : 'ESCAPED');
