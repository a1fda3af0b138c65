// The traced HTTP handler, as Sidelight serves it.
export default { fetch() { return new Response('Hello, World!'); } };
