// attack: one part of a program changes what another part calls, where primordials are frozen
// policy| code: {primordials: frozen}
// expect: held
'use strict';
const out = [];
for (const attempt of [
    () => { Array.prototype.map = () => 'mine'; }, () => { Object.prototype.polluted = 1; }, () => { ({}).__proto__.polluted = 1; }, () => { ({}).constructor.prototype.polluted = 1; }, () => { JSON.parse = () => 'mine'; },
    () => { globalThis.fetch = () => 'mine'; }, () => { delete globalThis.fetch; }, () => { Object.defineProperty(globalThis, 'console', { value: 1 }); }, () => { console.log = () => {}; }, () => { Promise.prototype.then = 1; },
    () => { Function.prototype.call = 1; }, () => { Object.getPrototypeOf(async () => {}).constructor.prototype.a = 1; }, () => { Object.getPrototypeOf([][Symbol.iterator]()).next = 1; }, () => { Error.prepareStackTrace = () => {}; },
    () => { Response.prototype.text = 1; }, () => { Object.setPrototypeOf(Array.prototype, { a: 1 }); }, () => { Object.assign(Object.prototype, { polluted: 1 }); }, () => { Reflect.set(Math, 'max', 1) || (() => { throw new TypeError('refused'); })(); },
    () => { Object.prototype.toString = () => 'mine'; }, () => { Uint8Array.prototype.__proto__.set = 1; }, () => { crypto.subtle.digest = 1; }, () => { Buffer.prototype.toString = 1; }, () => { Symbol.prototype.a = 1; },
]) {
    try { attempt(); out.push(`${attempt}`); } catch (error) { if (!(error instanceof TypeError)) out.push(`${error}`); }
}
if ({}.polluted !== undefined) out.push('polluted');
// And programs of the usual kind run.
class Mine extends Error { constructor(message) { super(message); this.name = 'Mine'; } }
function Old() {}
Old.prototype = {};
Old.prototype.constructor = Old;
Old.prototype.toString = () => 'old';
const list = [1];
list.push = () => 'own';
globalThis.added = 1;
if (String(new Mine('a')) !== 'Mine: a' || `${new Old()}` !== 'old' || list.push() !== 'own' || added !== 1) out.push('ordinary programs do not run');
console.log(out.length === 0 ? 'held' : `ESCAPED: ${out}`);
