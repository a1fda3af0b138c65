// attack: errors of the host have constructors of the program's realm
// expect: held
const errors = [];
const tries = [() => new URL('::'), () => new Headers({ '': '' }), () => structuredClone(() => {}), () => new Response('', { status: 9 }), () => atob('*'), () => new Request('x'), () => decodeURIComponent('%'), () => new WebAssembly.Module(new Uint8Array(3)), () => JSON.parse('{')];
for (const one of tries) try { one(); } catch (error) { errors.push(error); }
const odd = errors.filter((error) => !(error instanceof Error) || error.constructor.constructor !== Function);
console.log(errors.length >= 8 && odd.length === 0 ? 'held' : `ESCAPED: ${odd}`);
