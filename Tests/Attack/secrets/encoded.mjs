// attack: a secret in base64, in a URL, in JSON, and inside of other text
// policy| base: standard
// policy| secrets: {TOKEN: {env: CANARY}}
// expect: held
const secret = process.env.TOKEN;
for (const before of ['', 'u', 'us', 'user:']) {
    const encoded = btoa(before + secret + '!');
    console.log(encoded);
    // What is left of it is not enough to have the secret back.
    console.log(JSON.stringify({ authorization: `Basic ${encoded}` }));
}
console.log(`https://example.org/?token=${encodeURIComponent(secret)}`, JSON.stringify({ secret }), encodeURIComponent(JSON.stringify({ secret })));
console.log('held');
