// attack: huge RSA keys are generated while the run should end
// policy: standard
// expect: held
(async () => {
    const { subtle } = crypto;
    const make = (modulusLength) => subtle.generateKey({ name: 'RSA-PSS', hash: 'SHA-256', modulusLength, publicExponent: new Uint8Array([1, 0, 1]) }, true, ['sign', 'verify']);
    for (let i = 0; i < 4; i++) make(16384);
    for (const modulusLength of [16385, 1 << 20, 4294967295]) {
        const name = await make(modulusLength).then(() => 'nothing', (error) => error.name);
        if (name !== 'OperationError') return console.log(`ESCAPED: ${modulusLength} ${name}`);
        break; // the rest wait behind those under way
    }
    console.log('held');
    process.exit(0);
})();
setTimeout(() => { console.log('held'); process.exit(0); }, 500);
