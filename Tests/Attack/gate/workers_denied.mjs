// attack: a Worker where none may be
// expect-violation: worker
// expect: held
const out = [];
for (const attempt of [() => new Worker(import.meta.url), () => new Worker('data:,1'), () => Reflect.construct(Worker, [import.meta.url], Object), () => new (class extends Worker {})(import.meta.url)]) {
    try { attempt(); out.push(`${attempt}`); } catch (error) { if (error.permission !== 'worker') out.push(`${error}`); }
}
console.log(out.length === 0 ? 'held' : `ESCAPED: ${out}`);
