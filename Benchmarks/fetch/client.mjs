// Runs on Sidelight, Deno and Node alike:  client.mjs PORT requests COUNT | download BYTES
import process from 'node:process';

const [port, what, count] = process.argv.slice(2);
const origin = `http://127.0.0.1:${port}`;
const LANES = 16;

async function requests(left) {
    const lane = async () => {
        while (left-- > 0) {
            const text = await (await fetch(`${origin}/small`)).text();
            if (text !== 'hello') throw new Error(`the answer is ${text}`);
        }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
}

async function download(bytes) {
    let seen = 0;
    for await (const chunk of (await fetch(`${origin}/bytes/${bytes}`)).body) seen += chunk.length;
    if (seen !== bytes) throw new Error(`${seen} bytes came`);
}

if (+count > 0) await (what === 'requests' ? requests : download)(+count);
