// Bodies that are made, or read, piece by piece. Sidelight asks for the next piece when the client has taken the ones before.
import { Fingerprint } from './fingerprint.js';
import { Problem, step } from './router.js';

/** Rows as NDJSON, a hundred at a time. A million of them need no more memory than ten. */
export function rows({ count }) {
    const wanted = wholeNumber(count, 'the number of rows', 10_000_000);
    async function* lines() {
        for (let row = 0; row < wanted;) {
            let piece = '';
            for (const end = Math.min(row + 100, wanted); row < end; row++) piece += `{"row":${row},"square":${row * row}}\n`;
            yield piece;
        }
        console.log(`${wanted} rows sent`);
    }
    return new Response(ReadableStream.from(lines()).pipeThrough(new TextEncoderStream()), {
        headers: { 'content-type': 'application/x-ndjson' },
    });
}

/** Server-sent events: ?count=5&every=200 (milliseconds). Stops when the client leaves. */
export function ticks(_, request) {
    const { searchParams } = new URL(request.url);
    const count = wholeNumber(searchParams.get('count') ?? '5', 'count', 1000);
    const every = wholeNumber(searchParams.get('every') ?? '200', 'every', 60_000);
    async function* events() {
        for (let tick = 1; tick <= count && !request.signal.aborted; tick++) {
            await new Promise((resolve) => setTimeout(resolve, every));
            yield `id: ${tick}\ndata: {"tick":${tick}}\n\n`;
        }
        console.log(request.signal.aborted ? 'the listener left' : `${count} ticks sent`);
    }
    return new Response(ReadableStream.from(events()).pipeThrough(new TextEncoderStream()), {
        headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' },
    });
}

/** An upload of any length: its fingerprint is computed while it comes in, and nothing of it is kept. */
export async function upload({ name }, request) {
    if (request.body === null) throw new Problem(400, 'there is nothing to upload');
    return step('fingerprint upload', { 'upload.name': name }, async (span) => {
        const fingerprint = new Fingerprint();
        let size = 0, pieces = 0;
        for await (const piece of request.body) {
            fingerprint.update(piece);
            size += piece.length;
            pieces++;
        }
        span.setAttributes({ 'upload.size': size, 'upload.pieces': pieces });
        console.log(`${name}: ${size} bytes in ${pieces} pieces`);
        return Response.json({ name, size, fnv1a: `${fingerprint}` });
    });
}

function wholeNumber(text, what, max) {
    const number = Number(text);
    if (!Number.isInteger(number) || number < 0 || number > max) throw new Problem(400, `${what} is a number from 0 to ${max}, not "${text}"`);
    return number;
}
