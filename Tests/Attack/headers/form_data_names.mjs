// attack: names of fields and of files that end the head of their part
// policy: standard
// expect: held
const form = new FormData();
form.append('a"; filename="x\r\n\r\nbody', 'value');
form.append('f\r\nx: y', new File(['content'], 'name"\r\ncontent-type: text/html\r\n\r\n<script>'));
const text = await new Response(form).text();
const heads = text.split('\r\n\r\n');
const lines = text.split('\r\n').filter((line) => /^(x|content-type: text\/html|<script>|body)/i.test(line));
// The head of each part, its content, and nothing else.
console.log(lines.length === 0 && heads.length === 3 ? 'held' : `ESCAPED: ${JSON.stringify(text)}`);
