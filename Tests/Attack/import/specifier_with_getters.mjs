// attack: an object whose toString changes is a specifier
// expect: held
let n = 0;
const changing = { toString() { return n++ === 0 ? './own.mjs' : '$SECRET'; } };
let said;
try { said = (await import(changing)).default; } catch (error) { said = 'refused'; }
console.log((said === 'own' && n === 1) || said === 'refused' ? 'held' : `ESCAPED: ${said} ${n}`);
