// attack: Map and Set methods are replaced to see tables of the platform
// policy| base: strict
// policy| code: {primordials: open}
// policy| random: allow
// expect: held
const caught = [];
for (const Class of [Map, Set, WeakMap, WeakSet]) {
    for (const name of ['get', 'set', 'has', 'add', 'delete']) {
        const original = Class.prototype[name];
        if (original === undefined) continue;
        Class.prototype[name] = function (...a) { caught[caught.length] = this; return Reflect.apply(original, this, a); };
    }
}
setTimeout(() => {}, 1);
const channel = new MessageChannel();
channel.port1.postMessage({ a: 1 });
channel.port1.close();
new FormData().append('a', 'b');
URL.revokeObjectURL(URL.createObjectURL(new Blob(['x'])));
console.count('x');
console.time('y');
console.timeEnd('y');
console.log(caught.length === 0 ? 'held' : `ESCAPED: ${caught.length} tables were seen`);
