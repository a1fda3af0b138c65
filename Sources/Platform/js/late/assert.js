'use strict';
// @ts-check
// node:assert: https://nodejs.org/api/assert.html

const {
    ArrayPrototypePush, Error, FunctionPrototypeSymbolHasInstance, MapPrototypeForEach, MapPrototypeGet, MapPrototypeHas, ObjectGetPrototypeOf,
    ObjectIs, ObjectKeys, ObjectPrototypeHasOwnProperty, ObjectPrototypeIsPrototypeOf, ObjectPrototypePropertyIsEnumerable, ReflectApply,
    ReflectOwnKeys, RegExpPrototypeExec, SetPrototypeForEach, String, StringPrototypeSlice, TypeError,
} = primordials;
const { coded, define, invalidType, invalidValue, received } = internal.load('node_errors');
const { isDeepEqual, isDeepStrictEqual } = internal.load('deep_equal');
const AssertionError = internal.load('assertion_error');
const { inspect } = internal;
const { isError, is } = internal.types;

const isRegExp = (value) => value !== null && typeof value === 'object' && is('RegExp', value);

/** Throws: the caller's own error, or one made of the options. `isOurs`: the message is not the caller's. */
function failWith(options, isOurs = false) {
    if (isError(options.message)) throw options.message;
    const error = new AssertionError(options);
    if (isOurs) error.generatedMessage = true;
    throw error;
}

function requireTwo(args) {
    if (args.length < 2) throw coded(TypeError, 'ERR_MISSING_ARGS', 'The "actual" and "expected" arguments must be specified');
}

function checkTruth(fn, args) {
    if (args[0]) return;
    let message = args[1];
    let generated = false;
    if (args.length === 0) {
        generated = true;
        message = 'No value argument passed to `assert.ok()`';
    } else if (message === undefined || message === null) {
        generated = true;
        message = `The expression evaluated to a falsy value:\n\n  assert${fn === assert ? '' : '.ok'}(${inspect(args[0])})\n`;
    } else if (isError(message)) {
        throw message;
    }
    const error = new AssertionError({ actual: args[0], expected: true, message, operator: '==', stackStartFn: fn });
    error.generatedMessage = generated;
    throw error;
}

function assert(...args) { checkTruth(assert, args); }

function ok(...args) { checkTruth(ok, args); }

function fail(message) {
    if (isError(message)) throw message;
    const error = new AssertionError({ message: message === undefined ? 'Failed' : message, operator: 'fail', stackStartFn: fail });
    error.generatedMessage = message === undefined;
    throw error;
}

/** A check of two values: name → [holds, operator]. */
const comparisons = {
    __proto__: null,
    equal: [(a, b) => a == b || (a !== a && b !== b), '=='],
    notEqual: [(a, b) => !(a == b || (a !== a && b !== b)), '!='],
    deepEqual: [isDeepEqual, 'deepEqual'],
    notDeepEqual: [(a, b) => !isDeepEqual(a, b), 'notDeepEqual'],
    deepStrictEqual: [(a, b) => isDeepStrictEqual(a, b), 'deepStrictEqual'],
    notDeepStrictEqual: [(a, b) => !isDeepStrictEqual(a, b), 'notDeepStrictEqual'],
    strictEqual: [ObjectIs, 'strictEqual'],
    notStrictEqual: [(a, b) => !ObjectIs(a, b), 'notStrictEqual'],
    partialDeepStrictEqual: [(a, b) => isPart(a, b, []), 'partialDeepStrictEqual'],
};
const checks = {};
for (const name in comparisons) {
    const holds = comparisons[name][0];
    const operator = comparisons[name][1];
    const check = {
        [name](actual, expected, message) {
            requireTwo(arguments);
            if (!holds(actual, expected)) failWith({ actual, expected, message, operator, stackStartFn: check });
        },
    }[name];
    define(checks, { [name]: check });
}

/** Whether `actual` has all that `expected` has (assert.partialDeepStrictEqual). */
function isPart(actual, expected, seen) {
    if (actual === expected || isDeepStrictEqual(actual, expected)) return true;
    if (actual === null || expected === null || typeof actual !== 'object' || typeof expected !== 'object') return false;
    if (ObjectGetPrototypeOf(actual) !== ObjectGetPrototypeOf(expected)) return false;
    for (let i = 0; i < seen.length; i++) if (seen[i][0] === actual && seen[i][1] === expected) return true;
    ArrayPrototypePush(seen, [actual, expected]);
    const kind = internal.types.brandOf(expected);
    if (kind !== internal.types.brandOf(actual)) return false;
    if (kind === 'Map') {
        let has = true;
        MapPrototypeForEach(expected, (value, key) => {
            has &&= MapPrototypeHas(actual, key) && isPart(MapPrototypeGet(actual, key), value, seen);
        });
        return has;
    }
    if (kind === 'Array' || kind === 'Set') return hasInOrder(listOf(actual, kind), listOf(expected, kind), kind === 'Set', seen);
    if (kind !== 'Object' && kind !== 'Error') return false;
    const keys = ReflectOwnKeys(expected);
    for (let i = 0; i < keys.length; i++) {
        if (!ObjectPrototypePropertyIsEnumerable(expected, keys[i])) continue;
        if (!ObjectPrototypeHasOwnProperty(actual, keys[i]) || !isPart(actual[keys[i]], expected[keys[i]], seen)) return false;
    }
    return kind !== 'Error' || (actual.message === expected.message && actual.name === expected.name);
}

function listOf(value, kind) {
    const list = [];
    if (kind === 'Set') SetPrototypeForEach(value, (item) => ArrayPrototypePush(list, item));
    else for (let i = 0; i < value.length; i++) ArrayPrototypePush(list, value[i]);
    return list;
}

/** Every one of `wanted` has one of `list`; of an array in the same order. */
function hasInOrder(list, wanted, anyOrder, seen) {
    const taken = [];
    let from = 0;
    for (let i = 0; i < wanted.length; i++) {
        let k = anyOrder ? 0 : from;
        while (k < list.length && (taken[k] === true || !isPart(list[k], wanted[i], seen))) k++;
        if (k === list.length) return false;
        taken[k] = true;
        from = k + 1;
    }
    return true;
}

// ---- Errors that are expected ----

/** An expected object, property by property. */
function checkProperties(actual, expected, message, fn) {
    const keys = ObjectKeys(expected);
    if (isError(expected)) ArrayPrototypePush(keys, 'name', 'message');
    else if (keys.length === 0) throw invalidValue('error', expected, 'may not be an empty object');
    for (let i = 0; i < keys.length; i++) {
        const key = keys[i];
        if (typeof actual[key] === 'string' && isRegExp(expected[key]) && RegExpPrototypeExec(expected[key], actual[key]) !== null) continue;
        if (key in actual && isDeepStrictEqual(actual[key], expected[key])) continue;
        if (message !== undefined) failWith({ actual, expected, message, operator: fn.name, stackStartFn: fn });
        // What is shown is what was compared.
        const a = {}, b = {};
        for (let k = 0; k < keys.length; k++) {
            if (keys[k] in actual) define(a, { [keys[k]]: actual[keys[k]] });
            const shown = typeof actual[keys[k]] === 'string' && isRegExp(expected[keys[k]]) && RegExpPrototypeExec(expected[keys[k]], actual[keys[k]]) !== null
                ? actual[keys[k]] : expected[keys[k]];
            define(b, { [keys[k]]: shown });
        }
        const error = new AssertionError({ actual: a, expected: b, operator: 'deepStrictEqual', stackStartFn: fn });
        error.actual = actual;
        error.expected = expected;
        error.operator = fn.name;
        throw error;
    }
}

function checkExpected(actual, expected, message, fn) {
    if (typeof expected !== 'function') {
        if (isRegExp(expected)) {
            if (RegExpPrototypeExec(expected, String(actual)) !== null) return;
            failWith({
                actual, expected, operator: fn.name, stackStartFn: fn,
                message: message ?? `The input did not match the regular expression ${inspect(expected)}. Input:\n\n${inspect(String(actual))}\n`,
            }, message === undefined);
        }
        if (typeof actual !== 'object' || actual === null) {
            const error = new AssertionError({ actual, expected, message, operator: 'deepStrictEqual', stackStartFn: fn });
            error.operator = fn.name;
            throw error;
        }
        checkProperties(actual, expected, message, fn);
        return;
    }
    if (expected.prototype !== undefined && FunctionPrototypeSymbolHasInstance(expected, actual)) return;
    if (expected === Error || ObjectPrototypeIsPrototypeOf(Error, expected)) {
        let text = message;
        if (text === undefined) {
            text = `The error is expected to be an instance of "${expected.name}". Received `;
            text += isError(actual) ? `"${actual.name}"` : `"${inspect(actual, { depth: -1 })}"`;
            if (isError(actual)) text += `\n\nError message:\n\n${actual.message}`;
        }
        failWith({ actual, expected, message: text, operator: fn.name, stackStartFn: fn }, message === undefined);
    }
    const result = ReflectApply(expected, {}, [actual]);
    if (result === true) return;
    let text = message;
    if (text === undefined) {
        const name = expected.name ? `"${expected.name}" ` : '';
        text = `The ${name}validation function is expected to return "true". Received ${inspect(result)}`;
        if (isError(actual)) text += `\n\nCaught error:\n\n${actual}`;
    }
    failWith({ actual, expected, message: text, operator: fn.name, stackStartFn: fn }, message === undefined);
}

const none = {}; // nothing was thrown

function thrownBy(fn) {
    if (typeof fn !== 'function') throw invalidType('fn', 'of type function', fn);
    try {
        fn();
    } catch (error) {
        return error;
    }
    return none;
}

const isThenable = (value) =>
    ops.brand(value) === 2 || (value !== null && typeof value === 'object' && typeof value.then === 'function' && typeof value.catch === 'function');

async function rejectionOf(promiseFn) {
    let promise = promiseFn;
    if (typeof promiseFn === 'function') {
        promise = promiseFn();
        if (!isThenable(promise)) {
            throw coded(TypeError, 'ERR_INVALID_RETURN_VALUE', `Expected instance of Promise to be returned from the "promiseFn" function but got ${StringPrototypeSlice(received(promise), 9)}.`);
        }
    } else if (!isThenable(promiseFn)) {
        throw invalidType('promiseFn', 'of type function or an instance of Promise', promiseFn);
    }
    try {
        await promise;
    } catch (error) {
        return error;
    }
    return none;
}

function expectError(fn, actual, args) {
    let expected = args[1];
    let message = args[2];
    if (typeof expected === 'string') {
        if (args.length > 2) throw invalidType('error', 'of type function or an instance of Error, RegExp, or Object', expected);
        if (typeof actual === 'object' && actual !== null ? actual.message === expected : actual === expected) {
            const what = typeof actual === 'object' ? `error message "${actual.message}"` : `error "${actual}"`;
            throw coded(TypeError, 'ERR_AMBIGUOUS_ARGUMENT', `The "error/message" argument is ambiguous. The ${what} is identical to the message.`);
        }
        message = expected;
        expected = undefined;
    } else if (expected !== undefined && expected !== null && typeof expected !== 'object' && typeof expected !== 'function') {
        throw invalidType('error', 'of type function or an instance of Error, RegExp, or Object', expected);
    }
    if (actual === none) {
        let details = expected?.name ? ` (${expected.name})` : '';
        details += message ? `: ${message}` : '.';
        const kind = fn === checks.rejects ? 'rejection' : 'exception';
        failWith({ actual: undefined, expected, operator: fn.name, message: isError(message) ? message : `Missing expected ${kind}${details}`, stackStartFn: fn });
    }
    if (expected === undefined || expected === null) return;
    checkExpected(actual, expected, message, fn);
}

function hasMatchingError(actual, expected) {
    if (typeof expected !== 'function') {
        if (isRegExp(expected)) return RegExpPrototypeExec(expected, String(actual)) !== null;
        throw invalidType('expected', 'of type function or an instance of RegExp', expected);
    }
    if (expected.prototype !== undefined && FunctionPrototypeSymbolHasInstance(expected, actual)) return true;
    if (ObjectPrototypeIsPrototypeOf(Error, expected)) return false;
    return ReflectApply(expected, {}, [actual]) === true;
}

function expectNoError(fn, actual, args) {
    if (actual === none) return;
    let expected = args[1];
    let message = args[2];
    if (typeof expected === 'string') {
        message = expected;
        expected = undefined;
    }
    if (!expected || hasMatchingError(actual, expected)) {
        const details = message ? `: ${message}` : '.';
        const kind = fn === checks.doesNotReject ? 'rejection' : 'exception';
        failWith({ actual, expected, operator: fn.name, message: `Got unwanted ${kind}${details}\nActual message: "${actual && actual.message}"`, stackStartFn: fn });
    }
    throw actual;
}

function matchText(string, pattern, message, fn, wanted) {
    if (!isRegExp(pattern)) throw invalidType('regexp', 'an instance of RegExp', pattern);
    if (typeof string === 'string' && (RegExpPrototypeExec(pattern, string) !== null) === wanted) return;
    if (isError(message)) throw message;
    let text = message;
    if (text === undefined) {
        if (typeof string !== 'string') text = `The "string" argument must be of type string. Received type ${typeof string} (${inspect(string)})`;
        else text = `The input ${wanted ? 'did not match' : 'was expected to not match'} the regular expression ${inspect(pattern)}. Input:\n\n${inspect(string)}\n`;
    }
    const error = new AssertionError({ actual: string, expected: pattern, message: text, operator: fn.name, stackStartFn: fn });
    error.generatedMessage = message === undefined;
    throw error;
}

define(checks, {
    throws(...args) { expectError(checks.throws, thrownBy(args[0]), args); },
    async rejects(...args) { expectError(checks.rejects, await rejectionOf(args[0]), args); },
    doesNotThrow(...args) { expectNoError(checks.doesNotThrow, thrownBy(args[0]), args); },
    async doesNotReject(...args) { expectNoError(checks.doesNotReject, await rejectionOf(args[0]), args); },
    ifError(value) {
        if (value === null || value === undefined) return;
        let message = 'ifError got unwanted exception: ';
        if (typeof value === 'object' && typeof value.message === 'string') {
            message += value.message.length === 0 && value.constructor ? value.constructor.name : value.message;
        } else {
            message += inspect(value);
        }
        throw new AssertionError({ actual: value, expected: null, operator: 'ifError', message, stackStartFn: checks.ifError });
    },
    match(string, regexp, message) { matchText(string, regexp, message, checks.match, true); },
    doesNotMatch(string, regexp, message) { matchText(string, regexp, message, checks.doesNotMatch, false); },
});

/** assert.strict: the loose names mean the strict checks. */
function strict(...args) { checkTruth(strict, args); }

const all = { fail, AssertionError, ok };
define(all, checks);
define(assert, all);
define(strict, all);
define(strict, { equal: checks.strictEqual, deepEqual: checks.deepStrictEqual, notEqual: checks.notStrictEqual, notDeepEqual: checks.notDeepStrictEqual });
define(assert, { strict });
define(strict, { strict });

return { ...all, strict, default: assert };
