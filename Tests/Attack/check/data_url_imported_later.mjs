// attack: code in a data: URL that is made at run time
// policy| base: standard
// policy| check: {require: true}
// expect: held
// expect-violation: module
const code = `ev${'al'}("console.log('ESCAPED')")`;
try {
    await import(`data:text/javascript,${encodeURIComponent(code)}`);
    console.log('ESCAPED: it ran');
} catch (error) {
    console.log(error.code === 'ERR_ACCESS_DENIED' ? 'held' : `ESCAPED: ${error}`);
}
