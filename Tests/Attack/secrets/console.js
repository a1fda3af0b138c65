// attack: the program prints a secret in every way that the console has
// policy| base: standard
// policy| secrets: {TOKEN: {env: CANARY}}
// expect: held
const secret = process.env.TOKEN;
if (!secret) throw new Error('no secret');
console.log(secret);
console.error('x' + secret + 'y');
console.info({ nested: { secret } }, [secret], new Map([[secret, secret]]));
console.table([{ secret }]);
console.dir({ secret });
console.debug('%s %o %O %j', secret, secret, { secret }, secret);
console.group(secret);
console.groupEnd();
console.count(secret);
console.time(secret);
console.timeEnd(secret);
console.trace(secret);
console.assert(false, secret);
console.log('held');
