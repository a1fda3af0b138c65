// attack: the error of a refusal as a way to the host: its constructor, its frames, what it holds
// policy| base: strict
// policy| code: {primordials: open}
// expect-violation: network
// expect: held
const out = [];
Error.prepareStackTrace = (error, frames) => {
    for (const frame of frames) {
        const its = [frame.getThis?.(), frame.getFunction?.()];
        for (const value of its) if (value && value !== globalThis && typeof value === 'function' && /ops|internal/.test(String(value))) out.push('ESCAPED: a function of the host');
    }
    return frames.length;
};
for (const one of [() => fetch('$TARGET/'), () => (0, eval)('1'), () => new WebAssembly.Module(new Uint8Array(8)), () => crypto.getRandomValues(new Uint8Array(1))]) {
    try {
        await one();
        out.push('ESCAPED');
    } catch (error) {
        void error.stack;
        if (!(error instanceof Error)) out.push('an error of another realm');
        const maker = error.constructor.constructor;
        if (maker !== Function) out.push('ESCAPED: another Function');
        for (const key of Reflect.ownKeys(error)) if (typeof error[key] === 'function' || (typeof error[key] === 'object' && error[key] !== null)) out.push(`ESCAPED: ${String(key)}`);
    }
}
console.log(out.length === 0 ? 'held' : out.join());
