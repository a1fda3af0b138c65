'use strict';
// @ts-check
// MIMEType and MIMEParams of node:util: https://nodejs.org/api/util.html#class-utilmimetype. Parsing is that of 41_mime.js; what is missing is said as Node
// says it.

const {
    ArrayPrototypePush, ArrayPrototypeSplice, ObjectDefineProperty, RegExpPrototypeExec, StringPrototypeCharCodeAt, StringPrototypeIndexOf, StringPrototypeSlice,
    StringPrototypeToLowerCase, SymbolIterator, TypeError,
} = primordials;
const { coded } = internal.load('node_errors');
const { parseMIMEType, serializeParameters, trimmedEnd } = internal.mime;
const { isHTTPWhitespace } = internal.headers;

const notToken = /[^!#$%&'*+\-.^_`|~0-9A-Za-z]/;
const notQuotable = /[^\t\x20-\x7E\x80-\xFF]/;

/** Throws when `part` is none: it is empty where it must not be, or has a character of `wrong`. */
function requirePart(what, part, text, wrong, mayBeEmpty = false) {
    const match = RegExpPrototypeExec(wrong, part);
    if (match === null && (part !== '' || mayBeEmpty)) return;
    const place = match === null ? '' : ` at ${match.index}`;
    throw coded(TypeError, 'ERR_INVALID_MIME_SYNTAX', `The MIME syntax for a ${what} in "${text}" is invalid${place}`);
}

let parametersOf;

class MIMEParams {
    #list = []; // name, value, name, value …

    delete(name) {
        const at = this.#find(`${name}`);
        if (at >= 0) ArrayPrototypeSplice(this.#list, at, 2);
    }
    get(name) {
        const at = this.#find(`${name}`);
        return at < 0 ? null : this.#list[at + 1];
    }
    has(name) { return this.#find(`${name}`) >= 0; }
    set(name, value) {
        name = `${name}`;
        value = `${value}`;
        requirePart('parameter name', name, name, notToken);
        requirePart('parameter value', value, value, notQuotable, true);
        const at = this.#find(name);
        if (at >= 0) this.#list[at + 1] = value; else ArrayPrototypePush(this.#list, name, value);
    }
    * entries() { for (let i = 0; i < this.#list.length; i += 2) yield [this.#list[i], this.#list[i + 1]]; }
    * keys() { for (let i = 0; i < this.#list.length; i += 2) yield this.#list[i]; }
    * values() { for (let i = 0; i < this.#list.length; i += 2) yield this.#list[i + 1]; }
    toString() { return serializeParameters(this.#list); }

    #find(name) {
        for (let i = 0; i < this.#list.length; i += 2) if (this.#list[i] === name) return i;
        return -1;
    }

    static { parametersOf = (params, list) => (list === undefined ? params.#list : (params.#list = list)); }
}
ObjectDefineProperty(MIMEParams.prototype, SymbolIterator, { __proto__: null, value: MIMEParams.prototype.entries, writable: true, enumerable: false, configurable: true });
ObjectDefineProperty(MIMEParams.prototype, 'toJSON', { __proto__: null, value: MIMEParams.prototype.toString, writable: true, enumerable: false, configurable: true });

class MIMEType {
    #type;
    #subtype;
    #params;

    constructor(string) {
        const text = `${string}`;
        let start = 0;
        while (start < text.length && isHTTPWhitespace(StringPrototypeCharCodeAt(text, start))) start++;
        const trimmed = StringPrototypeSlice(text, start);
        const slash = StringPrototypeIndexOf(trimmed, '/');
        const semicolon = StringPrototypeIndexOf(trimmed, ';', slash < 0 ? 0 : slash);
        const type = slash < 0 ? trimmed : StringPrototypeSlice(trimmed, 0, slash);
        requirePart('type', type, text, notToken);
        if (slash < 0) requirePart('type', '', text, notToken);
        const subtype = trimmedEnd(StringPrototypeSlice(trimmed, slash + 1, semicolon < 0 ? trimmed.length : semicolon));
        requirePart('subtype', subtype, text, notToken);
        this.#type = StringPrototypeToLowerCase(type);
        this.#subtype = StringPrototypeToLowerCase(subtype);
        this.#params = new MIMEParams();
        parametersOf(this.#params, parseMIMEType(trimmed)?.parameters ?? []);
    }

    get type() { return this.#type; }
    set type(value) {
        value = `${value}`;
        requirePart('type', value, value, notToken);
        this.#type = StringPrototypeToLowerCase(value);
    }
    get subtype() { return this.#subtype; }
    set subtype(value) {
        value = `${value}`;
        requirePart('subtype', value, value, notToken);
        this.#subtype = StringPrototypeToLowerCase(value);
    }
    get essence() { return `${this.#type}/${this.#subtype}`; }
    get params() { return this.#params; }
    toString() {
        const parameters = serializeParameters(parametersOf(this.#params));
        return parameters === '' ? this.essence : `${this.essence};${parameters}`;
    }
}
ObjectDefineProperty(MIMEType.prototype, 'toJSON', { __proto__: null, value: MIMEType.prototype.toString, writable: true, enumerable: false, configurable: true });

return { MIMEParams, MIMEType };
