// attack: a module that is imported at run time
// policy| base: standard
// policy| check: {require: true}
// expect: held
// expect-violation: module
const name = ['./oth', 'er.mjs'].join('');
try {
    await import(name);
    console.log('ESCAPED: it ran');
} catch (error) {
    console.log(error.code === 'ERR_ACCESS_DENIED' ? 'held' : `ESCAPED: ${error}`);
}
