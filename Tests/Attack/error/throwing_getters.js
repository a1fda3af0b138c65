// attack: errors with getters that throw are thrown at the host
// expect: held
class Evil extends Error {
    get message() { throw new Evil(); }
    get name() { throw new Evil(); }
    get stack() { throw new Evil(); }
    get cause() { throw new Evil(); }
    toString() { throw new Evil(); }
}
process.on('uncaughtException', () => { console.log('held'); });
Promise.resolve().then(() => {});
queueMicrotask(() => { throw new Evil(); });
