// Somebody else's code: it does its work, and tries what it should not. Run it under a policy:
//
//     sidelight serve --policy examples/sandbox/policy.yaml examples/sandbox/plugin.mjs

const kept = [];

const paths = {
    // What it is for.
    '/': (env) => `Good morning from ${env.PLUGIN_NAME}; your key has ${env.API_KEY?.length ?? 0} characters`,

    // What it tries.
    '/metadata': async () => await (await fetch('http://169.254.169.254/latest/meta-data/')).text(),
    '/neighbour': async () => await (await fetch('http://localhost:9464/api/v1/traces')).text(),
    '/eval': () => (0, eval)('1 + 1'),
    '/passwd': async () => Object.keys(await import('/etc/passwd')),
    '/environment': () => JSON.stringify(process.env),
    '/spin': () => { for (;;); },
    '/eat': () => { for (;;) kept.push(new Array(100_000).fill({})); },
    '/regex': () => /^(a+)+$/.test('a'.repeat(40) + '!'),
};

export default {
    async fetch(request, env) {
        const { pathname } = new URL(request.url);
        if (!(pathname in paths)) return new Response('There is no such path\n', { status: 404 });
        return new Response(`${await paths[pathname](env)}\n`);
    },
};
