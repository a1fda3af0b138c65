// attack: functions that resolve promises of the platform are called again and again
// expect: held
let kept;
const stream = new ReadableStream({ start(controller) { kept = controller; } });
const reader = stream.getReader();
const first = reader.read();
kept.enqueue('a');
kept.close();
let errors = 0;
for (const again of [() => kept.enqueue('b'), () => kept.close(), () => kept.error(new Error('x'))]) try { again(); } catch (error) { errors++; }
const { value } = await first;
const { done } = await reader.read();
console.log(value === 'a' && done && errors >= 2 ? 'held' : 'ESCAPED');
