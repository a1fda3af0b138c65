// attack: Promise.prototype.then is replaced to catch promises and callbacks of the platform
// policy| base: strict
// policy| code: {primordials: open}
// policy| random: allow
// policy| crypto: allow
// expect: held
const caught = [];
const { then } = Promise.prototype;
Promise.prototype.then = function (a, b) { caught[caught.length] = [this, a, b]; return Reflect.apply(then, this, [a, b]); };
const work = async () => {
    await new Response('text').text();
    await new Blob(['a']).arrayBuffer();
    await crypto.subtle.digest('SHA-256', new Uint8Array(3));
    for await (const piece of new Response('stream').body) piece.length;
};
await work();
const seen = caught.length;
Promise.prototype.then = then;
console.log(seen === 0 ? 'held' : `ESCAPED: ${seen} thens were seen`);
