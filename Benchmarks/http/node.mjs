// The same for Node. Arguments: PORT.
import { createServer } from 'node:http';
createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/plain;charset=UTF-8' });
    response.end('Hello, World!');
}).listen(Number(process.argv[2]), '127.0.0.1');
