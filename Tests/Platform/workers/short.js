// Has nothing left to do when it has run.
postMessage('done');
