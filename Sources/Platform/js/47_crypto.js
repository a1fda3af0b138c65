'use strict';
// @ts-check
// The globals of Web Cryptography (https://w3c.github.io/webcrypto/), which is late/web_crypto.js: loaded when a program first touches one of them.

const { ObjectDefineProperty, ReflectGetOwnPropertyDescriptor } = primordials;

/** An interface: an ordinary property as soon as somebody asks for it. */
function defineLateInterface(name) {
    const define = (value) => ObjectDefineProperty(globalThis, name, { __proto__: null, value, writable: true, enumerable: false, configurable: true });
    ObjectDefineProperty(globalThis, name, {
        __proto__: null, enumerable: false, configurable: true,
        get() {
            const value = internal.load('web_crypto')[name];
            define(value);
            return value;
        },
        set: define,
    });
}
defineLateInterface('Crypto');
defineLateInterface('CryptoKey');
defineLateInterface('SubtleCrypto');

const accessors = { get crypto() { return internal.load('web_crypto').crypto; } };
/** https://w3c.github.io/webcrypto/#dom-windoworworkerglobalscope-crypto */
ObjectDefineProperty(globalThis, 'crypto', {
    __proto__: null, get: ReflectGetOwnPropertyDescriptor(accessors, 'crypto').get, set: undefined, enumerable: true, configurable: true,
});

internal.serialization.defineSerializable(internal.serialization.CRYPTO_KEY, (key, payload) => internal.load('web_crypto').reviveKey(key, payload));
