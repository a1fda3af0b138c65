// Takes its own errors.
self.onerror = (message, filename, line, column, error) => {
    postMessage([message, filename.endsWith('handled.js'), line > 0, column > 0, error.name]);
    return true;
};
self.onmessage = () => { throw new SyntaxError('mine'); };
