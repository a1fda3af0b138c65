// ---- Rules, and what they find ----

/** Findings of one file; more are counted. */
const FINDINGS_MAX = 1_000;
/** Of a finding's message. */
const MESSAGE_MAX = 400;

/** All rules by id: level, summary, and visitors by type of node. */
const rules = new Map();
/** What is said of the file: more names that are forbidden. */
let options = { globals: new Set(), imports: new Set() };
let findings = [];
let left = 0;
let current;

function rule(id, level, summary, visitors) { rules.set(id, { id, level, summary, visitors }); }

/** Notes what the current rule has found at a node. */
function report(node, message, level = current.level) { note(current.id, level, node.loc.start, node.loc.end, message); }

function note(id, level, from, to, message) {
    if (findings.length >= FINDINGS_MAX) {
        left++;
        return;
    }
    findings.push([id, level, from.line, from.column + 1, to.line, to.column + 1, message.length > MESSAGE_MAX ? `${message.slice(0, MESSAGE_MAX - 1)}\u2026` : message]);
}

/** A name in quotes, not too long, of printable ASCII. */
function shown(text) {
    const cut = text.length > 80 ? `${text.slice(0, 79)}\u2026` : text;
    return JSON.stringify(cut).replace(/[^\x20-\x7E\u2026]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Goes through a node and what is in it; `visit` says whether to go on into it. */
function walk(node, visit) {
    if (visit(node)) eachChild(node, (child) => walk(child, visit));
}
