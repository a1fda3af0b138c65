// attack: a proxy of an array says that it has 2^32 - 1 elements
// limits: cpu=30s
// expect: held
const huge = new Proxy([], { get: (t, k) => (k === 'length' ? 2 ** 32 - 1 : undefined), has: () => true });
let error = 'none';
try { new Blob(huge); } catch (e) { error = e.name; }
const long = { length: 2 ** 53 - 1 };
try { new Blob(long); } catch (e) { error = e.name; }
try { String.fromCharCode.apply(null, { length: 1e8 }); } catch (e) { error = e.name; }
console.log('held');
