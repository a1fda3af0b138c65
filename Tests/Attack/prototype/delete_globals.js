// attack: the program takes away all globals
// policy| base: strict
// policy| code: {primordials: open}
// policy| random: allow
// expect: held
const { log } = console;
const keys = Object.getOwnPropertyNames(globalThis);
for (const key of keys) { try { delete globalThis[key]; } catch {} }
log('held');
