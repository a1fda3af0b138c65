// attack: a child gets eval that its parent does not have
// expect: held
try {
    const worker = new Worker('data:text/javascript,try { eval("1"); postMessage("ESCAPED") } catch (e) { postMessage("held") }');
    worker.onmessage = ({ data }) => { console.log(data); process.exit(0); };
    worker.onerror = (event) => { event.preventDefault(); console.log('held'); process.exit(0); };
} catch { console.log('held'); }
