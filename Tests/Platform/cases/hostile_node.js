// The node: modules, the global events and the observers work when they are first loaded and used after a program has patched all it can reach.
import { patchedUntil } from '../patches.js';
import { done, equal, same, test } from './assert.js';

const results = {};
const names = ['assert', 'assert/strict', 'async_hooks', 'buffer', 'diagnostics_channel', 'events', 'os', 'path', 'path/posix', 'path/win32', 'process', 'punycode', 'querystring', 'string_decoder', 'timers', 'timers/promises', 'url', 'util', 'util/types'];
const modules = {};
const enumerable = { value: 'from Object.prototype', enumerable: true, configurable: true, writable: true };
const { defineProperty } = Object;
// Made before the patches: these constructors ask iterators.
const nested = { a: [1, new Map([['k', new Set([2])]])], p: Promise.resolve(5), x: new Proxy({}, {}) };
const [one, other] = [{ a: [1, new Map([[1, { b: 2 }]])] }, { a: [1, new Map([[1, { b: 2 }]])] }];
const [map, promise] = [new Map(), Promise.resolve()];

/** Loads and uses everything; throws nothing that it does not keep. */
async function use() {
    // for…in over an object of the platform would find this.
    defineProperty(Object.prototype, 'polluted', enumerable);
    try {
        for (let i = 0; i < names.length; i++) modules[names[i]] = await import(`node:${names[i]}`);
        const { Buffer } = modules.buffer;
        const { util, events, path, querystring, url, os } = modules;
        const bytes = Buffer.from('häß😀');
        results.hex = bytes.toString('hex');
        results.base64 = Buffer.from(bytes.toString('base64'), 'base64').toString();
        results.latin1 = Buffer.from('é', 'latin1').toString('latin1');
        results.concat = Buffer.concat([bytes, Buffer.alloc(2, 'x')]).toString();
        results.find = bytes.indexOf('ß') + bytes.lastIndexOf(0x68) + (bytes.includes('nothing') ? 100 : 0);
        results.numbers = bytes.readUInt32BE(0) + bytes.readInt16LE(1) + bytes.writeDoubleLE(1.5, 0) + bytes.readDoubleLE(0);
        results.compare = Buffer.compare(bytes, Buffer.from('a')) + (bytes.equals(bytes) ? 10 : 0);
        results.fill = Buffer.alloc(5).fill('ab').toString();
        results.sub = Buffer.from('abcd').subarray(1, 3).toString() + Buffer.from('abcd').slice(-2).toString();
        results.json = bytes.toJSON().data.length;
        results.shown = util.inspect(Buffer.from('abc'));
        results.path = path.join('/a', '..', 'b') + path.relative('/a/b', '/a/c') + path.resolve('/x', 'y') + path.parse('/a/b.c').ext + path.win32.join('C:\\a', '..', 'b') + path.format({ dir: 'a', base: 'b' });
        results.query = querystring.stringify({ a: ['1', '2'], b: 'ü' }) + querystring.parse('x=1&x=2&y=%41').y;
        results.url = url.fileURLToPath('file:///a%20b') + url.pathToFileURL('/c d').href + url.parse('http://u:p@host:80/p?q#h').hostname + url.resolve('http://a/b/c', '../d') + url.format(new URL('http://a/?b'), { search: false });
        const emitter = new events.EventEmitter();
        let heard = 0;
        emitter.on('x', () => { heard++; });
        emitter.once('x', () => { heard++; });
        emitter.prependListener('x', () => { heard++; });
        emitter.emit('x', 1);
        emitter.emit('x', 1);
        results.events = heard + emitter.listenerCount('x') + emitter.eventNames().length;
        const waiting = events.once(emitter, 'y');
        emitter.emit('y', 'value');
        results.once = (await waiting)[0];
        const iterator = events.on(emitter, 'z');
        emitter.emit('z', 'first');
        results.on = (await iterator.next()).value[0];
        await iterator.return();
        results.format = util.format('%s %d %j %o', 'a', 1, { b: 2 }, [3]);
        results.inspect = util.inspect(nested);
        results.equal = util.isDeepStrictEqual(one, other);
        results.types = util.types.isMap(map) && util.types.isPromise(promise);
        results.args = util.parseArgs({ args: ['-a', '--b=c', 'd'], options: { a: { type: 'boolean', short: 'a' }, b: { type: 'string' } }, allowPositionals: true }).values.b;
        results.promisify = await util.promisify((x, callback) => { callback(null, x + 1); })(1);
        results.strip = util.stripVTControlCharacters('\u001B[31mred\u001B[39m');
        const { default: assert } = modules.assert;
        assert.deepStrictEqual([{ a: 1 }], [{ a: 1 }]);
        try { assert.deepStrictEqual({ a: [1, 2] }, { a: [1, 3] }); } catch (error) { results.assert = error.message.length > 20 ? error.code : error.message; }
        try { assert.throws(() => { throw new TypeError('bad'); }, { message: 'bad', name: 'TypeError' }); results.throws = true; } catch (error) { results.throws = error.message; }
        const decoder = new modules.string_decoder.StringDecoder('utf8');
        results.decoder = decoder.write(Buffer.from([0xE2, 0x82])) + decoder.write(Buffer.from([0xAC])) + decoder.end();
        results.punycode = modules.punycode.encode('mañana') + modules.punycode.decode('maana-pta');
        results.os = typeof os.totalmem() === 'number' && os.cpus().length > 0;
        const channel = modules.diagnostics_channel.channel('c');
        channel.subscribe((data) => { results.channel = data; });
        channel.publish('published');
        const storage = new modules.async_hooks.AsyncLocalStorage();
        results.storage = storage.run('stored', () => storage.getStore());
        results.timer = await modules['timers/promises'].setTimeout(1, 'later');
        addEventListener('error', (event) => { results.error = event.message; event.preventDefault(); }, { once: true });
        reportError(new Error('reported'));
        const observer = new PerformanceObserver((list) => { results.observed = list.getEntries()[0].name; });
        observer.observe({ type: 'mark' }); // a sequence is read by its iterator, as Web IDL says
        performance.mark('marked');
        await scheduler.wait(5);
        observer.disconnect();
        results.agent = typeof navigator.userAgent;
    } finally {
        delete Object.prototype.polluted;
    }
}

let failure;
await patchedUntil(async () => {
    try { await use(); } catch (error) { failure = error; }
});

test('nothing of the platform called what was patched', () => {
    if (failure !== undefined) throw failure;
    equal(results.concat.slice(-2), 'xx');
    same(results, {
        hex: '68c3a4c39ff09f9880', base64: 'häß😀', latin1: 'é', concat: results.concat, find: 3, numbers: results.numbers, compare: 9, fill: 'ababa', sub: 'bccd', json: 9, shown: '<Buffer 61 62 63>',
        path: '/b../c/x/y.cC:\\ba/b', query: 'a=1&a=2&b=%C3%BCA', url: '/a bfile:///c%20dhosthttp://a/dhttp://a/', events: 8, once: 'value', on: 'first', format: 'a 1 {"b":2} [ 3, [length]: 1 ]',
        inspect: "{ a: [ 1, Map(1) { 'k' => [Set] } ], p: Promise { 5 }, x: {} }", equal: true, types: true, args: 'c', promisify: 2, strip: 'red', assert: 'ERR_ASSERTION', throws: true, decoder: '€', punycode: 'maana-ptamañana', os: true,
        channel: 'published', storage: 'stored', timer: 'later', error: 'Uncaught Error: reported', observed: 'marked', agent: 'string',
    });
});
test('exports hold nothing that was inherited', () => {
    for (const name of names) equal('polluted' in modules[name], false, name);
    for (const name of Object.keys(modules)) equal(Object.keys(modules[name].default ?? {}).includes('polluted'), false, name);
});
await done();
