// attack: return() of async iterators of the platform is called in the middle of next()
// expect: held
const stream = new ReadableStream({ start(controller) { controller.enqueue(1); controller.enqueue(2); } });
const iterator = stream[Symbol.asyncIterator]();
const all = await Promise.allSettled([iterator.next(), iterator.return(3), iterator.next(), iterator.return(4)]);
console.log(all.every(({ status }) => status === 'fulfilled') && all[0].value.value === 1 && all[2].value.done === true ? 'held' : `ESCAPED: ${JSON.stringify(all)}`);
