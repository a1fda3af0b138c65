'use strict';
// @ts-check
// Pattern strings of URLPattern (https://urlpattern.spec.whatwg.org/#pattern-strings): tokens, parts, and the two things made of parts: a regular expression
// and the normalized pattern. Part lists, not trees: a pattern has no nesting but one group deep.

const {
    ArrayPrototypePush, RegExpPrototypeExec, StringFromCodePoint, StringPrototypeCharCodeAt, StringPrototypeCodePointAt, StringPrototypeIncludes,
    StringPrototypeSlice, TypeError, String, cutOff,
} = primordials;

// ---- Tokens (https://urlpattern.spec.whatwg.org/#tokens) ----

const tokenOpen = 0, tokenClose = 1, tokenRegexp = 2, tokenName = 3, tokenChar = 4, tokenEscaped = 5, tokenModifier = 6, tokenAsterisk = 7, tokenEnd = 8,
    tokenInvalid = 9;

class Token {
    constructor(type, index, value) {
        this.type = type;
        this.index = index;
        this.value = value;
    }
}
cutOff(Token);

const startOfName = /^[\p{ID_Start}$_]$/u;
const restOfName = /^[\p{ID_Continue}$\u200c\u200d]$/u;

/** https://urlpattern.spec.whatwg.org/#is-a-valid-name-code-point */
function isNamePoint(point, first) {
    if (point < 128) {
        const lower = point | 32;
        return (lower >= 97 && lower <= 122) || point === 95 || point === 36 || (!first && point >= 48 && point <= 57);
    }
    return RegExpPrototypeExec(first ? startOfName : restOfName, StringFromCodePoint(point)) !== null;
}

const sizeOf = (point) => (point > 0xFFFF ? 2 : 1);

/** https://urlpattern.spec.whatwg.org/#tokenize. @param {boolean} lenient an error becomes a token; else TypeError */
function tokenize(input, lenient) {
    const tokens = [];
    const { length } = input;
    const invalid = (index, end, why) => {
        if (!lenient) throw new TypeError(`URLPattern: ${why} at ${index} of ${internal.inspect(input)}`);
        ArrayPrototypePush(tokens, new Token(tokenInvalid, index, StringPrototypeSlice(input, index, end)));
        return end;
    };
    const add = (type, index, from, to) => ArrayPrototypePush(tokens, new Token(type, index, StringPrototypeSlice(input, from, to)));
    let at = 0;
    while (at < length) {
        const point = StringPrototypeCodePointAt(input, at);
        const next = at + sizeOf(point);
        switch (point) {
        case 42: add(tokenAsterisk, at, at, next); break; // *
        case 43: case 63: add(tokenModifier, at, at, next); break; // + ?
        case 123: add(tokenOpen, at, at, next); break;
        case 125: add(tokenClose, at, at, next); break;
        case 92: { // backslash
            if (at === length - 1) {
                at = invalid(at, next, 'a backslash escapes nothing');
                continue;
            }
            const end = next + sizeOf(StringPrototypeCodePointAt(input, next));
            add(tokenEscaped, at, next, end);
            at = end;
            continue;
        }
        case 58: { // :
            let end = next;
            while (end < length) {
                const part = StringPrototypeCodePointAt(input, end);
                if (!isNamePoint(part, end === next)) break;
                end += sizeOf(part);
            }
            if (end <= next) {
                at = invalid(at, next, 'a colon without a name');
                continue;
            }
            add(tokenName, at, next, end);
            at = end;
            continue;
        }
        case 40: { // (
            const { end, why } = endOfRegexp(input, next);
            if (why !== undefined) {
                at = invalid(at, next, why);
                continue;
            }
            add(tokenRegexp, at, next, end - 1);
            at = end;
            continue;
        }
        default: add(tokenChar, at, at, next);
        }
        at = next;
    }
    ArrayPrototypePush(tokens, new Token(tokenEnd, length, ''));
    return tokens;
}

/** From behind the parenthesis that opens a regular expression to behind the one that closes it. */
function endOfRegexp(input, start) {
    let depth = 1;
    let at = start;
    while (at < input.length) {
        const unit = StringPrototypeCharCodeAt(input, at);
        if (unit > 127) return { end: 0, why: 'a character beyond ASCII in a regular expression' };
        if (at === start && unit === 63) return { end: 0, why: 'a regular expression that begins with ?' };
        if (unit === 92) {
            if (at === input.length - 1) return { end: 0, why: 'a backslash escapes nothing' };
            if (StringPrototypeCharCodeAt(input, at + 1) > 127) return { end: 0, why: 'a character beyond ASCII in a regular expression' };
            at += 2;
            continue;
        }
        if (unit === 41) {
            if (--depth === 0) return at === start ? { end: 0, why: 'an empty regular expression' } : { end: at + 1, why: undefined };
        } else if (unit === 40) {
            depth++;
            if (at === input.length - 1) break;
            if (StringPrototypeCharCodeAt(input, at + 1) !== 63) return { end: 0, why: 'a capturing group inside a regular expression' };
        }
        at++;
    }
    return { end: 0, why: 'a parenthesis that is not closed' };
}

// ---- Parts (https://urlpattern.spec.whatwg.org/#parts) ----

const partFixed = 0, partRegexp = 1, partSegment = 2, partFull = 3;
const once = '', optional = '?', zeroOrMore = '*';

class Part {
    constructor(type, value, modifier, name, prefix, suffix) {
        this.type = type;
        this.value = value;
        this.modifier = modifier;
        this.name = name;
        this.prefix = prefix;
        this.suffix = suffix;
    }
}
cutOff(Part);

/** https://urlpattern.spec.whatwg.org/#options; ignoreCase is the component's. */
class PatternOptions {
    constructor(delimiter, prefix) {
        this.delimiter = delimiter;
        this.prefix = prefix;
        this.segment = `[^${escapeRegexp(delimiter)}]+?`; // a segment wildcard, as the standard writes it
        this.source = delimiter === '' ? '[\\s\\S]+?' : this.segment; // V8 11 has [^] wrong under the flag v
    }
}
cutOff(PatternOptions);

const fullWildcard = '.*';

/** https://urlpattern.spec.whatwg.org/#parse-a-pattern-string */
class PatternParser {
    constructor(tokens, encode, options) {
        this.tokens = tokens;
        this.encode = encode;
        this.options = options;
        this.parts = [];
        this.pending = ''; // fixed text
        this.index = 0;
        this.nextName = 0;
    }

    run() {
        for (;;) {
            const char = this.consume(tokenChar);
            const name = this.consume(tokenName);
            const regexp = this.consumeRegexp(name);
            if (name !== undefined || regexp !== undefined) {
                let prefix = char === undefined ? '' : char.value;
                if (prefix !== '' && prefix !== this.options.prefix) {
                    this.pending += prefix;
                    prefix = '';
                }
                this.addFixed();
                this.addPart(prefix, name, regexp, '', this.consumeModifier());
                continue;
            }
            const fixed = char ?? this.consume(tokenEscaped);
            if (fixed !== undefined) {
                this.pending += fixed.value;
                continue;
            }
            if (this.consume(tokenOpen) !== undefined) {
                const prefix = this.consumeText();
                const inner = this.consume(tokenName);
                const innerRegexp = this.consumeRegexp(inner);
                const suffix = this.consumeText();
                this.require(tokenClose);
                this.addPart(prefix, inner, innerRegexp, suffix, this.consumeModifier());
                continue;
            }
            this.addFixed();
            this.require(tokenEnd);
            return this.parts;
        }
    }

    consume(type) {
        const token = this.tokens[this.index];
        if (token.type !== type) return undefined;
        this.index++;
        return token;
    }

    consumeRegexp(name) {
        const token = this.consume(tokenRegexp);
        return token === undefined && name === undefined ? this.consume(tokenAsterisk) : token;
    }

    consumeModifier() { return this.consume(tokenModifier) ?? this.consume(tokenAsterisk); }

    consumeText() {
        let text = '';
        for (;;) {
            const token = this.consume(tokenChar) ?? this.consume(tokenEscaped);
            if (token === undefined) return text;
            text += token.value;
        }
    }

    require(type) {
        const token = this.consume(type);
        if (token === undefined) {
            const { value, index } = this.tokens[this.index];
            throw new TypeError(`URLPattern: ${value === '' ? 'the end' : internal.inspect(value)} at ${index} is not expected there`);
        }
    }

    addFixed() {
        if (this.pending === '') return;
        ArrayPrototypePush(this.parts, new Part(partFixed, this.encode(this.pending), once, '', '', ''));
        this.pending = '';
    }

    addPart(prefix, name, regexp, suffix, modifierToken) {
        const modifier = modifierToken === undefined ? once : modifierToken.value;
        if (name === undefined && regexp === undefined && modifier === once) {
            this.pending += prefix;
            return;
        }
        this.addFixed();
        if (name === undefined && regexp === undefined) {
            if (prefix === '') return;
            ArrayPrototypePush(this.parts, new Part(partFixed, this.encode(prefix), modifier, '', '', ''));
            return;
        }
        let value = regexp === undefined ? this.options.segment : regexp.type === tokenAsterisk ? fullWildcard : regexp.value;
        let type = partRegexp;
        if (value === this.options.segment) {
            type = partSegment;
            value = '';
        } else if (value === fullWildcard) {
            type = partFull;
            value = '';
        }
        const label = name === undefined ? String(this.nextName++) : name.value;
        for (let i = 0; i < this.parts.length; i++) {
            if (this.parts[i].name === label) throw new TypeError(`URLPattern: the name ${label} stands twice in one component`);
        }
        ArrayPrototypePush(this.parts, new Part(type, value, modifier, label, this.encode(prefix), this.encode(suffix)));
    }
}
cutOff(PatternParser);

/** @param {(text: string) => string} encode @returns {Part[]} */
function parsePattern(input, options, encode) {
    return new PatternParser(tokenize(input, false), encode, options).run();
}

// ---- From parts ----

function escaped(text, marks) {
    let result = '';
    for (let i = 0; i < text.length; i++) result += StringPrototypeIncludes(marks, text[i]) ? `\\${text[i]}` : text[i];
    return result;
}
/** https://urlpattern.spec.whatwg.org/#escape-a-regexp-string */
function escapeRegexp(text) { return escaped(text, '.+*?^${}()[]|/\\'); }
/** https://urlpattern.spec.whatwg.org/#escape-a-pattern-string */
const escapePattern = (text) => escaped(text, '+*?:{}()\\');

/**
 * https://urlpattern.spec.whatwg.org/#generate-a-regular-expression-and-name-list
 * @returns {{source: string, names: string[]}}
 */
function toRegexp(parts, options) {
    let source = '^';
    const names = [];
    for (let i = 0; i < parts.length; i++) {
        const { type, value, modifier, name, prefix, suffix } = parts[i];
        if (type === partFixed) {
            source += modifier === once ? escapeRegexp(value) : `(?:${escapeRegexp(value)})${modifier}`;
            continue;
        }
        ArrayPrototypePush(names, name);
        const inner = type === partSegment ? options.source : type === partFull ? fullWildcard : value;
        if (prefix === '' && suffix === '') {
            source += modifier === once || modifier === optional ? `(${inner})${modifier}` : `((?:${inner})${modifier})`;
            continue;
        }
        const before = escapeRegexp(prefix);
        const after = escapeRegexp(suffix);
        if (modifier === once || modifier === optional) {
            source += `(?:${before}(${inner})${after})${modifier}`;
            continue;
        }
        source += `(?:${before}((?:${inner})(?:${after}${before}(?:${inner}))*)${after})${modifier === zeroOrMore ? '?' : ''}`;
    }
    return { source: `${source}$`, names };
}

/** https://urlpattern.spec.whatwg.org/#generate-a-pattern-string */
function toPattern(parts, options) {
    let result = '';
    for (let i = 0; i < parts.length; i++) {
        const part = parts[i];
        const before = i > 0 ? parts[i - 1] : undefined;
        const after = i < parts.length - 1 ? parts[i + 1] : undefined;
        if (part.type === partFixed) {
            result += part.modifier === once ? escapePattern(part.value) : `{${escapePattern(part.value)}}${part.modifier}`;
            continue;
        }
        const isNamed = !(StringPrototypeCharCodeAt(part.name, 0) >= 48 && StringPrototypeCharCodeAt(part.name, 0) <= 57);
        let grouped = part.suffix !== '' || (part.prefix !== '' && part.prefix !== options.prefix);
        if (!grouped && isNamed && part.type === partSegment && part.modifier === once && after !== undefined && after.prefix === '' && after.suffix === '') {
            grouped = after.type === partFixed ? isNamePoint(StringPrototypeCodePointAt(after.value, 0), false)
                : StringPrototypeCharCodeAt(after.name, 0) >= 48 && StringPrototypeCharCodeAt(after.name, 0) <= 57;
        }
        if (!grouped && part.prefix === '' && before !== undefined && before.type === partFixed && options.prefix !== '') {
            grouped = before.value[before.value.length - 1] === options.prefix;
        }
        if (grouped) result += '{';
        result += escapePattern(part.prefix);
        if (isNamed) result += `:${part.name}`;
        if (part.type === partRegexp) {
            result += `(${part.value})`;
        } else if (part.type === partSegment) {
            if (!isNamed) result += `(${options.segment})`;
        } else if (!isNamed && (before === undefined || before.type === partFixed || before.modifier !== once || grouped || part.prefix !== '')) {
            result += '*';
        } else {
            result += `(${fullWildcard})`;
        }
        if (part.type === partSegment && isNamed && part.suffix !== '' && isNamePoint(StringPrototypeCodePointAt(part.suffix, 0), false)) result += '\\';
        result += escapePattern(part.suffix);
        if (grouped) result += '}';
        result += part.modifier;
    }
    return result;
}

internal.patternParser = {
    PatternOptions, escapePattern, parsePattern, partFixed, partFull, partRegexp, toPattern, toRegexp, tokenize, tokenOpen, tokenClose, tokenRegexp, tokenName,
    tokenChar, tokenEscaped, tokenAsterisk, tokenEnd, tokenInvalid,
};
