'use strict';
// @ts-check
// MIME types (https://mimesniff.spec.whatwg.org/), and which one a list of headers gives (https://fetch.spec.whatwg.org/#concept-header-extract-mime-type).

const {
    ArrayPrototypePush, StringPrototypeCharCodeAt, StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeToLowerCase,
} = primordials;
const { isHTTPWhitespace, isToken, normalizeValue: trimmed } = internal.headers;

/** @typedef {{essence: string, parameters: string[]}} MIMEType parameters are name, value, name, value …, each name once */

/** https://mimesniff.spec.whatwg.org/#parse-a-mime-type. @returns {MIMEType | null} null: failure */
function parseMIMEType(text) {
    text = trimmed(text);
    const slash = StringPrototypeIndexOf(text, '/');
    let position = StringPrototypeIndexOf(text, ';', slash + 1);
    if (position < 0) position = text.length;
    if (slash <= 0 || slash > position) return null;
    const type = StringPrototypeSlice(text, 0, slash);
    const subtype = trimmedEnd(StringPrototypeSlice(text, slash + 1, position));
    if (!isToken(type) || !isToken(subtype)) return null;
    const parameters = [];
    while (position < text.length) {
        position++;
        while (position < text.length && isHTTPWhitespace(StringPrototypeCharCodeAt(text, position))) position++;
        const start = position;
        while (position < text.length && text[position] !== ';' && text[position] !== '=') position++;
        const name = StringPrototypeToLowerCase(StringPrototypeSlice(text, start, position));
        if (position >= text.length) break;
        if (text[position] === ';') continue;
        position++;
        let value;
        if (text[position] === '"') {
            value = '';
            for (position++; position < text.length && text[position] !== '"'; position++) {
                if (text[position] === '\\' && position + 1 < text.length) position++;
                value += text[position];
            }
            position = StringPrototypeIndexOf(text, ';', position);
            if (position < 0) position = text.length;
        } else {
            let end = StringPrototypeIndexOf(text, ';', position);
            if (end < 0) end = text.length;
            value = trimmedEnd(StringPrototypeSlice(text, position, end));
            position = end;
            if (value === '') continue;
        }
        if (isToken(name) && isQuotable(value) && parameterOf(parameters, name) === undefined) ArrayPrototypePush(parameters, name, value);
    }
    return { essence: StringPrototypeToLowerCase(`${type}/${subtype}`), parameters };
}

function trimmedEnd(text) {
    let end = text.length;
    while (end > 0 && isHTTPWhitespace(StringPrototypeCharCodeAt(text, end - 1))) end--;
    return end === text.length ? text : StringPrototypeSlice(text, 0, end);
}

/** HTTP quoted-string token code points */
function isQuotable(text) {
    for (let i = 0; i < text.length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        if (unit !== 9 && (unit < 32 || unit === 127 || unit > 255)) return false;
    }
    return true;
}

/** The value of a parameter; undefined: there is none. `name` in lower case. */
function parameterOf(parameters, name) {
    for (let i = 0; i < parameters.length; i += 2) if (parameters[i] === name) return parameters[i + 1];
    return undefined;
}

/** https://mimesniff.spec.whatwg.org/#serialize-a-mime-type. @param {MIMEType} type */
function serializeMIMEType(type) {
    const parameters = serializeParameters(type.parameters);
    return parameters === '' ? type.essence : `${type.essence};${parameters}`;
}

function serializeParameters(parameters) {
    let result = '';
    for (let i = 0; i < parameters.length; i += 2) {
        result += `${i > 0 ? ';' : ''}${parameters[i]}=${isToken(parameters[i + 1]) ? parameters[i + 1] : quoted(parameters[i + 1])}`;
    }
    return result;
}

function quoted(text) {
    let result = '"';
    for (let i = 0; i < text.length; i++) result += text[i] === '"' || text[i] === '\\' ? `\\${text[i]}` : text[i];
    return `${result}"`;
}

/**
 * https://fetch.spec.whatwg.org/#concept-header-extract-mime-type
 * @param {string | null} value of all Content-Type headers, joined by ", "; null: there is none
 * @returns {MIMEType | null} null: failure
 */
function extractMIMEType(value) {
    if (value === null) return null;
    let result = null;
    let charset;
    for (let start = 0; start <= value.length;) {
        const end = endOfValue(value, start);
        const type = parseMIMEType(StringPrototypeSlice(value, start, end));
        start = end + 1;
        if (type === null || type.essence === '*/*') continue;
        const own = parameterOf(type.parameters, 'charset');
        if (type.essence !== result?.essence) charset = own;
        else if (own === undefined && charset !== undefined) ArrayPrototypePush(type.parameters, 'charset', charset);
        result = type;
    }
    return result;
}

/** The next comma outside a quoted string, or the end (https://fetch.spec.whatwg.org/#header-value-get-decode-and-split). */
function endOfValue(text, position) {
    let inside = false;
    for (; position < text.length; position++) {
        const character = text[position];
        if (inside && character === '\\') position++;
        else if (character === '"') inside = !inside;
        else if (character === ',' && !inside) break;
    }
    return position < text.length ? position : text.length;
}

internal.mime = { extractMIMEType, parameterOf, parseMIMEType, serializeMIMEType, serializeParameters, trimmedEnd };
