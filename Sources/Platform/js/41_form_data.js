'use strict';
// @ts-check
// FormData (https://xhr.spec.whatwg.org/#interface-formdata) and multipart/form-data both ways
// (https://html.spec.whatwg.org/#multipart-form-data, https://www.rfc-editor.org/rfc/rfc7578).

const {
    ArrayPrototypeJoin, ArrayPrototypePush, NumberPrototypeToString, StringPrototypeIndexOf, StringPrototypePadStart,
    StringPrototypeSlice, StringPrototypeStartsWith, StringPrototypeToLowerCase, StringPrototypeTrim, TypeError, TypedArrayPrototypeGetLength,
    TypedArrayPrototypeIndexOf, TypedArrayPrototypeSubarray, Uint8Array,
} = primordials;
const { customInspect } = internal;
const { blobBytes, blobType, fileName, fileTime, isBlob, isFile, joinBytes, makeFile } = internal.blob;
const { split } = internal.text;
const { defineInterface, definePairIterable, replacePair, requireArguments, toUSVString } = internal.webidl;

let isFormData, listOf, makeFormData;

/** https://xhr.spec.whatwg.org/#create-an-entry */
function toEntryValue(value, given, name) {
    if (!isBlob(value)) {
        if (given) throw new TypeError('FormData: a file name goes with a Blob only');
        return toUSVString(value);
    }
    if (isFile(value) && !given) return value;
    return makeFile(blobBytes(value), given ? toUSVString(name) : 'blob', blobType(value), isFile(value) ? fileTime(value) : undefined);
}

class FormData {
    #list = []; // name, value, name, value …

    constructor(form = undefined) {
        if (form !== undefined) throw new TypeError('FormData: there are no form elements here: the constructor takes no argument');
    }

    append(name, value, file = undefined) {
        const list = this.#list;
        requireArguments(arguments.length, 2, 'FormData.append');
        name = toUSVString(name);
        ArrayPrototypePush(list, name, toEntryValue(value, arguments.length > 2, file));
    }

    delete(name) {
        const list = this.#list;
        requireArguments(arguments.length, 1, 'FormData.delete');
        replacePair(list, toUSVString(name), undefined);
    }

    get(name) {
        const list = this.#list;
        requireArguments(arguments.length, 1, 'FormData.get');
        name = toUSVString(name);
        for (let i = 0; i < list.length; i += 2) if (list[i] === name) return list[i + 1];
        return null;
    }

    getAll(name) {
        const list = this.#list;
        requireArguments(arguments.length, 1, 'FormData.getAll');
        name = toUSVString(name);
        const values = [];
        for (let i = 0; i < list.length; i += 2) if (list[i] === name) ArrayPrototypePush(values, list[i + 1]);
        return values;
    }

    has(name) {
        const list = this.#list;
        requireArguments(arguments.length, 1, 'FormData.has');
        name = toUSVString(name);
        for (let i = 0; i < list.length; i += 2) if (list[i] === name) return true;
        return false;
    }

    set(name, value, file = undefined) {
        const list = this.#list;
        requireArguments(arguments.length, 2, 'FormData.set');
        name = toUSVString(name);
        replacePair(list, name, toEntryValue(value, arguments.length > 2, file));
    }

    [customInspect](depth, options, inspect) {
        const fields = {};
        const list = this.#list;
        for (let i = 0; i < list.length; i += 2) fields[list[i]] = list[i + 1];
        return `FormData ${inspect(fields, options)}`;
    }

    static {
        isFormData = (value) => #list in value;
        listOf = (form) => form.#list;
        makeFormData = (list) => {
            const form = new FormData();
            form.#list = list;
            return form;
        };
    }
}
definePairIterable(FormData, listOf);
defineInterface(FormData);

// ---- Writing ----

/** Line breaks as CRLF. */
function withCRLF(text) {
    let result = '';
    for (let i = 0; i < text.length; i++) {
        if (text[i] === '\r') {
            result += '\r\n';
            if (text[i + 1] === '\n') i++;
        } else {
            result += text[i] === '\n' ? '\r\n' : text[i];
        }
    }
    return result;
}

const replaceAll = (text, part, by) => ArrayPrototypeJoin(split(text, part), by);

/** A name as it stands between quotes. */
const escapeName = (text) => replaceAll(replaceAll(replaceAll(text, '\n', '%0A'), '\r', '%0D'), '"', '%22');

/** @returns {{bytes: Uint8Array, type: string} | undefined} undefined: not a FormData */
function serialize(form) {
    if (!isFormData(form)) return undefined;
    const random = new Uint8Array(16);
    ops.random(random);
    let boundary = '----sidelight';
    for (let i = 0; i < 16; i++) boundary += StringPrototypePadStart(NumberPrototypeToString(random[i], 16), 2, '0');
    const list = listOf(form);
    const parts = [];
    for (let i = 0; i < list.length; i += 2) {
        const value = list[i + 1];
        let head = `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(withCRLF(list[i]))}"`;
        if (typeof value === 'string') {
            ArrayPrototypePush(parts, ops.encodeUtf8(`${head}\r\n\r\n${withCRLF(value)}\r\n`));
            continue;
        }
        const type = blobType(value);
        head += `; filename="${escapeName(fileName(value))}"\r\nContent-Type: ${type === '' ? 'application/octet-stream' : type}\r\n\r\n`;
        ArrayPrototypePush(parts, ops.encodeUtf8(head), blobBytes(value), ops.encodeUtf8('\r\n'));
    }
    ArrayPrototypePush(parts, ops.encodeUtf8(`--${boundary}--\r\n`));
    return { bytes: joinBytes(parts), type: `multipart/form-data; boundary=${boundary}` };
}

// ---- Reading ----

/** Where `wanted` stands in `bytes` from `from` on; -1: nowhere. */
function find(bytes, wanted, from) {
    const length = TypedArrayPrototypeGetLength(wanted);
    const last = TypedArrayPrototypeGetLength(bytes) - length;
    for (let at = from; at <= last; at++) {
        at = TypedArrayPrototypeIndexOf(bytes, wanted[0], at);
        if (at < 0 || at > last) return -1;
        let i = 1;
        while (i < length && bytes[at + i] === wanted[i]) i++;
        if (i === length) return at;
    }
    return -1;
}

const failed = (why) => new TypeError(`formData: the body is not valid multipart/form-data: ${why}`);
const PARTS_MAX = 10000;

/** https://andreubotella.github.io/multipart-form-data/#parse-multipart-form-data */
function parse(bytes, boundary) {
    const dashes = ops.encodeUtf8(`--${boundary}`);
    const separator = ops.encodeUtf8(`\r\n--${boundary}`);
    const blank = ops.encodeUtf8('\r\n\r\n');
    let at = find(bytes, dashes, 0); // what stands before the first boundary is a preamble
    if (at < 0 || (at > 0 && (bytes[at - 1] !== 10 || bytes[at - 2] !== 13))) throw failed('the boundary is missing');
    at += TypedArrayPrototypeGetLength(dashes);
    const list = [];
    for (;;) {
        if (bytes[at] === 45 && bytes[at + 1] === 45) return makeFormData(list);
        while (bytes[at] === 32 || bytes[at] === 9) at++;
        if (bytes[at] !== 13 || bytes[at + 1] !== 10) throw failed('a boundary is not followed by a line end');
        if (list.length >= 2 * PARTS_MAX) throw failed(`more than ${PARTS_MAX} parts`);
        const headEnd = find(bytes, blank, at);
        if (headEnd < 0) throw failed('a part has no end of its headers');
        const { name, file, type } = parseHead(TypedArrayPrototypeSubarray(bytes, at + 2, headEnd > at ? headEnd : at + 2));
        const start = headEnd + 4;
        const end = find(bytes, separator, start);
        if (end < 0) throw failed('the last boundary is missing');
        const content = TypedArrayPrototypeSubarray(bytes, start, end);
        const value = file === undefined ? ops.decodeUtf8(content, false, true) : makeFile(new Uint8Array(content), file, type ?? 'text/plain');
        ArrayPrototypePush(list, name, value);
        at = end + TypedArrayPrototypeGetLength(separator);
    }
}

/** The header lines of a part. */
function parseHead(bytes) {
    const lines = split(ops.decodeUtf8(bytes, false, true), '\r\n');
    let name;
    let file;
    let type;
    for (let i = 0; i < lines.length; i++) {
        const colon = StringPrototypeIndexOf(lines[i], ':');
        if (colon < 0) throw failed('a header line has no colon');
        const key = StringPrototypeToLowerCase(StringPrototypeSlice(lines[i], 0, colon));
        const value = StringPrototypeTrim(StringPrototypeSlice(lines[i], colon + 1));
        if (key === 'content-type') {
            type = value;
        } else if (key === 'content-disposition') {
            if (!StringPrototypeStartsWith(StringPrototypeToLowerCase(value), 'form-data')) throw failed('a Content-Disposition is not form-data');
            name = parameter(value, 'name');
            file = parameter(value, 'filename');
        }
    }
    if (name === undefined) throw failed('a part has no name');
    return { name, file, type };
}

/** The value of a parameter, quoted or not; undefined: there is none. */
function parameter(text, wanted) {
    let at = StringPrototypeIndexOf(text, ';');
    while (at >= 0 && at < text.length) {
        at++;
        while (text[at] === ' ' || text[at] === '\t') at++;
        const start = at;
        while (at < text.length && text[at] !== '=' && text[at] !== ';') at++;
        const key = StringPrototypeToLowerCase(StringPrototypeTrim(StringPrototypeSlice(text, start, at)));
        if (text[at] !== '=') continue;
        let value = '';
        if (text[at + 1] === '"') {
            for (at += 2; at < text.length && text[at] !== '"'; at++) {
                if (text[at] === '\\' && (text[at + 1] === '"' || text[at + 1] === '\\')) at++;
                value += text[at];
            }
            at = StringPrototypeIndexOf(text, ';', at);
        } else {
            const end = StringPrototypeIndexOf(text, ';', at);
            value = StringPrototypeTrim(StringPrototypeSlice(text, at + 1, end < 0 ? text.length : end));
            at = end;
        }
        if (key === wanted) return replaceAll(replaceAll(replaceAll(value, '%22', '"'), '%0D', '\r'), '%0A', '\n');
    }
    return undefined;
}

internal.formData = { serialize, parse, fromList: makeFormData };
