'use strict';
// @ts-check
// AssertionError (https://nodejs.org/api/assert.html#class-assertassertionerror) and the difference that its message shows, line by line.

const {
    ArrayPrototypeJoin, ArrayPrototypePush, Error, ErrorCaptureStackTrace, ObjectDefineProperty, ReflectSet, String,
    Uint16Array,
} = primordials;
const { define, invalidType, requireObject } = internal.load('node_errors');
const { inspect } = internal;
const { split } = internal.text;

const headings = {
    __proto__: null,
    deepStrictEqual: 'Expected values to be strictly deep-equal:', partialDeepStrictEqual: 'Expected values to be partially and strictly deep-equal:',
    strictEqual: 'Expected values to be strictly equal:',
    strictEqualObject: 'Expected "actual" to be reference-equal to "expected":',
    deepEqual: 'Expected values to be loosely deep-equal:', notDeepStrictEqual: 'Expected "actual" not to be strictly deep-equal to:',
    notStrictEqual: 'Expected "actual" to be strictly unequal to:', notStrictEqualObject: 'Expected "actual" not to be reference-equal to "expected":',
    notDeepEqual: 'Expected "actual" not to be loosely deep-equal to:', notIdentical: 'Values have same structure but are not reference-equal:',
};

const cellsMax = 4_000_000; // of the table that a difference is found with
const linesShownMax = 50;

function show(value) {
    return inspect(value, {
        compact: false, customInspect: false, depth: 1000, maxArrayLength: Infinity, showHidden: false, showProxy: false, sorted: true, getters: true, breakLength: Infinity,
        maxStringLength: Infinity,
    });
}

/**
 * A shortest edit of `a` to `b`, as lines with "+ " (actual only), "- " (expected only) or "  ". What begins and ends alike is set aside first; where the
 * rest is too large for a table, all of it is shown as changed.
 */
function difference(a, b) {
    let head = 0;
    while (head < a.length && head < b.length && a[head] === b[head]) head++;
    let tail = 0;
    while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
    const rows = a.length - head - tail;
    const columns = b.length - head - tail;
    const result = [];
    const keep = (line) => ArrayPrototypePush(result, `  ${line}`);
    for (let i = 0; i < head; i++) keep(a[i]);
    let i = 0;
    let k = 0;
    if ((rows + 1) * (columns + 1) <= cellsMax && rows < 65536 && columns < 65536) {
        // common[i][k]: the longest common subsequence of what follows.
        const width = columns + 1;
        const common = new Uint16Array((rows + 1) * width);
        for (let r = rows - 1; r >= 0; r--) {
            for (let c = columns - 1; c >= 0; c--) {
                common[r * width + c] = a[head + r] === b[head + c] ? common[(r + 1) * width + c + 1] + 1
                    : common[(r + 1) * width + c] >= common[r * width + c + 1] ? common[(r + 1) * width + c] : common[r * width + c + 1];
            }
        }
        while (i < rows && k < columns) {
            if (a[head + i] === b[head + k]) {
                keep(a[head + i]);
                i++;
                k++;
            } else if (common[(i + 1) * width + k] >= common[i * width + k + 1]) {
                ArrayPrototypePush(result, `+ ${a[head + i++]}`);
            } else {
                ArrayPrototypePush(result, `- ${b[head + k++]}`);
            }
        }
    }
    for (; i < rows; i++) ArrayPrototypePush(result, `+ ${a[head + i]}`);
    for (; k < columns; k++) ArrayPrototypePush(result, `- ${b[head + k]}`);
    for (let t = tail; t > 0; t--) keep(a[a.length - t]);
    return result;
}

/** Long runs of equal lines are left out. */
function shorten(lines) {
    const result = [];
    let skipped = false;
    for (let i = 0; i < lines.length; i++) {
        let near = false;
        for (let k = i - 2; k <= i + 2 && !near; k++) near = k < 0 || k >= lines.length || lines[k][0] !== ' ';
        if (near) {
            ArrayPrototypePush(result, lines[i]);
        } else if (result[result.length - 1] !== '...') {
            ArrayPrototypePush(result, '...');
            skipped = true;
        }
    }
    if (result.length > 2 * linesShownMax) {
        result.length = 2 * linesShownMax;
        ArrayPrototypePush(result, '...');
        skipped = true;
    }
    return { lines: result, skipped };
}

const isSimple = (value) => value === null || (typeof value !== 'object' && typeof value !== 'function');

function differenceMessage(actual, expected, operator, own) {
    const shownActual = show(actual);
    const shownExpected = show(expected);
    if (isSimple(actual) && isSimple(expected) && shownActual !== shownExpected && shownActual.length + shownExpected.length <= 12 &&
        (actual !== 0 || expected !== 0)) {
        return `${own ?? headings.strictEqual}\n\n${shownActual} !== ${shownExpected}\n`;
    }
    let heading = headings[operator];
    if (operator === 'strictEqual' && !isSimple(actual) && !isSimple(expected)) heading = headings.strictEqualObject;
    if (shownActual === shownExpected) {
        const text = limited(split(shownActual, '\n'));
        return `${own ?? headings.notIdentical}\n\n${text}\n`;
    }
    const { lines, skipped } = shorten(difference(split(shownActual, '\n'), split(shownExpected, '\n')));
    return `${own ?? heading}\n+ actual - expected${skipped ? ' ... Lines skipped' : ''}\n\n${ArrayPrototypeJoin(lines, '\n')}\n`;
}

function limited(lines) {
    if (lines.length <= linesShownMax) return ArrayPrototypeJoin(lines, '\n');
    lines.length = linesShownMax;
    return `${ArrayPrototypeJoin(lines, '\n')}\n...`;
}

/** @param {string} [own] the caller's heading of a difference */
function makeMessage(actual, expected, operator, own) {
    switch (operator) {
    case 'deepStrictEqual':
    case 'strictEqual':
    case 'partialDeepStrictEqual':
        return differenceMessage(actual, expected, operator, own);
    case 'notDeepStrictEqual':
    case 'notStrictEqual': {
        const heading = operator === 'notStrictEqual' && !isSimple(actual) ? headings.notStrictEqualObject : headings[operator];
        const lines = split(show(actual), '\n');
        const text = limited(lines);
        return lines.length === 1 ? `${heading}${text.length > 5 ? '\n\n' : ' '}${text}` : `${heading}\n\n${text}\n`;
    }
    default: {
        let shownActual = show(actual);
        let shownExpected = show(expected);
        if (operator === 'deepEqual') return `${headings.deepEqual}\n\n${shownActual}\n\nshould loosely deep-equal\n\n${shownExpected}`;
        if (operator === 'notDeepEqual') return `${headings.notDeepEqual}\n\n${shownActual}\n\nshould not loosely deep-equal\n\n${shownExpected}`;
        if (shownActual.length > 512) shownActual = `${internal.text.cut(shownActual, 509)}...`;
        if (shownExpected.length > 512) shownExpected = `${internal.text.cut(shownExpected, 509)}...`;
        return `${shownActual} ${operator} ${shownExpected}`;
    }
    }
}

class AssertionError extends Error {
    constructor(options) {
        requireObject(options, 'options');
        const { actual, expected, message, operator, stackStartFn, stackStartFunction } = options;
        if (operator === undefined && message === undefined) throw invalidType('options.operator', 'of type string', operator);
        const limit = Error.stackTraceLimit;
        if (typeof limit === 'number') ReflectSet(Error, 'stackTraceLimit', 0);
        const isGiven = message !== undefined && message !== null;
        const showsDifference = operator === 'deepStrictEqual' || operator === 'strictEqual';
        super(isGiven && !showsDifference ? String(message) : makeMessage(actual, expected, operator, isGiven ? String(message) : undefined));
        if (typeof limit === 'number') ReflectSet(Error, 'stackTraceLimit', limit);
        define(this, { generatedMessage: !isGiven });
        // The stack names the code beside the class; the name itself stays as it is.
        hide(this, 'name', 'AssertionError [ERR_ASSERTION]');
        define(this, { code: 'ERR_ASSERTION', actual, expected, operator });
        ErrorCaptureStackTrace(this, stackStartFn || stackStartFunction);
        this.stack; // is made of the name when it is first read
        hide(this, 'name', 'AssertionError');
    }

    toString() { return `${this.name} [${this.code}]: ${this.message}`; }
}

function hide(error, name, value) {
    ObjectDefineProperty(error, name, { __proto__: null, value, writable: true, enumerable: false, configurable: true });
}

return AssertionError;
