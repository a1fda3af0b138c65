// attack: reading the policy, and the agent's files, as modules
// policy| modules: ["./lib/**"]
// expect-violation: module
// expect: held
const out = [];
for (const path of ['./policy.yaml', './.sidelight/sidelight.db', './lib/../policy.yaml', './lib/%2e%2e/policy.yaml', 'policy.yaml', new URL('policy.yaml', import.meta.url).href]) {
    for (const options of [undefined, { with: { type: 'json' } }, { with: { type: 'text' } }]) {
        try { await import(path, options); out.push(`ESCAPED: ${path}`); } catch (error) { if (String(error.message).includes('./lib/**')) out.push(`ESCAPED: the text of ${path}`); }
    }
}
console.log(out.length === 0 ? 'held' : out.join());
