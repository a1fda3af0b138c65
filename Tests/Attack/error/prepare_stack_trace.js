// attack: CallSites of prepareStackTrace give functions and receivers of the host
// expect: held
const found = [];
let own;
Error.prepareStackTrace = (error, sites) => (own = sites[0].getFileName());
void new Error('where').stack;
Error.prepareStackTrace = (error, sites) => {
    for (const site of sites) {
        const file = site.getFileName() ?? '';
        if (file === own) continue;
        for (const method of ['getThis', 'getFunction']) {
            const value = site[method]?.();
            if (value !== undefined && value !== null) found.push(`${method} of ${site.getFunctionName()} in ${file}`);
        }
    }
    return 'stack';
};
const force = () => { try { null.x; } catch (error) { void error.stack; } void new Error('x').stack; };
new EventTarget().dispatchEvent.call(Object.assign(new EventTarget()), new Event('x'));
const target = new EventTarget();
target.addEventListener('x', force);
target.dispatchEvent(new Event('x'));
new ReadableStream({ start: force, pull: force });
structuredClone({ get a() { force(); return 1; } });
new Headers({ get a() { force(); return 'b'; } });
new URLSearchParams({ get a() { force(); return 'b'; } });
setTimeout(() => {
    force();
    queueMicrotask(() => { force(); console.log(found.length === 0 ? 'held' : `ESCAPED: ${found}`); });
}, 0);
