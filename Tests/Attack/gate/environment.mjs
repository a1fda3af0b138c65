// attack: variables that the policy does not name
// env: PUBLIC=shown
// policy| environment: [PUBLIC]
// policy| code: {workers: allow, eval: allow}
// policy| modules: ["node:*"]
// expect-violation: environment
// expect: held
import process, { env } from 'node:process';
import os from 'node:os';
const out = [];
for (const [name, look] of Object.entries({
    get: () => process.env.CANARY, has: () => 'CANARY' in env || undefined, own: () => Object.getOwnPropertyDescriptor(env, 'CANARY'), hasOwn: () => Object.hasOwn(env, 'CANARY') || undefined,
    keys: () => Object.keys(env).find((key) => key !== 'PUBLIC'), spread: () => ({ ...env }).CANARY, json: () => JSON.parse(JSON.stringify(env)).CANARY, proto: () => Object.getPrototypeOf(env).CANARY,
    proxy: () => new Proxy(env, {}).CANARY, home: () => (os.homedir() === '/root' ? undefined : os.homedir()), reflect: () => Reflect.get(env, 'CANARY', {}),
})) {
    const found = look();
    if (found !== undefined) out.push(name);
}
if (env.PUBLIC !== 'shown') out.push('PUBLIC is hidden');
const worker = new Worker(URL.createObjectURL(new Blob(['postMessage(Object.keys(process.env).join())'])));
const inside = await new Promise((resolve) => { worker.onmessage = ({ data }) => resolve(data); worker.onerror = (event) => resolve(event.message); });
worker.terminate();
if (inside !== 'PUBLIC') out.push(`worker: ${inside.length}`);
console.log(out.length === 0 ? 'held' : `ESCAPED: ${out}`);
