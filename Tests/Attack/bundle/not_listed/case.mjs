// attack: a module that was never signed lies beside the program
// policy| base: standard
// policy| signature: {require: true, keys: [key.pub.pem]}
// expect: held
// expect-violation: module
try { const { say } = await import('./' + 'extra.mjs'); console.log(say()); } catch (error) { console.log(error.code === 'ERR_ACCESS_DENIED' ? 'held' : `ESCAPED: ${error}`); }
