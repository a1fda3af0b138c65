'use strict';
// @ts-check
// Which platform objects can be cloned, and which cannot (https://html.spec.whatwg.org/#serializable-objects).
//
// V8's serializer sees an object of a class as its own enumerable properties, of which most platform objects have none. So
// - an object of a serializable interface is one that V8 hands to the host (ops.serializable). An array hangs on it, its payload: a kind, which says who
//   makes an object of the rest. Bytes in it are shared between the copies, so nobody may ever change them. Where a name stands for the kind, the object is
//   refused by it: streams, but while they are transferred.
// - of all other interfaces the prototypes are marked, and `refuse` looks for objects that have one.

const { ReflectGetPrototypeOf, SafeMap } = primordials;

/** The base of classes whose private fields are put on an object that is there already. */
class Stamp {
    constructor(object) { return object; } // eslint-disable-line
}

let markOf, setMark;

/** On the prototype of an interface: its name, as far as its objects are to be refused; else null. */
class Mark extends Stamp {
    #name;
    constructor(object) { super(object); } // eslint-disable-line
    static {
        markOf = (object) => (#name in object ? object.#name : undefined);
        setMark = (object, name) => {
            if (!(#name in object)) new Mark(object);
            object.#name = name;
        };
    }
}

// ---- What is serializable ----

const KIND_PROXY = 1; // ops.brand

const revivers = new SafeMap();

/**
 * @param {number} kind of its payloads. Negative: an error, whose `stack` goes along as the payload's last
 * @param {(object, payload: unknown[]) => void} revive makes one of the interface of an object that has just come
 */
function defineSerializable(kind, revive) { revivers.set(kind, revive); }

/** The interface's objects are the host's own to serialize, transfer or refuse. */
function exempt(Class) { setMark(Class.prototype, null); }

/** @param {Function} newTarget @param {Function} Class whose prototype it gets when newTarget has none */
function makeSerializable(newTarget, Class, payload) {
    const { prototype } = newTarget;
    const isObject = (typeof prototype === 'object' && prototype !== null) || typeof prototype === 'function';
    return ops.serializable(isObject ? prototype : Class.prototype, payload);
}

// Filled by the host while it reads a message: object, payload, object, payload …
const revived = [];

/** Makes what they are of the objects that a message has brought. */
function dress() {
    try {
        for (let i = 0; i < revived.length; i += 2) revivers.get(revived[i + 1][0])(revived[i], revived[i + 1]);
    } finally {
        revived.length = 0;
    }
}

// ---- What is not ----

/** The interface of an object that must be refused; null: it has none. */
function refusedName(object) {
    for (let next = ReflectGetPrototypeOf(object); next !== null; next = ReflectGetPrototypeOf(next)) {
        const name = markOf(next);
        if (name !== undefined) return name;
        if (ops.brand(next) === KIND_PROXY) return null;
    }
    return null;
}

/** The host's call, before anything is transferred: throws when one of these objects, which V8 has serialized, cannot be cloned. None is a proxy. */
function refuse(objects) {
    for (let i = 0; i < objects.length; i++) {
        const name = refusedName(objects[i]);
        if (name !== null) throw new internal.DOMException(`#<${name}> could not be cloned.`, 'DataCloneError');
    }
}

internal.serialization = {
    BLOB: 1, FILE: 2, CRYPTO_KEY: 3, READABLE_STREAM: 4, WRITABLE_STREAM: 5, TRANSFORM_STREAM: 6, DOM_EXCEPTION: -1,
    Stamp, defineSerializable, dress, exempt, makeSerializable, refuse, revived,
    mark: (Class) => setMark(Class.prototype, Class.name),
};
