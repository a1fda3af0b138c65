// attack: import.meta is changed, and resolve is asked of files outside
// expect: held
const before = import.meta.url;
try { import.meta.url = 'file:///etc/'; } catch {}
let out = 'held';
try { const m = await import('./passwd'); out = 'ESCAPED'; } catch {}
if (typeof import.meta.resolve === 'function') { try { const r = import.meta.resolve('../outside/secret.txt'); if (typeof r === 'string' && r.includes('canary')) out = 'ESCAPED'; } catch {} }
console.log(before.startsWith('file:') ? out : 'ESCAPED');
