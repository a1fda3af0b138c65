// URL.createObjectURL, revokeObjectURL, and fetch of blob: URLs; modules from data: and blob: URLs.
import { done, equal, ok, rejects, same, test, throws } from './assert.js';

const blob = new Blob(['0123456789'], { type: 'text/x-ten' });
const fetched = async (url, init) => {
    const response = await fetch(url, init);
    return [response.status, response.headers.get('content-type'), response.headers.get('content-length'), response.headers.get('content-range'), await response.text()];
};

test('the URL', () => {
    const url = URL.createObjectURL(blob);
    ok(/^blob:null\/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(url), url);
    ok(URL.createObjectURL(blob) !== url);
    equal(new URL(url).origin, 'null');
    throws(() => URL.createObjectURL(), 'TypeError');
    for (const bad of [null, {}, 'x', new Uint8Array(1), Object.create(Blob.prototype)]) throws(() => URL.createObjectURL(bad), 'TypeError');
    throws(() => URL.revokeObjectURL(), 'TypeError');
    for (const unknown of ['blob:null/x', 'http://a/', 'no url', '', 5]) equal(URL.revokeObjectURL(unknown), undefined);
    same([URL.createObjectURL.length, URL.revokeObjectURL.name, Object.getOwnPropertyDescriptor(URL, 'createObjectURL').enumerable], [1, 'revokeObjectURL', true]);
});

test('fetch', async () => {
    const url = URL.createObjectURL(blob);
    same(await fetched(url), [200, 'text/x-ten', '10', null, '0123456789']);
    same(await fetched(`${url}#fragment`), [200, 'text/x-ten', '10', null, '0123456789']);
    same(await fetched(URL.createObjectURL(new Blob())), [200, '', '0', null, '']);
    const response = await fetch(url);
    same([response.type, response.url, response.statusText, (await response.blob()).type], ['basic', url, 'OK', 'text/x-ten']);
    await rejects(fetch(url, { method: 'POST' }), 'TypeError');
    await rejects(fetch(url, { method: 'HEAD' }), 'TypeError');
    await rejects(fetch(`${url}?x`), 'TypeError');
    await rejects(fetch('blob:null/none'), 'TypeError');
    await rejects(fetch(url, { signal: AbortSignal.abort() }), 'AbortError');
    URL.revokeObjectURL(`${url}#x`); // is another URL
    equal((await fetched(url))[0], 200);
    URL.revokeObjectURL(url);
    await rejects(fetch(url), 'TypeError');
});

test('ranges', async () => {
    const url = URL.createObjectURL(blob);
    const range = (text) => fetched(url, { headers: { range: text } });
    for (const [text, from, to] of [
        ['bytes=0-', 0, 9], ['bytes=2-4', 2, 4], ['bytes=9-9', 9, 9], ['bytes=5-100', 5, 9], ['bytes=-3', 7, 9], ['bytes=-30', 0, 9], ['bytes =\t1 - 2', 1, 2],
    ]) {
        same(await range(text), [206, 'text/x-ten', `${to - from + 1}`, `bytes ${from}-${to}/10`, '0123456789'.slice(from, to + 1)], text);
    }
    for (const bad of ['bytes=', 'bytes=-', 'bytes=4-2', 'bytes=10-', 'bytes=-0', 'bytes=1-2,4-5', 'Bytes=0-1', 'byte=0-1', 'bytes=a-b', 'bytes=1-2x', '']) await rejects(range(bad), 'TypeError');
});

test('a Request keeps its blob when the URL is revoked', async () => {
    const url = URL.createObjectURL(blob);
    const request = new Request(url), copy = new Request(request), clone = request.clone();
    const started = fetch(url);
    URL.revokeObjectURL(url);
    for (const one of [await started, await fetch(request), await fetch(copy), await fetch(clone)]) equal(await one.text(), '0123456789');
    await rejects(fetch(new Request(url)), 'TypeError');
});

test('modules', async () => {
    equal((await import('data:text/javascript,export const a = 1; export default import.meta.url.length')).a, 1);
    const url = URL.createObjectURL(new Blob(['export let n = 0; export const more = () => ++n;'], { type: 'application/javascript' }));
    const first = await import(url);
    first.more();
    equal((await import(url)).n, 1); // one module
    URL.revokeObjectURL(url);
    equal((await import(url)).n, 1);
    await rejects(import('data:text/plain,1'), 'TypeError', 'media type');
    await rejects(import('data:,1'), 'TypeError', 'media type');
    await rejects(import('blob:null/none'), 'TypeError', 'no such blob URL');
    await rejects(import('data:text/javascript,export {'), 'SyntaxError');
    await rejects(import('data:text/javascript,import "./a.js"'), 'Error', 'relative');
    await rejects(import('data:text/javascript,import "a"'), 'Error', 'relative');
    equal((await import('data:text/javascript,export { default } from "node:path"')).default.sep, '/');
    equal((await import('data:text/javascript,export { x } from "data:text/javascript,export const x = 7"')).x, 7);
});

await done();
