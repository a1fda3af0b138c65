// ---- The whole ----

/** Own rules, with their patterns compiled. */
let own = [];
let handlers = new Map();

/** Takes what the user has set: `{own: [{id, pattern, message, level}], globals: […], imports: […], off: […]}` as JSON. What is wrong with it, a list of [id, sentence]. */
function configure(text) {
    const given = JSON.parse(text);
    options = { globals: new Set(given.globals), imports: new Set(given.imports.map((name) => name.replace(/^node:/, ''))) };
    const wrong = [];
    own = [];
    for (const { id, pattern, message, level } of given.own) {
        try {
            own.push({ id, level, message, matches: compile(pattern) });
        } catch (error) {
            if (!(error instanceof PatternError)) throw error;
            wrong.push([id, error.message]);
        }
    }
    const off = new Set(given.off);
    handlers = new Map();
    for (const one of rules.values()) {
        if (off.has(one.id)) continue;
        for (const type of Object.keys(one.visitors)) {
            if (!handlers.has(type)) handlers.set(type, []);
            handlers.get(type).push([one, one.visitors[type]]);
        }
    }
    return JSON.stringify(wrong);
}

/** Looks at a text. JSON of `{findings, left, directives, sourceType}`; a finding is [rule, level, line, column, end line, end column, message]. */
function check(text, kind) {
    findings = [];
    left = 0;
    let parsed;
    try {
        parsed = parse(text, kind);
        if (parsed.tree === undefined) {
            const place = { line: parsed.line, column: parsed.column - 1 };
            note('syntax-error', 'error', place, place, parsed.error);
        } else {
            inspect(parsed.tree);
        }
    } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        const start = { line: 1, column: 0 };
        // The stack, or a bound of ours.
        note('check-failed', 'error', start, start, /call stack/.test(error.message) ? 'it is nested too deeply to be looked at' : error.message);
    }
    return JSON.stringify({ findings, left, directives: parsed?.directives ?? [], sourceType: parsed?.sourceType ?? '' });
}

/** What cannot be followed to its end is no clean bill: once a file. */
function tooFar(node) {
    if (seen.isTooFar) return;
    seen.isTooFar = true;
    note('check-failed', 'error', node.loc.start, node.loc.start, 'what this expression stands for takes too many steps to find out');
}

function inspect(tree) {
    link(tree);
    beginText();
    const visit = (node) => {
        const found = handlers.get(node.type);
        if (found !== undefined) {
            for (let index = 0; index < found.length; index++) {
                current = found[index][0];
                steps = STEPS_MAX;
                found[index][1](node);
                if (steps <= 0) tooFar(node);
            }
        }
        for (let index = 0; index < own.length; index++) {
            const one = own[index];
            steps = STEPS_MAX;
            if (one.matches(node)) note(one.id, one.level, node.loc.start, node.loc.end, one.message);
        }
        eachChild(node, visit);
    };
    visit(tree);
}

/** All rules of the tree, for whoever lists them. */
const catalogue = () => JSON.stringify([...rules.values()].map(({ id, level, summary }) => [id, level, summary]));

return { __proto__: null, configure, check, catalogue };
