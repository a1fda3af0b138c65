// attack: what libcurl speaks beside HTTP
// policy: standard
// expect: held
let out = 'held';
for (const url of ['file:///etc/passwd', 'file://localhost/etc/passwd', 'FILE:/etc/passwd', 'gopher://127.0.0.1:$PORT/_GET%20/', 'dict://127.0.0.1:$PORT/d:x', 'ftp://127.0.0.1:$PORT/', 'ldap://127.0.0.1:$PORT/',
    'tftp://127.0.0.1:$PORT/x', 'telnet://127.0.0.1:$PORT/', 'smtp://127.0.0.1:$PORT/', 'imap://127.0.0.1:$PORT/', 'rtsp://127.0.0.1:$PORT/', 'scp://127.0.0.1/etc/passwd', 'smb://127.0.0.1/x', 'unix:/run/docker.sock', 'http+unix://%2Frun%2Fdocker.sock/']) {
    try { const answer = await fetch(url); out = 'ESCAPED: ' + url + answer.status; } catch {}
}
console.log(out);
