// attack: inspection of an error runs code that changes it
// expect: held
const error = new Error('x');
let count = 0;
Object.defineProperty(error, 'stack', { get() { count++; if (count < 100) console.error(error); return 'stack'; } });
console.error(error);
const proxy = new Proxy(new Error('y'), { get(target, key) { if (key === 'constructor') throw 1; return Reflect.get(target, key); }, getPrototypeOf() { throw 2; }, ownKeys() { throw 3; } });
console.error(proxy);
console.error({ [Symbol.for('nodejs.util.inspect.custom')]() { throw 4; } }?.a);
console.log(count < 1e6 ? 'held' : 'ESCAPED: no end');
