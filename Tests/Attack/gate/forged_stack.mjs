// attack: an error's stack, which is a text, names a file whose line would be shown when nobody catches the error
// expect-exit: 1
const error = new Error('mine');
error.stack = 'Error: mine\n    at f ($SECRET:1:1)\n    at g (file://$SECRET:1:1)\n    at h (/etc/passwd:1:1)';
throw error;
