// attack: the program takes away all globals
// expect: held
const { log } = console;
const keys = Object.getOwnPropertyNames(globalThis);
for (const key of keys) { try { delete globalThis[key]; } catch {} }
log('held');
