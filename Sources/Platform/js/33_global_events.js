'use strict';
// @ts-check
// The global object as an event target, and the events of what nobody caught (https://html.spec.whatwg.org/#runtime-script-errors).

const { ObjectDefineProperty, ReflectGetOwnPropertyDescriptor } = primordials;
const { ErrorEvent, EventTarget, PromiseRejectionEvent, fireGlobally, isHeardGlobally, makeHandlerState, setHandler } = internal.events;
const { defineGlobalFunction, requireArguments } = internal.webidl;

{
    const { addEventListener, removeEventListener, dispatchEvent } = EventTarget.prototype;
    defineGlobalFunction('addEventListener', addEventListener);
    defineGlobalFunction('removeEventListener', removeEventListener);
    defineGlobalFunction('dispatchEvent', dispatchEvent);
}

/** An event handler attribute of the global object: https://html.spec.whatwg.org/#handler-workerglobalscope-onerror and its like. */
function defineGlobalHandler(type) {
    const state = makeHandlerState();
    const name = `on${type}`;
    ObjectDefineProperty(globalThis, name, {
        __proto__: null, enumerable: true, configurable: true,
        ...ReflectGetOwnPropertyDescriptor({ get [name]() { return state.handler; }, set [name](value) { setHandler(globalThis, type, state, value); } }, name),
    });
}
defineGlobalHandler('error');
defineGlobalHandler('unhandledrejection');
defineGlobalHandler('rejectionhandled');

let reporting = false; // "in error reporting mode"

/** https://html.spec.whatwg.org/#report-an-exception. @returns {boolean} whether a listener took it */
internal.fireError = (error, where) => {
    if (reporting || !isHeardGlobally('error')) return false;
    reporting = true;
    try {
        const place = internal.placeOf(error, where);
        return fireGlobally(new ErrorEvent('error', {
            __proto__: null, cancelable: true, message: `Uncaught ${internal.errorHeading(error)}`, filename: place.script, lineno: place.line, colno: place.column,
            error,
        }));
    } finally {
        reporting = false;
    }
};

// https://html.spec.whatwg.org/#unhandled-promise-rejections
internal.fireUnhandledRejection = (promise, reason) => isHeardGlobally('unhandledrejection') &&
    fireGlobally(new PromiseRejectionEvent('unhandledrejection', { __proto__: null, cancelable: true, promise, reason }));

/** A promise that was told of as unhandled has a handler now. */
internal.rejectionHandled = (promise) => {
    if (isHeardGlobally('rejectionhandled')) {
        const reason = ops.inside(promise)?.[1];
        fireGlobally(new PromiseRejectionEvent('rejectionhandled', { __proto__: null, promise, reason }));
    }
    internal.onRejectionHandled(promise);
};

internal.defineGlobalHandler = defineGlobalHandler;

/** https://html.spec.whatwg.org/#dom-reporterror */
defineGlobalFunction('reportError', function reportError(error) {
    requireArguments(arguments.length, 1, 'reportError');
    internal.reportError(error);
});
