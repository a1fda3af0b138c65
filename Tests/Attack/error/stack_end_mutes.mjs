// attack: records are begun where the stack ends, in frames of many sizes, so that one stays open and nobody hears of what comes then
// policy: strict
// expect: held
// expect-violation: network
const { log } = console;
let size = 0, count = 0;
function dive(...rest) {
    try {
        dive(...rest);
    } catch {}
    if (count < 20) try {
        log('x');
        count++;
    } catch {}
}
for (; size < 60; size++) {
    count = 0;
    dive(...new Array(size).fill(0));
}
try {
    await fetch('http://evil.example/');
} catch {
    console.log('held');
}
