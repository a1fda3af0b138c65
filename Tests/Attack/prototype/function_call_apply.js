// attack: Function.prototype.call and apply are replaced to catch functions of the host
// policy| base: strict
// policy| code: {primordials: open}
// policy| random: allow
// expect: held
const caught = [];
const { call, apply, bind } = Function.prototype;
const reflectApply = Reflect.apply;
Function.prototype.call = function (...a) { caught[caught.length] = this; return reflectApply(call, this, a); };
Function.prototype.apply = function (...a) { caught[caught.length] = this; return reflectApply(apply, this, a); };
Function.prototype.bind = function (...a) { caught[caught.length] = this; return reflectApply(bind, this, a); };
Reflect.apply = function (f, ...a) { caught[caught.length] = f; return reflectApply(f, ...a); };
new TextDecoder().decode(new TextEncoder().encode('text'));
performance.now();
crypto.randomUUID();
new AbortController().abort();
new EventTarget().dispatchEvent(new Event('x'));
queueMicrotask(() => {});
console.table([{ a: 1 }]);
Function.prototype.call = call; Function.prototype.apply = apply; Function.prototype.bind = bind; Reflect.apply = reflectApply;
console.log(caught.length === 0 ? 'held' : `ESCAPED: ${caught.map(String)}`);
