// AsyncLocalStorage through streams: callbacks of sources and sinks run in the context they were called in, what awaits a read goes on in its own.
import { done, equal, same, test } from './assert.js';
import { AsyncLocalStorage } from 'node:async_hooks';

const storage = new AsyncLocalStorage();
const within = (value, run) => storage.run(value, run);
const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

test('start runs in the constructor\'s context, pull in the reader\'s, cancel in its caller\'s', async () => {
    const seen = [];
    const note = (what) => seen.push(`${what} ${storage.getStore()}`);
    const stream = within('maker', () => new ReadableStream({ start() { note('start'); }, pull(c) { note('pull'); c.enqueue(1); }, cancel() { note('cancel'); } }, { highWaterMark: 0 }));
    await turn();
    const reader = stream.getReader();
    await within('reader', () => reader.read());
    await within('other', () => reader.read());
    await within('end', () => reader.cancel());
    same(seen, ['start maker', 'pull reader', 'pull other', 'cancel end']);
});
test('a read and for await go on in their own context, whoever enqueues', async () => {
    let controller;
    const stream = new ReadableStream({ start(c) { controller = c; } });
    const seen = [];
    const all = within('loop', async () => {
        for await (const chunk of stream) seen.push(`${chunk} ${storage.getStore()}`);
        seen.push(`end ${storage.getStore()}`);
    });
    await turn();
    within('feeder', () => controller.enqueue('a'));
    await turn();
    within('feeder', () => { controller.enqueue('b'); controller.close(); });
    await all;
    same(seen, ['a loop', 'b loop', 'end loop']);
    equal(storage.getStore(), undefined);
});
test('a pipe and its transformers run in the context of the pipe', async () => {
    let controller;
    const seen = [];
    const stream = new ReadableStream({ start(c) { controller = c; } });
    const piping = within('pipe', () => stream.pipeTo(new WritableStream({
        write(chunk) { seen.push(`${chunk} ${storage.getStore()}`); }, close() { seen.push(`close ${storage.getStore()}`); },
    })));
    await turn();
    within('feeder', () => controller.enqueue('a'));
    await turn();
    within('feeder', () => controller.close());
    await piping;
    same(seen, ['a pipe', 'close pipe']);
});
test('two writers of one stream, one after the other', async () => {
    const seen = [];
    const stream = new WritableStream({ write(chunk) { seen.push(`${chunk} ${storage.getStore()}`); } });
    await turn();
    const writer = stream.getWriter();
    await within('one', () => writer.write('a'));
    await within('two', () => writer.write('b'));
    same(seen, ['a one', 'b two']);
});
await done();
