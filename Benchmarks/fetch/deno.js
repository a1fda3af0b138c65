const origin = `http://127.0.0.1:${Deno.env.get('ORIGIN')}`;

Deno.serve({ port: Number(Deno.args[0]), hostname: '127.0.0.1', onListen() {} },
    async (request) => new Response((await fetch(origin + new URL(request.url).pathname)).body));
