// The code validator (docs/check-code.md): these files one after the other are the body of one function of `acorn` (PlatformSources.check), which gives `check` of 09_check.js.
// They run in a realm where nothing else does, and the code that they look at is never run: so there are no primordials here.
'use strict';

/** Of the nodes of one file; a tree beyond it takes more memory than a file is worth. */
const NODES_MAX = 2_000_000;

/**
 * Acorn 8.8 and what it does not know yet: import attributes, by both of their words. <https://tc39.es/proposal-import-attributes/>
 */
const Parser = acorn.Parser.extend((Base) => class extends Base {
    parseImport(node) { return this.withAttributes(node, () => super.parseImport(node)); }

    parseExport(node, exports) { return this.withAttributes(node, () => super.parseExport(node, exports)); }

    /** The clause stands before the semicolon, which the grammar's own rule asks for last. */
    withAttributes(node, parse) {
        const outer = this.clauseOf;
        this.clauseOf = node;
        node.attributes = [];
        try {
            return parse();
        } finally {
            this.clauseOf = outer;
        }
    }

    semicolon() {
        const node = this.clauseOf;
        if (node?.source) {
            this.clauseOf = undefined;
            const isWith = this.type === acorn.tokTypes._with;
            if (isWith || (this.isContextual('assert') && !acorn.lineBreak.test(this.input.slice(this.lastTokEnd, this.start)))) {
                this.next();
                node.attributes = this.parseAttributes();
            }
        }
        super.semicolon();
    }

    parseAttributes() {
        const attributes = [];
        this.expect(acorn.tokTypes.braceL);
        while (!this.eat(acorn.tokTypes.braceR)) {
            if (attributes.length > 0) {
                this.expect(acorn.tokTypes.comma);
                if (this.eat(acorn.tokTypes.braceR)) break;
            }
            const node = this.startNode();
            node.key = this.type === acorn.tokTypes.string ? this.parseExprAtom() : this.parseIdent(true);
            this.expect(acorn.tokTypes.colon);
            if (this.type !== acorn.tokTypes.string) this.unexpected();
            node.value = this.parseExprAtom();
            attributes.push(this.finishNode(node, 'ImportAttribute'));
        }
        return attributes;
    }

    parseDynamicImport(node) {
        this.next();
        node.source = this.parseMaybeAssign();
        node.options = null;
        if (this.eat(acorn.tokTypes.comma) && this.type !== acorn.tokTypes.parenR) {
            node.options = this.parseMaybeAssign();
            this.eat(acorn.tokTypes.comma);
        }
        this.expect(acorn.tokTypes.parenR);
        return this.finishNode(node, 'ImportExpression');
    }
});

/** The comments that say something to the validator; what is behind `--` is the reason. */
const DIRECTIVE = /^[\s*]*sidelight-ignore-next-line\b(.*)$/s;

/**
 * Parses a text as what it is said to be: 'module', 'script', or '' for either.
 * Gives the tree and the directives, or the syntax error.
 */
function parse(text, kind) {
    const attempts = kind === '' ? ['module', 'script'] : [kind];
    let first;
    for (const sourceType of attempts) {
        const comments = [];
        try {
            const tree = Parser.parse(text, {
                ecmaVersion: 'latest', sourceType, locations: true, allowHashBang: true,
                // A CommonJS file is a function's body.
                allowReturnOutsideFunction: sourceType === 'script',
                onComment(_isBlock, body, _start, _end, from, to) {
                    if (body.includes('sidelight-ignore')) comments.push({ body, from, to });
                },
            });
            return { tree, sourceType, directives: directives(comments) };
        } catch (error) {
            if (!(error instanceof SyntaxError)) throw error;
            first ??= { error: cleaned(error), line: error.loc?.line ?? 1, column: (error.loc?.column ?? 0) + 1, directives: [] };
        }
    }
    return first;
}

/** Acorn's message without the place, which is told beside it, and without what a terminal would obey: it quotes the source. */
function cleaned(error) {
    return error.message.replace(/ \(\d+:\d+\)$/, '').replace(/[^\x20-\x7E]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function directives(comments) {
    const found = [];
    for (const { body, from, to } of comments) {
        const match = DIRECTIVE.exec(body);
        if (match === null) continue;
        const [names, ...reason] = match[1].split('--');
        found.push({
            line: to.line + 1, at: from.line, column: from.column + 1, rules: names.split(/[\s,]+/).filter((name) => name !== ''),
            reason: reason.join('--').replace(/[\s*]+$/, '').trim(),
        });
    }
    return found;
}

/** Keys of a node that are no children. */
const NO_CHILDREN = new Set(['type', 'start', 'end', 'loc', 'parent', 'scope', 'regex', 'value', 'raw']);
const childKeys = new Map();

/** The keys of a node's children, found out once a type and shape. */
function keysOf(node) {
    const keys = childKeys.get(node.type);
    if (keys !== undefined) return keys;
    // Not of the first node that comes: a key that is null there may have a child in the next.
    const all = Object.keys(node).filter((key) => !NO_CHILDREN.has(key) || (key === 'value' && node.type !== 'Literal' && node.type !== 'TemplateElement'));
    childKeys.set(node.type, all);
    return all;
}

/** Calls `visit` for each child, in the order of the text. */
function eachChild(node, visit) {
    const keys = keysOf(node);
    for (let index = 0; index < keys.length; index++) {
        const child = node[keys[index]];
        if (child === null || typeof child !== 'object') continue;
        if (Array.isArray(child)) {
            for (let at = 0; at < child.length; at++) if (child[at] !== null && typeof child[at] === 'object' && typeof child[at].type === 'string') visit(child[at]);
        } else if (typeof child.type === 'string') {
            visit(child);
        }
    }
}
