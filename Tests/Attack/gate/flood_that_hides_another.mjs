// attack: more refusals of one kind than are recorded in a second, and then one of another
// expect: held
// expect-violation: network
// expect-violation: code
let refused = 0;
for (let i = 0; i < 150; i++) {
    try { await fetch(`http://host-${i}.invalid/`); } catch { refused++; }
}
try { eval('1'); } catch { refused++; }
console.log(refused === 151 ? 'held' : 'ESCAPED');
