import { done, equal, ok, same, test, throws } from './assert.js';
import processModule, { argv, pid } from 'node:process';

const onSidelight = process.versions.sidelight !== undefined;

test('what the process knows of itself', () => {
    ok(argv.length >= 2 && argv === process.argv && argv.every((item) => typeof item === 'string'));
    ok(pid === process.pid && pid > 0 && process.ppid > 0);
    equal(processModule, process);
    same([process.platform, typeof process.arch, typeof process.version, typeof process.versions.v8], ['linux', 'string', 'string', 'string']);
    ok(process.cwd().startsWith('/'));
    if (onSidelight) equal(process.versions.node, undefined);
});
test('env holds strings', () => {
    ok(process.env.PATH.length > 0);
    process.env.SIDELIGHT_TEST = 5;
    equal(process.env.SIDELIGHT_TEST, '5');
    process.env.SIDELIGHT_TEST = undefined;
    equal(process.env.SIDELIGHT_TEST, 'undefined');
    ok('SIDELIGHT_TEST' in process.env && Object.keys(process.env).includes('SIDELIGHT_TEST'));
    delete process.env.SIDELIGHT_TEST;
    equal(process.env.SIDELIGHT_TEST, undefined);
    throws(() => { process.env.SIDELIGHT_TEST = Symbol('x'); }, 'TypeError');
});
test('times and memory', () => {
    const start = process.hrtime();
    const big = process.hrtime.bigint();
    const difference = process.hrtime(start);
    ok(difference[0] >= 0 && difference[1] >= 0 && difference[1] < 1e9);
    ok(process.hrtime.bigint() >= big && process.uptime() > 0);
    const usage = process.memoryUsage();
    ok(usage.rss > usage.heapUsed && usage.heapTotal >= usage.heapUsed && usage.heapUsed > 0);
});
test('the exit code is checked', () => {
    for (const bad of ['x', 1.5, {}, true]) throws(() => { process.exitCode = bad; }, process.versions.node && bad === 1.5 ? 'RangeError' : 'TypeError');
    process.exitCode = 3;
    equal(process.exitCode, 3);
    process.exitCode = undefined;
    equal(process.exitCode, undefined);
});
test('an uncaught exception goes to its listener, and the run goes on', async () => {
    const seen = [];
    const listener = (error, origin) => seen.push(`${error.message} ${origin}`);
    process.on('uncaughtException', listener);
    setTimeout(() => { throw new Error('from a timer'); }, 0);
    setImmediate(() => { throw new Error('from an immediate'); });
    queueMicrotask(() => { throw new Error('from a microtask'); });
    new EventTarget().dispatchEvent(new Event('x'));
    const target = new EventTarget();
    target.addEventListener('x', () => { throw new Error('from a listener'); });
    target.dispatchEvent(new Event('x'));
    await new Promise((resolve) => { setTimeout(resolve, 30); });
    process.off('uncaughtException', listener);
    same(seen.sort(), ['from a listener', 'from a microtask', 'from a timer', 'from an immediate'].map((text) => `${text} uncaughtException`));
});
test('an unhandled rejection goes to its listener', async () => {
    let seen;
    process.once('unhandledRejection', (reason) => { seen = reason; });
    Promise.reject('nobody');
    await new Promise((resolve) => { setTimeout(resolve, 10); });
    equal(seen, 'nobody');
    equal(process.listenerCount('unhandledRejection'), 0);
});
test('listeners of the process', () => {
    const order = [];
    process.on('custom', () => order.push('a'));
    process.prependListener('custom', () => order.push('b'));
    process.once('custom', (x) => order.push(x));
    equal(process.emit('custom', 1), true);
    process.emit('custom', 2);
    process.removeAllListeners('custom');
    equal(process.emit('custom'), false);
    same(order, ['b', 'a', 1, 'b', 'a']);
});
test('streams write at once', async () => {
    equal(typeof process.stdout.write(''), 'boolean');
    await new Promise((resolve) => { process.stderr.write('', () => resolve()); });
    equal(process.stdout.fd, 1);
});
await done();
process.on('exit', (code) => console.log(`exit ${code}`));
