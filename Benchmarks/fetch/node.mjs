import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const origin = `http://127.0.0.1:${process.env.ORIGIN}`;

createServer(async (request, response) => {
    const { body } = await fetch(origin + request.url);
    await pipeline(Readable.fromWeb(body), response).catch(() => {}); // the client left
}).listen(Number(process.argv[2]), '127.0.0.1');
