// The node: modules load and work in a program that has frozen the language's objects, and after setters were put on Object.prototype.
import { done, equal, same, test, throws } from './assert.js';

for (const name of ['code', 'context', 'custom', 'default', 'listener', 'name', 'on', 'posix', 'sep', 'signal', 'type', 'windows']) {
    Object.defineProperty(Object.prototype, name, { __proto__: null, configurable: true, get: () => undefined, set() { throw new Error(`the setter of ${name} was called`); } });
}
const early = await import('node:path');
for (const name of ['code', 'context', 'custom', 'default', 'listener', 'name', 'on', 'posix', 'sep', 'signal', 'type', 'windows']) delete Object.prototype[name];

const TypedArray = Object.getPrototypeOf(Uint8Array);
for (const Class of [Object, Array, Function, Error, TypeError, RangeError, Map, Set, Promise, Symbol, Uint8Array, TypedArray, RegExp, String, Number, Date, WeakMap]) {
    Object.freeze(Class.prototype);
    Object.freeze(Class);
}
const modules = {};
for (const name of ['assert', 'async_hooks', 'buffer', 'diagnostics_channel', 'events', 'os', 'path', 'perf_hooks', 'process', 'punycode', 'querystring', 'string_decoder', 'timers', 'timers/promises', 'url', 'util', 'util/types']) {
    modules[name] = await import(`node:${name}`);
}

test('the setters of Object.prototype are not called', () => equal(early.join('a', 'b'), 'a/b'));
test('buffers', () => {
    const { Buffer } = modules.buffer;
    equal(Buffer.from('abc').toString('base64'), 'YWJj');
    equal(Buffer.from('abc').toLocaleString(), 'abc');
});
test('emitters, with names of Object.prototype for events', () => {
    const emitter = new modules.events.EventEmitter();
    let heard = 0;
    for (const name of ['toString', '__proto__', 'constructor']) {
        emitter.on(name, () => heard++);
        emitter.emit(name);
    }
    equal(heard, 3);
    throws(() => emitter.emit('error', 5), 'Error', 'Unhandled error. (5)');
});
test('failed assertions', () => {
    const error = throws(() => modules.assert.deepStrictEqual({ a: 1 }, { a: 2 }), 'AssertionError', '+   a: 1');
    equal(error.code, 'ERR_ASSERTION');
});
test('the others', () => {
    same([modules.util.format('%s', 1), modules.url.parse('http://a/?b=1', true).query.b, modules.querystring.parse('__proto__=1').__proto__, modules.path.parse('/a.b').ext], ['1', '1', '1', '.b']);
    equal(throws(() => modules.path.join(5), 'TypeError').code, 'ERR_INVALID_ARG_TYPE');
});
await done();
