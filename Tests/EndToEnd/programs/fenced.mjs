// Says its pid, waits for a line of text over HTTP or just for the time to pass, and shows that it is still well.
const span = (await import('@opentelemetry/api')).trace.getTracer('fenced').startSpan('open');
console.log(`pid ${process.pid}`);
new Worker(URL.createObjectURL(new Blob(["setInterval(() => {}, 1000); postMessage('up')"]))).onmessage = () => console.log('child');
let rounds = 0;
setInterval(() => {
    rounds += 1;
    if (rounds === 1) console.log('well');
    if (rounds % 50 === 0) console.log('still well');
}, 20);
setTimeout(() => span.end(), 3_600_000);
