// The same for Node. Arguments: PORT, and for TLS the files of certificate and key.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTLSServer } from 'node:https';
const [port, cert, key] = process.argv.slice(2);
const answer = (_, response) => {
    response.writeHead(200, { 'content-type': 'text/plain;charset=UTF-8' });
    response.end('Hello, World!');
};
const server = cert === undefined ? createServer(answer) : createTLSServer({ cert: readFileSync(cert), key: readFileSync(key) }, answer);
server.listen(Number(port), '127.0.0.1');
