// A WebAssembly module on Sidelight, Deno and Node: measure.mjs URL. Gets URL/module.wasm and URL/input, compiles the module, and runs it as a WASI command
// that reads the input. Prints JSON: milliseconds to compile, from then to its end, and what it said.
//
// The few calls of WASI that it needs are made here, so that all contenders have the same.
const site = (globalThis.Deno?.args ?? process.argv.slice(2))[0];
const get = async (name) => new Uint8Array(await (await fetch(`${site}/${name}`)).arrayBuffer());
const bytes = await get('module.wasm'), input = await get('input');
const commandLine = ['command', '--smt2', '--rewrite-level', '0'];

let memory, read = 0, output = '';
const view = () => new DataView(memory.buffer);
const encoder = new TextEncoder(), decoder = new TextDecoder();

function sizes(list, count, length) {
    view().setUint32(count, list.length, true);
    view().setUint32(length, list.reduce((sum, text) => sum + text.length + 1, 0), true);
    return 0;
}

function put(list, pointers, at) {
    for (const text of list) {
        view().setUint32(pointers, at, true);
        at += encoder.encodeInto(`${text}\0`, new Uint8Array(memory.buffer, at)).written;
        pointers += 4;
    }
    return 0;
}

/** Calls `move` with each buffer of a list; stores how much it says to have moved. */
function each(list, count, total, move) {
    let sum = 0;
    for (let i = 0; i < count; i++) {
        sum += move(new Uint8Array(memory.buffer, view().getUint32(list + 8 * i, true), view().getUint32(list + 8 * i + 4, true)));
    }
    view().setUint32(total, sum, true);
    return 0;
}

const BADF = 8, NOSYS = 52;
const calls = {
    args_sizes_get: (count, length) => sizes(commandLine, count, length),
    args_get: (pointers, at) => put(commandLine, pointers, at),
    environ_sizes_get: (count, length) => sizes([], count, length),
    environ_get: () => 0,
    fd_prestat_get: () => BADF,
    fd_read: (_, list, count, total) => each(list, count, total, (buffer) => {
        const piece = input.subarray(read, read + buffer.length);
        buffer.set(piece);
        read += piece.length;
        return piece.length;
    }),
    fd_write: (_, list, count, total) => each(list, count, total, (buffer) => {
        output += decoder.decode(buffer);
        return buffer.length;
    }),
    proc_exit(code) { throw new Error(`exit ${code}`); },
};

const alive = setInterval(() => {}, 1000); // Node does not wait for a compilation
const start = performance.now();
const module = await WebAssembly.compile(bytes);
const compiled = performance.now();
clearInterval(alive);
const imports = {};
for (const { module: space, name } of WebAssembly.Module.imports(module)) (imports[space] ??= {})[name] = calls[name] ?? (() => NOSYS);
const { exports } = await WebAssembly.instantiate(module, imports);
memory = exports.memory;
try { exports._start(); } catch (error) { output += error.message; }
console.log(JSON.stringify({ compile: compiled - start, run: performance.now() - compiled, output }));
