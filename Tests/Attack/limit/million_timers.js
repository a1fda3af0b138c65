// attack: a timer for everybody
// limits: timers=1000
// expect: held
// expect-limit: timers
let made = 0, name = '';
try { for (; made < 1e6; made++) setTimeout(() => {}, 1e9); } catch (error) { ({ name } = error); }
let immediates = 0;
try { for (; immediates < 1e6; immediates++) setImmediate(() => {}); } catch { /* as well */ }
console.log(made === 1000 && immediates === 1000 && name === 'QuotaExceededError' ? 'held' : `ESCAPED: ${made} ${immediates} ${name}`);
process.exit(0);
