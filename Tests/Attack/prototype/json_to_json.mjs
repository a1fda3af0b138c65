// attack: toJSON on Object.prototype changes what the platform writes as JSON
// policy| base: strict
// policy| code: {primordials: open}
// policy| random: allow
// expect: held
Object.prototype.toJSON = () => 'changed';
Array.prototype.toJSON = () => 'changed';
const answer = await new Response('{"a":[1]}').json();
delete Object.prototype.toJSON;
delete Array.prototype.toJSON;
console.log(answer.a[0] === 1 ? 'held' : 'ESCAPED: toJSON was asked');
