// attack: RegExp.prototype.exec and Symbol.replace are replaced to see texts of the platform
// policy| base: strict
// policy| code: {primordials: open}
// policy| random: allow
// expect: held
const caught = [];
const { exec } = RegExp.prototype;
RegExp.prototype.exec = function (text) { caught[caught.length] = text; return Reflect.apply(exec, this, [text]); };
for (const key of ['match', 'replace', 'search', 'split', 'matchAll']) {
    const original = RegExp.prototype[Symbol[key]];
    RegExp.prototype[Symbol[key]] = function (...a) { caught[caught.length] = key; return Reflect.apply(original, this, a); };
}
new URL('http://a.test/b/../c');
new Headers({ 'x-a': ' b ' }).get('X-A');
new Request('http://a.test');
try { null.x; } catch (error) { console.error(error.stack.length > 0); }
console.log(caught.length === 0 ? 'held' : `ESCAPED: ${caught}`);
