postMessage('ESCAPED');
