// attack: memory that is neither V8's heap nor a buffer: objects of Intl
// policy: standard
// limits: resident=256MB memory=64MB heap=64MB wall=30s
// expect-exit: 4
// expect-limit: resident
// expect-outcome: exceededMemory
const kept = [];
for (;;) kept.push(new Intl.DateTimeFormat('de', { dateStyle: 'full', timeStyle: 'full' }));
