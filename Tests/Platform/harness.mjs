// Runs the platform's JavaScript (Sources/Platform/js) inside Node, for development without the real host:
//
//     node --experimental-vm-modules Tests/Platform/harness.mjs FILE.js [ARGS…]
//
// Loads the files in order into a fresh realm, with `ops` made of Node's own means, then evaluates FILE as an ES module there. Not a test of the host: the
// final word has `sidelight run FILE`.
import { AsyncLocalStorage } from 'node:async_hooks';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import url from 'node:url';
import util from 'node:util';
import vm from 'node:vm';
import v8 from 'node:v8';
import zlib from 'node:zlib';

const folder = path.resolve(import.meta.dirname, '../../Sources/Platform/js');
const tracing = /^2[0-7]_/; // needs a ring: hooks.ring

const lengthOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), 'length').get;

const windows1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8DŽ\x8F\x90‘’“”•–—˜™š›œ\x9DžŸ';

/** Lets V8's continuation data be played by Node's. */
const store = new AsyncLocalStorage();

/** The numbers of sl_v8_brand; Node's own knowledge of a value plays V8's. */
const brands = [
    util.types.isProxy, util.types.isPromise, util.types.isMapIterator, util.types.isSetIterator, util.types.isWeakMap, util.types.isWeakSet, util.types.isModuleNamespaceObject,
    util.types.isGeneratorObject, util.types.isArgumentsObject, util.types.isNativeError, util.types.isExternal,
];

function brandOf(value) {
    if (typeof value === 'function' && !util.types.isProxy(value)) {
        const isAsync = util.types.isAsyncFunction(value);
        return util.types.isGeneratorFunction(value) ? (isAsync ? 14 : 13) : isAsync ? 12 : 0;
    }
    return brands.findIndex((is) => is(value)) + 1;
}

v8.setFlagsFromString('--allow-natives-syntax');
const proxyInside = new Function('proxy', 'return [%JSProxyGetTarget(proxy), %JSProxyGetHandler(proxy)]');

/** Of a promise Node tells the state alone, of iterators nothing. */
function insideOf(value) {
    if (util.types.isProxy(value)) return proxyInside(value);
    if (util.types.isPromise(value)) return [util.inspect(value).includes('<pending>') ? 0 : util.inspect(value).includes('<rejected>') ? 2 : 1, undefined];
    return null;
}

/** Digests and HMACs by Node's. */
function hashOps(realm) {
    const names = [];
    const open = [];
    const result = (bytes) => realm.own(bytes);
    return {
        hashNumber(name) {
            if (!names.includes(name)) {
                try { crypto.createHash(name); } catch { return -1; }
                names.push(name);
            }
            return names.indexOf(name);
        },
        hashSizes: (number) => crypto.createHash(names[number]).digest().length * 65536,
        hash: (number, data) => result(crypto.createHash(names[number]).update(data).digest()),
        hmac: (number, key, data) => result(crypto.createHmac(names[number], key).update(data).digest()),
        hashOpen: (number, key) => open.push({ name: names[number], hash: key === undefined ? crypto.createHash(names[number]) : crypto.createHmac(names[number], key) }) - 1,
        hashUpdate(id, data) { open[id].hash.update(data); return true; },
        hashFinish(id, outputLength) {
            const { name, hash } = open[id];
            return result((outputLength === undefined ? hash : hash.copy({ outputLength })).digest());
        },
        hashCopy: (id) => open.push({ name: open[id].name, hash: open[id].hash.copy() }) - 1,
        hashClose() {},
        equalBytes: (a, b) => a.length === b.length && crypto.timingSafeEqual(a, b),
        hashNames: () => crypto.getHashes().join('\n'),
    };
}

/** Compression by Node's zlib, which only knows whole bodies when it is to answer at once: everything comes out with the last piece. */
function zlibOps() {
    const streams = new WeakMap(); // memory → what came in
    const kinds = [['deflateSync', 'inflateSync'], ['deflateRawSync', 'inflateRawSync'], ['gzipSync', 'gunzipSync']];
    return {
        zlibOpen(memory, format, inflates) {
            streams.set(memory, { format, inflates, input: [], output: undefined, at: 0 });
            return true;
        },
        zlibRun(memory, bytes, finish, target) {
            const stream = streams.get(memory);
            stream.input.push(Buffer.from(bytes));
            if (stream.inflates ? stream.output === undefined : finish && stream.output === undefined) {
                try {
                    const { buffer, engine } = zlib[kinds[stream.format][stream.inflates ? 1 : 0]](Buffer.concat(stream.input), { info: true });
                    stream.output = buffer;
                    const before = stream.input.slice(0, -1).reduce((sum, piece) => sum + piece.length, 0);
                    stream.consumed = engine.bytesWritten - before;
                } catch (error) {
                    if (error.code !== 'Z_BUF_ERROR') return -1;
                }
            }
            if (stream.output === undefined) return bytes.length * 0x40000;
            const piece = stream.output.subarray(stream.at, stream.at + target.length);
            target.set(piece);
            stream.at += piece.length;
            const consumed = Math.min(stream.consumed, bytes.length);
            stream.consumed -= consumed;
            return consumed * 0x40000 + piece.length * 2 + (stream.at === stream.output.length ? 1 : 0);
        },
    };
}

function makeOps(realm, hooks) {
    const decoders = new Map();
    const streams = new Map(); // state of decodeText → decoder
    let wake;
    let refs = 0;
    let keepAlive;
    return {
        now() {},
        context: () => store.getStore(),
        setContext: (value) => store.enterWith(value),
        enter(value) { const before = store.getStore(); store.enterWith(value); return before; },
        enterFrom(expected, value) {
            if (store.getStore() !== expected) return false;
            store.enterWith(value);
            return true;
        },
        print(fd, text) { hooks.print ? hooks.print(fd, text) : fs.writeSync(fd, text); },
        exit(code) { process.exit(code); },
        runMicrotasks() { process._tickCallback(); },
        timerWake(ms) {
            clearTimeout(wake);
            if (ms >= 0) { wake = setTimeout(() => hooks.enter(() => realm.internal.timers.run()), Math.ceil(ms)); wake.unref(); }
        },
        immediateWake() { setImmediate(() => hooks.enter(() => realm.internal.timers.runImmediates())); },
        refCount(delta) {
            refs += delta;
            if (refs > 0) keepAlive ??= setInterval(() => {}, 1 << 30);
            else { clearInterval(keepAlive); keepAlive = undefined; }
        },
        fetchStart(id, method, address, headers, body) { return hooks.fetch?.(id, method, address, headers, body) ?? false; },
        fetchWrite: () => true,
        fetchClose() {},
        fetchResume() {},
        fetchAbort() {},
        fetchEnded: () => false,
        encodeUtf8: (text) => realm.own(Buffer.from(text)),
        encodeInto(text, target) {
            const { read, written } = new TextEncoder().encodeInto(text, target);
            return read * 2 ** 32 + written;
        },
        decodeUtf8(bytes, fatal, ignoreBOM) {
            const key = `${fatal}${ignoreBOM}`;
            if (!decoders.has(key)) decoders.set(key, new TextDecoder('utf-8', { fatal, ignoreBOM }));
            try {
                return decoders.get(key).decode(bytes);
            } catch (error) {
                throw new realm.TypeError(error.message);
            }
        },
        decodeText(encoding, bytes, state, fatal, last) {
            const name = realm.internal.encoding.nameOf(encoding);
            if (name === 'windows-1252') { // Node 20 takes it for Latin-1
                return Buffer.from(bytes).latin1Slice().replace(/[\x80-\x9f]/g, (c) => windows1252[c.charCodeAt(0) - 0x80]);
            }
            const of = () => new TextDecoder(name, { fatal, ignoreBOM: true });
            if (state !== undefined && !streams.has(state)) streams.set(state, of());
            try {
                return (state === undefined ? of() : streams.get(state)).decode(bytes, { stream: !last });
            } catch {
                return null;
            } finally {
                if (last) streams.delete(state);
            }
        },
        serializable: (prototype) => realm.create(prototype),
        clone(value, transfer) {
            const error = (message) => Object.assign(new realm.Error(message), { name: 'DataCloneError' });
            try {
                if (transfer === undefined || transfer.length === 0) return realm.clone(value);
                const result = structuredClone(value, { transfer });
                return result instanceof ArrayBuffer ? Object.setPrototypeOf(result, realm.ArrayBuffer.prototype) : result;
            } catch (e) {
                if (!/cloned|transferred|transferList/.test(e.message)) throw e;
                throw error(e.message);
            }
        },
        random(target) { // whose prototype a test may have patched
            const count = lengthOf.call(target);
            const values = crypto.randomFillSync(new Uint32Array(count));
            for (let i = 0; i < count; i++) target[i] = values[i];
        },
        memoryUsage(target) {
            const usage = process.memoryUsage();
            target.set([usage.rss, usage.heapTotal, usage.heapUsed, usage.external, usage.arrayBuffers]);
        },
        readFile: (name) => realm.own(fs.readFileSync(name)),
        cwd: () => process.cwd(),
        hrUnix: () => performance.timeOrigin + performance.now(),
        sourceMap: (script) => realm.maps.get(script) ?? null,
        domainToASCII: (domain) => url.domainToASCII(domain) || null,
        domainToUnicode: (domain) => url.domainToUnicode(domain),
        ...hashOps(realm),
        ...zlibOps(),
        countFinding: (kind, name) => hooks.finding?.(kind, name),
        checkAccess() {},
        noteAccess() {},
        isAllowed: () => true,
        lateSource(name) {
            const file = path.join(folder, 'late', `${name}.js`);
            if (!fs.existsSync(file)) return null;
            return vm.compileFunction(fs.readFileSync(file, 'utf8'), ['ops', 'internal', 'primordials'], { parsingContext: realm.context, filename: `sidelight:late/${name}.js` });
        },
        brand: brandOf,
        inside: (value) => realm.insideOf(value),
        makeSlow() {},
    };
}

/**
 * A fresh realm with the platform in it.
 * @param {{print?: (fd: number, text: string) => void, ring?: object, trace?: object, ops?: (realm: object) => object, now?: () => number, first?: string}} hooks
 *     `ring`: as serve.mjs makes it, loads the tracing files; `trace`: what they are told; `ops`: more of them; `now`: another clock, in milliseconds; `first`: source that runs before the
 *     platform has looked at anything
 */
export function boot(hooks = {}) {
    const context = vm.createContext(Object.create(null));
    if (hooks.first !== undefined) vm.runInContext(hooks.first, context);
    const realm = {
        context, maps: new Map(), internal: vm.runInContext('({})', context), TypeError: vm.runInContext('TypeError', context),
        Error: vm.runInContext('Error', context), ArrayBuffer: vm.runInContext('ArrayBuffer', context),
    };
    const copy = vm.runInContext('(b) => { const c = new Uint8Array(b.length); for (let i = 0; i < b.length; i++) c[i] = b[i]; return c; }', context);
    realm.own = (bytes) => copy(bytes);
    realm.create = vm.runInContext('Object.create', context);
    realm.clone = (value) => revive(realm, v8.deserialize(v8.serialize(value)), new Map());
    hooks.enter ??= (run) => {
        try {
            run();
        } catch (error) {
            if (!realm.internal.uncaught(error)) process.exit(realm.internal.finish(1));
        }
    };
    realm.insideOf = insideOf;
    const ops = makeOps(realm, hooks);
    const primordials = vm.runInContext('({})', context);
    realm.ops = Object.assign(vm.runInContext('({})', context), ops, hooks.ops?.(realm));
    realm.ops.masked ??= () => undefined;
    const clock = hooks.now ?? (() => performance.now());
    if (hooks.ring !== undefined) {
        realm.ops.now = () => { hooks.ring.f64[32] = clock() * 1e6; };
        realm.ops.writeRing = (text, at, limit) => {
            const bytes = Buffer.from(text);
            if (at + bytes.length > limit) return -1;
            hooks.ring.u8.set(bytes, at);
            return bytes.length;
        };
    }
    realm.primordials = primordials;
    realm.internal.now = clock;
    for (const name of fs.readdirSync(folder).sort()) {
        if (!/^\d\d_.*\.js$/.test(name) || (tracing.test(name) && hooks.ring === undefined) || name > '90_start.js') continue;
        const source = fs.readFileSync(path.join(folder, name), 'utf8');
        const body = vm.compileFunction(source, ['ops', 'internal', 'primordials'], { parsingContext: context, filename: `sidelight:${name}` });
        body(realm.ops, realm.internal, primordials);
    }
    const inside = vm.runInContext('JSON.parse', context);
    realm.internal.complete();
    const config = inside(JSON.stringify({
        argv: ['sidelight', ...(hooks.argv ?? [])], env: { ...process.env }, pid: process.pid, ppid: process.ppid, cwd: process.cwd(), platform: 'linux', arch: process.arch,
        versions: { sidelight: '0.0.0', v8: process.versions.v8 }, entry: '', ring: null, trace: hooks.trace ?? {}, colors: { stdout: false, stderr: false },
    }));
    config.ring = hooks.ring?.buffer ?? null;
    realm.internal.start(config);
    return realm;
}

/** v8.deserialize makes objects of the outer realm: gives them the prototypes of the inner one. */
function revive(realm, value, seen) {
    if (value === null || typeof value !== 'object' || seen.has(value)) return value;
    seen.set(value, true);
    const name = Object.prototype.toString.call(value).slice(8, -1);
    const Class = vm.runInContext(`typeof ${name} === 'function' ? (${name === 'Error' ? value.name : name}) : Object`, realm.context);
    Object.setPrototypeOf(value, Class.prototype);
    if (value instanceof Map) for (const [k, v] of value) { revive(realm, k, seen); revive(realm, v, seen); }
    for (const key of Object.keys(value)) revive(realm, value[key], seen);
    return value;
}

/** Evaluates an ES module file, with what it imports, in the realm. */
export async function runFile(realm, file) {
    const modules = new Map();
    const load = (name) => {
        if (modules.has(name)) return modules.get(name);
        let module;
        const exports = realm.internal.builtin(name) ?? realm.internal.builtin(`node:${name}`);
        if (exports !== undefined) {
            const names = Object.keys(exports);
            module = new vm.SyntheticModule(names, function () { for (const n of names) this.setExport(n, exports[n]); }, { context: realm.context });
        } else {
            module = new vm.SourceTextModule(fs.readFileSync(name, 'utf8'), {
                context: realm.context, identifier: name, initializeImportMeta(meta) { meta.url = url.pathToFileURL(name).href; },
            });
        }
        modules.set(name, module);
        return module;
    };
    const main = load(path.resolve(file));
    await main.link((specifier, from) => load(specifier.startsWith('.') ? path.resolve(path.dirname(from.identifier), specifier) : specifier));
    await main.evaluate();
}

if (process.argv[1] === import.meta.filename) {
    const realm = boot({ argv: process.argv.slice(2) });
    process.on('uncaughtException', (error) => { if (!realm.internal.uncaught(error)) process.exit(realm.internal.finish(1)); });
    process.on('unhandledRejection', (reason, promise) => { if (!realm.internal.unhandledRejection(reason, promise)) process.exit(realm.internal.finish(1)); });
    process.on('rejectionHandled', (promise) => realm.internal.rejectionHandled(promise));
    process.on('beforeExit', () => { process.exitCode = realm.internal.finish(); });
    await runFile(realm, process.argv[2]);
}
