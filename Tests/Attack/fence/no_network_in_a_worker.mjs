// attack: the same from a child isolate's thread, which began after the fence was up
// policy| base: standard
// policy| fence: {namespaces: [net]}
// expect: held
const code = `fetch('$TARGET/child').then(() => postMessage('ESCAPED'), () => postMessage('held'))`;
const child = new Worker(URL.createObjectURL(new Blob([code])));
const said = await new Promise((resolve) => { child.onmessage = (event) => resolve(event.data); child.onerror = () => resolve('held'); });
child.terminate();
console.log(said);
