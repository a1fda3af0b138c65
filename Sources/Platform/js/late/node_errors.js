'use strict';
// @ts-check
// Errors of the node: modules, worded as Node's are, so that people who search for the sentence find it: https://nodejs.org/api/errors.html

const {
    ArrayIsArray, Error, NumberIsInteger, ObjectDefineProperty, RangeError, ReflectOwnKeys, String, StringPrototypeIncludes, StringPrototypeSlice,
    TypeError,
} = primordials;

/** @param {ErrorConstructor} Class @param {string} code @param {string} message */
const coded = (Class, code, message) => internal.withCode(new Class(message), code);

/** "Received …" as Node says it of what was given. */
function received(value) {
    if (value === undefined || value === null) return `Received ${value}`;
    if (typeof value === 'function') return value.name ? `Received function ${value.name}` : 'Received function ';
    if (typeof value === 'object') {
        let name;
        try { name = value.constructor?.name; } catch { /* a getter of the user's */ }
        return name ? `Received an instance of ${String(name)}` : `Received ${internal.inspect(value, { depth: -1 })}`;
    }
    let text = internal.inspect(value, { colors: false });
    if (text.length > 28) text = `${internal.text.cut(text, 25)}...`;
    return `Received type ${typeof value} (${text})`;
}

/** @param {string} name of the argument @param {string} expected such as "of type string" */
function invalidType(name, expected, value) {
    const kind = StringPrototypeIncludes(name, '.') ? 'property' : 'argument';
    return coded(TypeError, 'ERR_INVALID_ARG_TYPE', `The "${name}" ${kind} must be ${expected}. ${received(value)}`);
}

function invalidValue(name, value, reason = 'is invalid') {
    const kind = StringPrototypeIncludes(name, '.') ? 'property' : 'argument';
    let text = internal.inspect(value);
    if (text.length > 128) text = `${internal.text.cut(text, 128)}...`;
    return coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The ${kind} '${name}' ${reason}. Received ${text}`);
}

/** 1_234_567 */
function grouped(digits) {
    let result = '';
    let i = digits.length;
    const start = digits[0] === '-' ? 1 : 0;
    for (; i >= start + 4; i -= 3) result = `_${StringPrototypeSlice(digits, i - 3, i)}${result}`;
    return StringPrototypeSlice(digits, 0, i) + result;
}

function outOfRange(name, range, value) {
    let text;
    if (NumberIsInteger(value) && (value > 2 ** 32 || value < -(2 ** 32))) text = grouped(String(value));
    else if (typeof value === 'bigint') text = `${value > 2n ** 32n || value < -(2n ** 32n) ? grouped(String(value)) : String(value)}n`;
    else text = internal.inspect(value);
    return coded(RangeError, 'ERR_OUT_OF_RANGE', `The value of "${name}" is out of range. It must be ${range}. Received ${text}`);
}

function requireString(value, name) {
    if (typeof value !== 'string') throw invalidType(name, 'of type string', value);
}

function requireFunction(value, name) {
    if (typeof value !== 'function') throw invalidType(name, 'of type function', value);
}

function requireObject(value, name) {
    if (value === null || typeof value !== 'object' || ArrayIsArray(value)) throw invalidType(name, 'of type object', value);
}

function requireBoolean(value, name) {
    if (typeof value !== 'boolean') throw invalidType(name, 'of type boolean', value);
}

/** A number from min to max. */
function requireNumber(value, name, min, max) {
    if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
    if ((min !== undefined && value < min) || (max !== undefined && value > max) || value !== value) {
        const low = min === undefined ? '' : `>= ${min}`;
        throw outOfRange(name, `${low}${min !== undefined && max !== undefined ? ' && ' : ''}${max === undefined ? '' : `<= ${max}`}`, value);
    }
}

/** A whole number from min to max. */
function requireInteger(value, name, min = -9007199254740991, max = 9007199254740991) {
    if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
    if (!NumberIsInteger(value)) throw outOfRange(name, 'an integer', value);
    if (value < min || value > max) throw outOfRange(name, `>= ${min} && <= ${max}`, value);
}

/** Puts the members of `source` on `target`: defined, not assigned, for a program may have frozen Object.prototype or put a setter there. */
function define(target, source, enumerable = true) {
    const keys = ReflectOwnKeys(source);
    for (let i = 0; i < keys.length; i++) {
        ObjectDefineProperty(target, keys[i], { __proto__: null, value: source[keys[i]], writable: true, enumerable, configurable: true });
    }
}

/** Exports of a module whose default is `value`, members of which are named exports. */
const withDefault = (value) => ({ ...value, default: value });

/** Node's error of an operation that a signal gave up. */
function abortError(cause) {
    const error = coded(Error, 'ABORT_ERR', 'The operation was aborted');
    if (cause !== undefined) ObjectDefineProperty(error, 'cause', { __proto__: null, value: cause, writable: true, enumerable: false, configurable: true });
    ObjectDefineProperty(error, 'name', { __proto__: null, value: 'AbortError', writable: true, enumerable: false, configurable: true });
    return error;
}

return {
    abortError, coded, define, invalidType, invalidValue, outOfRange, received, requireBoolean, requireFunction, requireInteger, requireNumber, requireObject, requireString, withDefault,
};
