// attack: all that can be thrown is thrown at the host
// expect: held
const strange = [undefined, null, 0, '', Symbol('x'), 1n, () => {}, {}, Object.create(null), new Proxy({}, {}), new Proxy(function () {}, { apply() { throw 1; } }), globalThis];
let seen = 0;
process.on('unhandledRejection', () => { if (++seen === strange.length) console.log('held'); });
for (const one of strange) Promise.reject(one);
