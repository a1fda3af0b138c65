// attack: more connections than the process may have descriptors, then on as if nothing were
// policy| base: standard
// policy| fence: {descriptors: 80}
// expect: held
// expect-reached: yes
const all = [];
for (let i = 0; i < 300; i++) all.push(fetch('$TARGET/' + i).then((answer) => answer.text(), () => 'failed'));
const answers = await Promise.all(all);
const after = await fetch('$TARGET/after').then((answer) => answer.text(), String);
console.log(answers.length === 300 && after === 'reached' ? 'held' : 'ESCAPED: it does not recover: ' + after);
