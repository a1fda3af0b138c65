'use strict';
// @ts-check
// structuredClone (https://html.spec.whatwg.org/#dom-structuredclone). V8's serializer does the work; what it refuses becomes a DOMException.

const { ArrayPrototypeIncludes, Error, FunctionPrototypeSymbolHasInstance, arrayFromIterable } = primordials;
const { DOMException } = internal;
const { dress, refuse, revived } = internal.serialization;
const { defineGlobalFunction, requireArguments, toDictionary } = internal.webidl;

/** @param {unknown} value @param {object[]} [transfer] */
function clone(value, transfer) {
    try {
        const copy = ops.clone(value, transfer, refuse, revived);
        dress();
        return copy;
    } catch (error) {
        revived.length = 0;
        if (FunctionPrototypeSymbolHasInstance(Error, error) && error.name === 'DataCloneError') throw new DOMException(error.message, 'DataCloneError');
        throw error;
    }
}

defineGlobalFunction('structuredClone', function structuredClone(value, options = undefined) {
    requireArguments(arguments.length, 1, 'structuredClone');
    options = toDictionary(options, 'The options');
    if (options === undefined || options.transfer === undefined) return clone(value, undefined);
    const transfer = arrayFromIterable(options.transfer, 'transfer');
    for (let i = 0; i < transfer.length; i++) {
        if (internal.messages.isPort(transfer[i]) || internal.streams.isTransferable(transfer[i])) return internal.messages.cloneWithPorts(value, transfer);
    }
    for (let i = 0; i < transfer.length; i++) {
        if (ArrayPrototypeIncludes(transfer, transfer[i], i + 1)) throw new DOMException('An object is transferred twice', 'DataCloneError');
    }
    return clone(value, transfer.length === 0 ? undefined : transfer);
});

internal.structuredClone = (value) => clone(value, undefined);
