// A tiny test helper for programs that run on Sidelight and, for reference, on Node.
const tests = [];

export function test(name, run) {
    tests.push({ name, run });
}

function show(value) {
    if (typeof value === 'string') return JSON.stringify(value);
    try { return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value); } catch { return String(value); }
}

export function fail(message) {
    throw new Error(message);
}

export function ok(value, message = 'not true') {
    if (!value) fail(message);
}

export function equal(actual, expected, message = '') {
    if (!Object.is(actual, expected)) fail(`${message} is ${show(actual)}, not ${show(expected)}`);
}

/** Same JSON: for plain data. */
export function same(actual, expected, message = '') {
    const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
    if (a !== b) fail(`${message} is ${a}, not ${b}`);
}

/** run throws (or rejects with) an error of that name; its message contains `text`. */
export function throws(run, name, text = '') {
    try {
        run();
    } catch (error) {
        return checkError(error, name, text);
    }
    return fail(`did not throw ${name}`);
}

export async function rejects(promise, name, text = '') {
    try {
        await promise;
    } catch (error) {
        return checkError(error, name, text);
    }
    return fail(`did not reject with ${name}`);
}

function checkError(error, name, text) {
    if (error?.name !== name || !String(error.message).includes(text)) fail(`threw ${error}, not ${name} … ${text}`);
    return error;
}

/** Runs the tests one after another, prints the line "N passed, N failed", throws when any failed. */
export async function done() {
    let passed = 0;
    const failures = [];
    for (const { name, run } of tests) {
        try {
            await run();
            passed++;
        } catch (error) {
            failures.push(`${name}: ${error?.stack ?? error}`);
        }
    }
    console.log(`${passed} passed, ${failures.length} failed`);
    if (failures.length > 0) throw new Error(failures.join('\n'));
}
