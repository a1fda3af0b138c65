// attack: the constructor of a host function's constructor makes code from text
// expect-violation: code
// expect: held
const ways = [
    () => console.log.constructor('return 7')(),
    () => fetch.constructor.constructor('return 7')(),
    () => setTimeout.constructor('return 7')(),
    () => Object.getPrototypeOf(async () => {}).constructor('return 7')(),
    () => Object.getPrototypeOf(function* () {}).constructor('return 7')().next(),
    () => Object.getPrototypeOf(async function* () {}).constructor('return 7')(),
    () => Reflect.construct(Function, ['return 7'])(),
    () => (0, eval)('7'),
    () => eval('7'),
    () => new Function('return 7')(),
];
const out = ways.map((way) => { try { way(); return 'ESCAPED'; } catch (error) { return error.name; } });
console.log(out.includes('ESCAPED') ? `ESCAPED: ${out}` : 'held');
