// attack: a secret is read as JSON, so that the parser's error shows it
// expect-violation: module
// expect: held
const texts = [];
for (const specifier of ['$SECRET', '../outside/secret.txt', 'file://$SECRET']) {
    try { await import(specifier, { assert: { type: 'json' } }); texts.push('ESCAPED'); } catch (error) { texts.push(error.message); }
}
console.log(texts.some((text) => /canary|ESCAPED/.test(text)) ? `ESCAPED: ${texts}` : 'held');
