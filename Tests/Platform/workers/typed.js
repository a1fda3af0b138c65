// Says what it gets, by the names of the interfaces.
self.onmessage = async ({ data }) => {
    const { blob, file, error, key } = data;
    const mac = new Uint8Array(await crypto.subtle.sign('HMAC', key, new Uint8Array(3)));
    postMessage({
        kinds: [blob instanceof Blob, file instanceof File, error instanceof DOMException, key instanceof CryptoKey], text: await blob.text(), name: file.name,
        mac, blob: new Blob([blob, '!']), error: [error.name, error.message],
    });
};
