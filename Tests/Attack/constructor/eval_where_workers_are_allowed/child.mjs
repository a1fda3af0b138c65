try {
    (0, eval)('1');
    postMessage('ESCAPED: eval in a child');
} catch {
    postMessage('held');
}
