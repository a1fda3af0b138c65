// attack: a Worker of a file that was never signed
// policy| base: standard
// policy| signature: {require: true, keys: [key.pub.pem]}
// expect: held
try {
    const worker = new Worker(new URL('./extra.mjs', import.meta.url), { type: 'module' });
    await new Promise((resolve, reject) => { worker.onmessage = () => reject(new Error('ESCAPED')); worker.onerror = (event) => { event.preventDefault(); resolve(); }; });
    worker.terminate();
    console.log('held');
} catch (error) { console.log(error.message === 'ESCAPED' ? 'ESCAPED: the worker ran' : 'held'); }
