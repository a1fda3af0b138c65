// The same for Deno. Arguments: PORT, and for TLS the files of certificate and key.
const [port, cert, key] = Deno.args;
const tls = cert === undefined ? {} : { cert: Deno.readTextFileSync(cert), key: Deno.readTextFileSync(key) };
Deno.serve({ port: Number(port), hostname: '127.0.0.1', onListen() {}, ...tls }, () => new Response('Hello, World!'));
