// attack: constructors of objects that the platform made lead to another realm
// expect: held
const objects = [new Headers(), new URL('http://a'), new Event('x'), new AbortController().signal, performance, console, crypto, navigator, process, process.env, new Response('').headers, new TextEncoder().encode(''), structuredClone({}), structuredClone([]), structuredClone(new Map()), structuredClone(new Error('x'))];
const foreign = objects.filter((object) => {
    let proto = object;
    while (Object.getPrototypeOf(proto) !== null) proto = Object.getPrototypeOf(proto);
    return proto !== Object.prototype && object !== process.env && object.constructor !== undefined;
});
console.log(foreign.length === 0 ? 'held' : `ESCAPED: ${foreign.length} of another realm`);
