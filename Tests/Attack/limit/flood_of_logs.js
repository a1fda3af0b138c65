// attack: a line of log for each turn of a loop
// limits: logs-per-second=100
// expect: held
// expect-limit: logs-per-second
for (let i = 0; i < 20_000; i++) console.debug('x');
console.log('held');
