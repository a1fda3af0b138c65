// Prints docs/specs/platform-table.md, made of what is there: scripts/platform-table runs it on the built worker.
import { interfaces } from './interfaces.js';
import { all, modules } from './node_exports.js';

// https://min-common-api.proposal.wintertc.org/: what is more than an interface of interfaces.js.
const minimumGlobals = [
    'atob', 'btoa', 'clearInterval', 'clearTimeout', 'console', 'crypto', 'fetch', 'globalThis', 'navigator.userAgent', 'onerror', 'onrejectionhandled', 'onunhandledrejection', 'performance.now', 'performance.timeOrigin',
    'queueMicrotask', 'reportError', 'self', 'setInterval', 'setTimeout', 'structuredClone', 'WebAssembly.compile', 'WebAssembly.compileStreaming', 'WebAssembly.instantiate', 'WebAssembly.instantiateStreaming', 'WebAssembly.validate',
];
const minimumInterfaces = [
    'AbortController', 'AbortSignal', 'Blob', 'ByteLengthQueuingStrategy', 'CompressionStream', 'CountQueuingStrategy', 'Crypto', 'CryptoKey', 'CustomEvent', 'DecompressionStream', 'DOMException', 'ErrorEvent', 'Event', 'EventTarget', 'File',
    'FormData', 'Headers', 'MessageChannel', 'MessageEvent', 'MessagePort', 'Performance', 'PromiseRejectionEvent', 'ReadableByteStreamController', 'ReadableStream', 'ReadableStreamBYOBReader', 'ReadableStreamBYOBRequest',
    'ReadableStreamDefaultController', 'ReadableStreamDefaultReader', 'Request', 'Response', 'SubtleCrypto', 'TextDecoder', 'TextDecoderStream', 'TextEncoder', 'TextEncoderStream', 'TransformStream', 'TransformStreamDefaultController', 'URL',
    'URLPattern', 'URLSearchParams', 'WebAssembly.Global', 'WebAssembly.Instance', 'WebAssembly.Memory', 'WebAssembly.Module', 'WebAssembly.Table', 'WritableStream', 'WritableStreamDefaultController', 'WritableStreamDefaultWriter',
];
// Beyond the minimum: what programs for browsers, Deno or Node also ask for.
const more = [
    'BroadcastChannel', 'Buffer', 'CloseEvent', 'EventSource', 'Navigator', 'PerformanceEntry', 'PerformanceMark', 'PerformanceMeasure', 'PerformanceObserver', 'PerformanceObserverEntryList', 'Scheduler', 'SharedArrayBuffer', 'Storage', 'WebSocket',
    'Worker', 'caches', 'clearImmediate', 'global', 'navigator.hardwareConcurrency', 'navigator.language', 'process', 'scheduler.wait', 'scheduler.yield', 'setImmediate',
];

const out = [];
const code = (names) => names.map((name) => `\`${name}\``).join(', ');

function find(path) {
    let value = globalThis;
    for (const name of path.split('.')) {
        if (value === null || value === undefined || !(name in Object(value))) return undefined;
        value = value[name] ?? null;
    }
    return { value };
}

const lines = new Map(interfaces.trim().split('\n').map((line) => [/^\w+/.exec(line)[0], line]));

/** The members of an interface that are missing; none when its standard's list is not here. */
function missingMembers(name) {
    const Class = find(name).value;
    const members = lines.get(name)?.split('|')[1].trim().split(' ') ?? [];
    return members.filter((member) => {
        if (member === '@pairs') return typeof Class.prototype.forEach !== 'function';
        if (member === '@async') return Class.prototype[Symbol.asyncIterator] === undefined;
        const key = member.replace(/^[~+]|[*]$|\(.*$|=.*$/g, '');
        return !(key in (member.startsWith('+') ? Class : Class.prototype));
    }).map((member) => member.replace(/^[~+]|[*]$|\(.*$|=.*$/g, ''));
}

function describe(title, names) {
    const there = [];
    const partly = [];
    const absent = [];
    for (const name of names) {
        if (find(name) === undefined) { absent.push(name); continue; }
        const missing = lines.has(name) ? missingMembers(name) : [];
        if (missing.length === 0) there.push(name); else partly.push(`\`${name}\` without ${code(missing)}`);
    }
    out.push(`| ${title} | ${there.length + partly.length} of ${names.length} | ${code(there)}${partly.length > 0 ? `; ${partly.join('; ')}` : ''} | ${absent.length === 0 ? '–' : code(absent)} |`);
}

out.push(
    '# What is there and what is not', '',
    'Made by `scripts/platform-table` from the built worker; a test says when it is out of date. Behaviour and limits stand in [platform.md](platform.md).', '',
    '## Web platform', '', '| what | how much | there | not there |', '|---|---|---|---|');
describe('[minimum common API](https://min-common-api.proposal.wintertc.org/): interfaces, with all members', minimumInterfaces);
describe('minimum common API: globals', minimumGlobals);
describe('beyond it', more);
out.push(
    '', 'Console: ' + code(Object.keys(console)) + '.', '',
    '## Modules of Node', '', 'Both `node:x` and `x`. Beside each, what Node 24 exports under that name.', '', '| module | how much | there | not there |', '|---|---|---|---|');
for (const [name, list] of Object.entries(modules)) {
    const exports = await import(`node:${name}`);
    const names = list.split(' ');
    const there = names.filter((key) => key in exports);
    const absent = names.filter((key) => !(key in exports));
    out.push(`| \`node:${name}\` | ${there.length} of ${names.length} | ${code(there)} | ${absent.length === 0 ? '–' : code(absent)} |`);
}
const absent = [];
for (const name of all.split(' ')) {
    if (name in modules) continue;
    try {
        const exports = await import(`node:${name}`);
        out.push(`| \`node:${name}\` | ${Object.keys(exports).length} | ${code(Object.keys(exports).filter((key) => key !== 'default').sort())} | |`);
    } catch (error) {
        if (error.code !== 'ERR_UNKNOWN_BUILTIN_MODULE') throw error;
        absent.push(name);
    }
}
out.push('', `Not there: ${code(absent)}. An import of one fails with a message that lists those that are.`, '');
console.log(out.join('\n').trimEnd());
