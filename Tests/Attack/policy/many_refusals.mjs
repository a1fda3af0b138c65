// attack: ten thousand refusals, to fill the ring, the log and the memory of whoever counts them
// expect-violation: network
// expect: held
let refused = 0;
for (let index = 0; index < 10_000; index++) {
    try { await fetch(`http://host-${index}.invalid/${'x'.repeat(100)}`); } catch { refused++; }
}
console.log(refused === 10_000 ? 'held' : `ESCAPED: ${10_000 - refused}`);
