// attack: values that are good when they are looked at and bad when they are used
// policy: standard
// expect: held
const changing = () => {
    let calls = 0;
    return { calls: () => calls, toString() { return calls++ === 0 ? 'good' : 'bad\r\nx: y'; } };
};
const taken = [];
for (const make of [
    (value) => new Headers([['x', value]]).get('x'),
    (value) => new Headers({ x: value }).get('x'),
    (value) => new Request('http://a.test', { headers: { x: value } }).headers.get('x'),
    (value) => new Response('', { headers: [['x', value]] }).headers.get('x'),
    (value) => new Response('', { statusText: value }).statusText,
    (value) => new Request('http://a.test', { method: value }).method,
]) {
    const value = changing();
    const made = make(value);
    if (made.includes('\r') || value.calls() > 1) taken.push(`${JSON.stringify(made)} after ${value.calls()} calls`);
}
console.log(taken.length ? `ESCAPED: ${taken}` : 'held');
