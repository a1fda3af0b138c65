// attack: headers out of iterators and proxies that give something else each time
// policy: standard
// expect: held
let looks = 0;
const proxy = new Proxy({}, {
    ownKeys: () => ['x'],
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 'good' }),
    get: (_, key) => (typeof key === 'symbol' ? undefined : looks++ === 0 ? 'good' : 'bad\r\nx: y'),
});
const taken = [];
const first = new Headers(proxy);
if (first.get('x') !== 'good') taken.push('a proxy');
try {
    new Headers(proxy);
    taken.push('a proxy that is bad the second time');
} catch (error) {
    if (!(error instanceof TypeError)) taken.push(String(error));
}
Array.prototype[Symbol.iterator] = function* () { yield 'x'; yield 'a\r\nb: c'; };
String.prototype.includes = () => false;
RegExp.prototype.test = () => false;
RegExp.prototype.exec = () => null;
try {
    const headers = new Headers({ y: 'a\r\nb: c' });
    taken.push(`patched primordials: ${JSON.stringify(headers.get('y'))}`);
} catch (error) {
    if (!(error instanceof TypeError)) taken.push(String(error));
}
console.log(taken.length ? `ESCAPED: ${taken}` : 'held');
