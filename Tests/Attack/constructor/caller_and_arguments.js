// attack: arguments.callee.caller and Function.prototype.caller walk up into the host
// expect: held
function probe() {
    const found = [];
    try { found.push(arguments.callee.caller); } catch {}
    try { found.push(probe.caller); } catch {}
    try { found.push(probe.caller?.arguments); } catch {}
    return found.filter((f) => f != null);
}
const seen = [];
seen.push(...[1].map(function () { return probe(); }).flat().filter((f) => typeof f === 'function' && f.name === '' && false));
new EventTarget().addEventListener('x', probe);
const target = new EventTarget();
target.addEventListener('x', function listener() { if (listener.caller) seen.push(listener.caller); });
target.dispatchEvent(new Event('x'));
setTimeout(function timer() {
    if (timer.caller) seen.push(timer.caller);
    queueMicrotask(function task() {
        if (task.caller) seen.push(task.caller);
        console.log(seen.length === 0 ? 'held' : `ESCAPED: ${seen.map((f) => f.name)}`);
    });
}, 0);
