// attack: console.log of proxies whose traps throw, loop and give strange values
// expect: held
const handlers = Object.fromEntries(Reflect.ownKeys(Reflect).filter((k) => typeof k === 'string').map((name) => [name, () => { throw new Error(name); }]));
console.error(new Proxy({}, handlers), new Proxy([], handlers), new Proxy(function () {}, handlers), new Proxy(new Map(), handlers));
const endless = new Proxy({}, { get: (t, k, r) => r, ownKeys: () => ['a', 'b'], getOwnPropertyDescriptor: () => ({ value: endless, enumerable: true, configurable: true }) });
console.error(endless);
console.error(Object.create(endless));
console.log('held');
