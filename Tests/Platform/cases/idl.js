// What the standards' IDL says of each interface: its properties, their attributes, lengths, names and brands (https://webidl.spec.whatwg.org/#js-interfaces).
// With an argument it only lists what differs, for other runtimes.
import { interfaces } from '../table/interfaces.js';
import { done, equal, fail, ok, test, throws } from './assert.js';

// Members that other standards or other runtimes have beside these; they may be there.
const others = {
    File: ['webkitRelativePath'], Request: ['isReloadNavigation', 'isHistoryNavigation'], URL: ['createObjectURL', 'revokeObjectURL'], URLPattern: ['compareComponent', 'generate'],
    // Of the standard, since 2024: https://html.spec.whatwg.org/#handler-messageport-onclose
    MessagePort: ['onclose'],
    // Of the server, as Workers have them.
    Response: ['webSocket'], WebSocket: ['accept'],
    Performance: ['eventCounts', 'onresourcetimingbufferfull'], PerformanceEntry: ['id', 'navigationId'],
};

const functions = {
    atob: 1, btoa: 1, clearInterval: 0, clearTimeout: 0, fetch: 1, queueMicrotask: 1, reportError: 1, setInterval: 1, setTimeout: 1, structuredClone: 1, addEventListener: 2, removeEventListener: 2, dispatchEvent: 1,
};
const consoleMethods = ['assert', 'clear', 'debug', 'error', 'info', 'log', 'table', 'trace', 'warn', 'dir', 'dirxml', 'count', 'countReset', 'group', 'groupCollapsed', 'groupEnd', 'time', 'timeLog', 'timeEnd'];

// Attributes that answer with a rejected promise.
const promises = ['closed', 'ready'];

const findings = [];
const listOnly = globalThis.process?.argv[2] !== undefined;

function find(name, condition, what) {
    if (!condition) findings.push(`${name}: ${what}`);
}

function attributes(descriptor, writable, enumerable, configurable) {
    return descriptor !== undefined && descriptor.writable === writable && descriptor.enumerable === enumerable && descriptor.configurable === configurable;
}

async function refuses(run) {
    let result;
    try {
        result = run();
    } catch (error) {
        return error instanceof TypeError;
    }
    return typeof result?.then === 'function' && await result.then(() => false, (error) => error instanceof TypeError);
}

async function checkMember(name, holder, text, isStatic) {
    const key = text.replace(/^[~+]|[*].*$|\(.*$/g, '');
    const label = `${name}.${key}`;
    const descriptor = Object.getOwnPropertyDescriptor(holder, key);
    if (descriptor === undefined) { find(label, false, 'is missing'); return; }
    const length = /\((\d)\)/.exec(text)?.[1];
    if (length !== undefined) {
        find(label, attributes(descriptor, true, true, true), 'is not writable, enumerable and configurable');
        find(label, typeof descriptor.value === 'function' && descriptor.value.name === key, `has the name ${descriptor.value?.name}`);
        find(label, descriptor.value?.length === Number(length), `has the length ${descriptor.value?.length}, not ${length}`);
        find(label, !Object.hasOwn(descriptor.value, 'prototype'), 'is a constructor');
        if (isStatic || name === 'EventTarget') return; // a global's methods may be called without a receiver
        const args = Array.from({ length: Number(length) }, () => ({}));
        find(label, await refuses(() => Reflect.apply(descriptor.value, {}, args)), 'takes a strange receiver');
        return;
    }
    find(label, typeof descriptor.get === 'function' && descriptor.enumerable && descriptor.configurable, 'is not an accessor that is enumerable and configurable');
    find(label, descriptor.get?.name === `get ${key}` && descriptor.get.length === 0, `has a getter named ${descriptor.get?.name}`);
    const settable = text.endsWith('*');
    find(label, (descriptor.set !== undefined) === settable, settable ? 'has no setter' : 'has a setter');
    if (settable && descriptor.set) find(label, descriptor.set.name === `set ${key}` && descriptor.set.length === 1, `has a setter named ${descriptor.set.name}`);
    if (descriptor.get === undefined) return;
    find(label, await refuses(() => Reflect.apply(descriptor.get, {}, [])), promises.includes(key) ? 'takes a strange receiver (a promise is due)' : 'takes a strange receiver');
}

async function checkInterface(line) {
    const [, name, constructs, parent, memberText] = /^(\w+)(!|\(\d\))(?: : (\w+))? \|(.*)$/.exec(line);
    const members = memberText.trim().split(' ');
    const global = Object.getOwnPropertyDescriptor(globalThis, name);
    if (global === undefined) { find(name, false, 'is missing'); return; }
    const Class = globalThis[name];
    if (global.value !== undefined) find(name, attributes(global, true, false, true), 'is not writable, configurable and not enumerable');
    else find(name, !global.enumerable && global.configurable, 'is not configurable and not enumerable');
    find(name, Class.name === name, `has the name ${Class.name}`);
    if (constructs !== '!') find(name, Class.length === Number(constructs[1]), `has the length ${Class.length}, not ${constructs[1]}`);
    find(name, attributes(Object.getOwnPropertyDescriptor(Class, 'prototype'), false, false, false), 'has a prototype that can be changed');
    find(name, Object.getPrototypeOf(Class) === (parent === undefined ? Function.prototype : globalThis[parent]), 'has another parent');
    const { prototype } = Class;
    find(name, Object.getPrototypeOf(prototype) === (parent === undefined ? Object.prototype : globalThis[parent].prototype), 'has a prototype with another parent');
    find(name, attributes(Object.getOwnPropertyDescriptor(prototype, 'constructor'), true, false, true) && prototype.constructor === Class, 'has no proper constructor property');
    const tag = Object.getOwnPropertyDescriptor(prototype, Symbol.toStringTag);
    find(name, attributes(tag, false, false, true) && tag.value === name, 'has no proper Symbol.toStringTag');
    let called;
    try { Class(); } catch (error) { called = error; }
    find(name, called instanceof TypeError, 'can be called without new');
    if (constructs === '!') {
        let made;
        try { new Class(); } catch (error) { made = error; }
        find(name, made instanceof TypeError, 'can be constructed');
    }
    const expected = ['constructor'];
    const statics = ['length', 'name', 'prototype'];
    for (const member of members) {
        if (member === '@pairs') {
            for (const method of ['entries(0)', 'keys(0)', 'values(0)', 'forEach(1)']) await checkMember(name, prototype, method, false);
            expected.push('entries', 'keys', 'values', 'forEach');
            find(name, attributes(Object.getOwnPropertyDescriptor(prototype, Symbol.iterator), true, false, true) && prototype[Symbol.iterator] === prototype.entries, 'has no proper Symbol.iterator');
        } else if (member === '@async') {
            await checkMember(name, prototype, 'values(0)', false);
            expected.push('values');
            find(name, attributes(Object.getOwnPropertyDescriptor(prototype, Symbol.asyncIterator), true, false, true) && prototype[Symbol.asyncIterator] === prototype.values, 'has no proper Symbol.asyncIterator');
        } else if (member.includes('=')) {
            const [key, value] = member.split('=');
            for (const holder of [Class, prototype]) {
                const descriptor = Object.getOwnPropertyDescriptor(holder, key);
                find(`${name}.${key}`, attributes(descriptor, false, true, false) && descriptor.value === Number(value), 'is not a proper constant');
            }
            expected.push(key);
            statics.push(key);
        } else if (member.startsWith('+')) {
            await checkMember(name, Class, member, true);
            statics.push(member.replace(/^\+|\(.*$/g, ''));
        } else {
            await checkMember(name, prototype, member, false);
            expected.push(member.replace(/^~|[*]$|\(.*$/g, ''));
        }
    }
    const known = [...expected, ...others[name] ?? []];
    for (const key of Object.getOwnPropertyNames(prototype)) find(`${name}.${key}`, known.includes(key), 'is not of the standard');
    for (const key of Object.getOwnPropertyNames(Class)) find(`${name}.${key}`, [...statics, ...others[name] ?? [], 'supportedEntryTypes'].includes(key), 'is not of the standard (static)');
    checkOrder(name, prototype, members);
}

/** Attributes come before operations, each in the order of the IDL. */
function checkOrder(name, prototype, members) {
    const wanted = [
        ...members.filter((member) => /^\w+\*?$/.test(member)), ...members.filter((member) => /^~?\w+\(/.test(member)),
    ].map((member) => member.replace(/^~|[*]$|\(.*$/g, ''));
    const got = Object.getOwnPropertyNames(prototype).filter((key) => wanted.includes(key));
    if (got.length === wanted.length) {
        const kinds = got.map((key) => (typeof Object.getOwnPropertyDescriptor(prototype, key).value === 'function' ? 'operation' : 'attribute'));
        find(name, kinds.lastIndexOf('attribute') < (kinds.indexOf('operation') + 1 || Infinity), 'has operations before attributes');
    }
}

for (const line of interfaces.trim().split('\n')) await checkInterface(line);

for (const [name, length] of Object.entries(functions)) {
    const descriptor = Object.getOwnPropertyDescriptor(globalThis, name);
    if (descriptor === undefined) { find(name, name in globalThis, 'is missing'); continue; }
    find(name, attributes(descriptor, true, true, true), 'is not writable, enumerable and configurable');
    find(name, descriptor.value?.name === name && descriptor.value.length === length, `has the length ${descriptor.value?.length}, not ${length}`);
}
for (const name of ['navigator', 'performance', 'self', 'crypto']) {
    const descriptor = Object.getOwnPropertyDescriptor(globalThis, name);
    if (descriptor === undefined) { find(name, false, 'is missing'); continue; }
    find(name, typeof descriptor.get === 'function' && descriptor.get.name === `get ${name}` && descriptor.enumerable && descriptor.configurable, 'is not an enumerable and configurable accessor');
}
{
    const descriptor = Object.getOwnPropertyDescriptor(globalThis, 'console');
    find('console', attributes(descriptor, true, false, true), 'is not writable, configurable and not enumerable');
    find('console', Object.getPrototypeOf(Object.getPrototypeOf(console)) === Object.prototype && Reflect.ownKeys(Object.getPrototypeOf(console)).length === 0, 'has no empty object as its prototype');
    find('console', Object.prototype.toString.call(console) === '[object console]', 'has another Symbol.toStringTag');
    for (const name of consoleMethods) {
        const method = Object.getOwnPropertyDescriptor(console, name);
        find(`console.${name}`, attributes(method, true, true, true) && method.value.name === name && method.value.length === 0, `has the name ${method?.value.name} and length ${method?.value.length}`);
    }
    for (const name of Object.keys(console)) find(`console.${name}`, consoleMethods.includes(name), 'is not of the standard');
}

if (listOnly) {
    console.log(findings.join('\n'));
} else {
    test('interfaces are as their IDL says', () => equal(findings.join('\n'), ''));
    test('a global attribute can be replaced where the IDL says so', () => {
        const before = globalThis.performance;
        globalThis.performance = 5;
        equal(globalThis.performance, 5);
        Object.defineProperty(globalThis, 'performance', { value: before, writable: true, configurable: true, enumerable: true });
        throws(() => { 'use strict'; globalThis.navigator = 5; }, 'TypeError');
    });
    test('DOMException is an error', () => {
        equal(Object.getPrototypeOf(DOMException.prototype), Error.prototype);
        equal(DOMException.length, 0);
        ok(Object.getOwnPropertyDescriptor(DOMException, 'ABORT_ERR').value === 20);
        for (const key of ['name', 'message', 'code']) throws(() => Reflect.apply(Object.getOwnPropertyDescriptor(DOMException.prototype, key).get, {}, []), 'TypeError');
        if (Object.prototype.toString.call(new DOMException()) !== '[object DOMException]') fail('tag');
    });
    await done();
}
