// attack: variables that are not shown, by every way to look
// policy| environment: [HOME, "APP_*"]
// env: APP_NAME=shop
// env: APPX=hidden-from-it
// expect: held
const out = [];
const shown = ['HOME', 'APP_NAME'];
const keys = [...Object.keys(process.env), ...Reflect.ownKeys(process.env), ...Object.getOwnPropertyNames(process.env), ...Object.keys({ ...process.env })];
for (const key in process.env) keys.push(key);
for (const key of keys) if (typeof key === 'string' && !shown.includes(key)) out.push(`ESCAPED: ${key} is listed`);
for (const name of ['CANARY', 'APPX', 'PATH', 'canary', 'Canary', 'CANARY\0']) {
    const tries = [() => process.env[name], () => Reflect.get(process.env, name), () => Object.getOwnPropertyDescriptor(process.env, name)?.value, () => Object.entries(process.env).find((entry) => entry[0] === name)?.[1],
        () => (name in process.env ? 'there' : undefined), () => Object.prototype.propertyIsEnumerable.call(process.env, name) || undefined, () => structuredClone({ ...process.env })[name]];
    for (const one of tries) try { if (typeof (await one()) === 'string') out.push(`ESCAPED: ${name}`); } catch (error) { void error; }
}
if (process.env.APP_NAME !== 'shop') out.push('APP_NAME is not shown');
if (JSON.stringify(process.env).includes('canary-')) out.push('ESCAPED: a value');
console.log(out.length === 0 ? 'held' : [...new Set(out)].join());
