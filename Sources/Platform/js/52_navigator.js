'use strict';
// @ts-check
// navigator (https://html.spec.whatwg.org/#the-workernavigator-object, as far as a server has it), self (https://html.spec.whatwg.org/#dom-self), and
// scheduler.wait and scheduler.yield (https://wicg.github.io/scheduling-apis/, https://nodejs.org/api/timers.html#timerspromisesschedulerwaitdelay-options).

const {
    MathTrunc, Number, ObjectDefineProperty, ObjectFreeze, ObjectGetOwnPropertyDescriptor, ReflectConstruct, RegExpPrototypeExec, StringPrototypeCharCodeAt,
    TypeError, uncurryThis,
} = primordials;
const { defineInterface, requireArguments } = internal.webidl;

const secret = {}; // who has it may construct

/** The processors that this process may run on: /proc/self/status has them as a mask in hexadecimal. */
function countProcessors() {
    let status;
    try {
        status = ops.decodeUtf8(ops.readFile('/proc/self/status'), false, false);
    } catch {
        return 1;
    }
    const mask = RegExpPrototypeExec(/^Cpus_allowed:\s*([0-9a-f,]+)/m, status)?.[1] ?? '';
    let count = 0;
    for (let i = 0; i < mask.length; i++) {
        const unit = StringPrototypeCharCodeAt(mask, i);
        for (let digit = unit >= 97 ? unit - 87 : unit >= 48 ? unit - 48 : 0; digit > 0; digit >>= 1) count += digit & 1;
    }
    return count > 0 ? count : 1;
}

let processors; // known when somebody has asked
let locale; // the same
let NumberFormat;
internal.whenComplete(() => { ({ NumberFormat } = Intl); });
const resolvedOptions = uncurryThis(Intl.NumberFormat.prototype.resolvedOptions);

class Navigator {
    #brand = true;
    constructor(key) {
        if (key !== secret) throw new TypeError('Illegal constructor');
    }
    get hardwareConcurrency() {
        this.#brand;
        return internal.navigator.hardwareConcurrency();
    }
    get userAgent() {
        this.#brand;
        return internal.navigator.userAgent;
    }
    get platform() {
        this.#brand;
        return internal.navigator.platform;
    }
    get language() {
        this.#brand;
        return locale ??= resolvedOptions(new NumberFormat()).locale;
    }
    get languages() {
        this.#brand;
        return languages ??= ObjectFreeze([this.language]);
    }
}
let languages;
defineInterface(Navigator);

internal.navigator = {
    userAgent: 'Sidelight',
    platform: 'Linux',
    hardwareConcurrency: () => (processors ??= countProcessors()),
};

class Scheduler {
    #brand = true;
    constructor(key) {
        if (key !== secret) throw new TypeError('Illegal constructor');
    }
    async wait(delay, options = undefined) {
        this.#brand;
        requireArguments(arguments.length, 1, 'Scheduler.wait');
        return await internal.timers.wait(MathTrunc(Number(delay)), options);
    }
    async yield() {
        this.#brand;
        return await internal.timers.yield();
    }
}
defineInterface(Scheduler);

const navigator = ReflectConstruct(Navigator, [secret]);
const scheduler = ReflectConstruct(Scheduler, [secret]);
internal.scheduler = scheduler;

/** An attribute of the global object; `isReplaceable`: an assignment puts a property of its own there (https://webidl.spec.whatwg.org/#Replaceable). */
function defineAttribute(name, value, isReplaceable) {
    const accessor = { get [name]() { return value; }, set [name](replacement) { replace(name, replacement); } };
    const { get, set } = ObjectGetOwnPropertyDescriptor(accessor, name);
    ObjectDefineProperty(globalThis, name, { __proto__: null, get, set: isReplaceable ? set : undefined, enumerable: true, configurable: true });
}

function replace(name, value) {
    ObjectDefineProperty(globalThis, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
}

defineAttribute('navigator', navigator, false);
defineAttribute('scheduler', scheduler, true);
defineAttribute('performance', globalThis.performance, true);
ObjectDefineProperty(globalThis, 'self', {
    __proto__: null, enumerable: true, configurable: true,
    get: ObjectGetOwnPropertyDescriptor({ get self() { return globalThis; } }, 'self').get,
    set: ObjectGetOwnPropertyDescriptor({ set self(value) { replace('self', value); } }, 'self').set,
});
