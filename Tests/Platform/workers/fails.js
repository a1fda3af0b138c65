postMessage('before');
throw new Error('at load');
