// ---- Patterns of the tree ----
// What users write their own rules in: the selectors of https://github.com/estools/esquery, as far as they say something of nodes.

class PatternError extends Error {}

/** Of one pattern. */
const PATTERN_MAX = 2_000;
const NESTING_MAX = 16;

/** Makes a pattern a function of a node. Throws a PatternError. */
function compile(source) {
    if (source.length > PATTERN_MAX) throw new PatternError(`it is longer than ${PATTERN_MAX} characters`);
    let at = 0;
    let depth = 0;
    const fail = (what, place = at) => { throw new PatternError(`${what}, at character ${place + 1}`); };
    const peek = (text) => source.startsWith(text, at);
    const blank = () => { const start = at; while (/\s/.test(source[at] ?? '')) at++; return at > start; };
    const take = (pattern) => {
        pattern.lastIndex = at;
        const match = pattern.exec(source);
        if (match !== null) at = pattern.lastIndex;
        return match;
    };

    /** `a, b` */
    const list = (end) => {
        if (++depth > NESTING_MAX) fail('it is nested too deeply');
        const all = [];
        do {
            blank();
            all.push(complex());
            blank();
        } while (source[at] === ',' && ++at);
        if (end === undefined ? at < source.length : source[at] !== end) fail(at < source.length ? `${shown(source[at])} is not expected` : 'it ends too early');
        depth--;
        return all.length === 1 ? all[0] : (node) => all.some((one) => one(node));
    };

    /** `a > b c` */
    const complex = () => {
        let left = compound();
        for (;;) {
            const hadBlank = blank();
            const sign = take(/[>~+]/y)?.[0];
            if (sign !== undefined) blank();
            else if (!hadBlank || at >= source.length || source[at] === ',' || source[at] === ')') return left;
            const before = left;
            const right = compound();
            switch (sign) {
                case '>': left = (node) => right(node) && node.parent !== null && before(node.parent); break;
                case '~': left = (node) => right(node) && siblings(node, (list, index) => list.slice(0, index).some((other) => other !== null && before(other))); break;
                case '+': left = (node) => right(node) && siblings(node, (list, index) => index > 0 && list[index - 1] !== null && before(list[index - 1])); break;
                default: left = (node) => {
                    if (!right(node)) return false;
                    for (let up = node.parent; up !== null; up = up.parent) if (before(up)) return true;
                    return false;
                };
            }
        }
    };

    /** `Type[attribute]:class` without blanks. */
    const compound = () => {
        const tests = [];
        for (;;) {
            const test = simple();
            if (test === undefined) break;
            tests.push(test);
        }
        if (tests.length === 0) fail(at < source.length ? `${shown(source[at])} is not expected` : 'it ends too early');
        return tests.length === 1 ? tests[0] : (node) => tests.every((test) => test(node));
    };

    const simple = () => {
        if (peek('*')) { at++; return () => true; }
        if (peek('[')) return attribute();
        if (peek(':')) return pseudo();
        if (peek('.')) {
            at++;
            const path = take(/[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*/y)?.[0] ?? fail('a field is missing');
            const keys = path.split('.').reverse();
            return (node) => keys.every((key) => {
                const parent = node?.parent;
                const holds = parent !== null && parent !== undefined && (parent[key] === node || Array.isArray(parent[key]) && parent[key].includes(node));
                node = parent;
                return holds;
            });
        }
        const type = take(/[A-Z][A-Za-z]*/y)?.[0];
        if (type === undefined) return undefined;
        if (!NODE_TYPES.has(type)) fail(`there is no node ${shown(type)}`, at - type.length);
        return (node) => node.type === type;
    };

    const attribute = () => {
        at++;
        blank();
        const path = take(/[A-Za-z_]\w*(?:\.(?:[A-Za-z_]\w*|\d+))*/y)?.[0] ?? fail('the name of an attribute is missing');
        const keys = path.split('.');
        const read = (node) => {
            for (const key of keys) {
                if (node === null || node === undefined || typeof node === 'string') return undefined;
                node = Object.hasOwn(node, key) ? node[key] : undefined;
            }
            return node;
        };
        blank();
        const sign = take(/!=|<=|>=|=|<|>/y)?.[0];
        let test;
        if (sign === undefined) test = (node) => { const value = read(node); return value !== undefined && value !== null; };
        else test = comparison(sign, read);
        blank();
        if (source[at++] !== ']') { at--; fail('"]" is missing'); }
        return test;
    };

    const comparison = (sign, read) => {
        blank();
        const pattern = take(/\/((?:[^/\\\n]|\\.)+)\/([imsu]*)/y);
        if (pattern !== null) {
            if (sign !== '=' && sign !== '!=') fail('a regular expression can be compared with = and != alone');
            let expression;
            try { expression = new RegExp(pattern[1], pattern[2]); } catch (error) { fail(error.message); }
            return (node) => { const value = read(node); return (['string', 'number'].includes(typeof value) && expression.test(value)) === (sign === '='); };
        }
        const quoted = take(/"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'/y);
        const word = quoted === null ? take(/[^\s\]]+/y)?.[0] ?? fail('a value is missing') : (quoted[1] ?? quoted[2]).replace(/\\(.)/g, '$1');
        if (sign === '=' || sign === '!=') return (node) => { const value = read(node); return (typeof value !== 'object' && String(value) === word || value === null && word === 'null') === (sign === '='); };
        const number = Number(word);
        if (word === '' || Number.isNaN(number)) fail(`${shown(word)} is no number`);
        const size = (value) => Array.isArray(value) ? value.length : Number(value);
        return { '<': (node) => size(read(node)) < number, '<=': (node) => size(read(node)) <= number, '>': (node) => size(read(node)) > number, '>=': (node) => size(read(node)) >= number }[sign];
    };

    const inner = () => {
        if (source[at++] !== '(') { at--; fail('"(" is missing'); }
        const found = list(')');
        at++;
        return found;
    };

    const pseudo = () => {
        at++;
        const start = at;
        const name = take(/[a-z-]+/y)?.[0];
        switch (name) {
            case 'not': { const test = inner(); return (node) => !test(node); }
            case 'is': case 'matches': return inner();
            case 'has': {
                const test = inner();
                return (node) => {
                    let found = false;
                    eachChild(node, (child) => walk(child, (one) => { found ||= test(one); return !found; }));
                    return found;
                };
            }
            case 'global': return (node) => isGlobal(node) && isReference(node);
            case 'first-child': return (node) => siblings(node, (_, index) => index === 0);
            case 'last-child': return (node) => siblings(node, (list, index) => index === list.length - 1);
            case 'nth-child': {
                const number = Number(take(/\((\d+)\)/y)?.[1] ?? fail('(number) is missing'));
                return (node) => siblings(node, (_, index) => index === number - 1);
            }
            case 'function': return isFunction;
            case 'statement': return (node) => node.type.endsWith('Statement') || node.type.endsWith('Declaration');
            case 'declaration': return (node) => node.type.endsWith('Declaration');
            case 'expression': return (node) => node.type.endsWith('Expression') || node.type.endsWith('Literal') || node.type === 'Identifier' && isReference(node);
            case 'pattern': return (node) => node.type.endsWith('Pattern') || node.type === 'RestElement';
            default: at = start; return fail(`there is no :${name ?? ''}`);
        }
    };
    return list();
}

/** The list that a node is an element of, and where. */
function siblings(node, test) {
    if (node.parent === null) return false;
    for (const key of keysOf(node.parent)) {
        const list = node.parent[key];
        if (Array.isArray(list) && list.includes(node)) return test(list, list.indexOf(node));
    }
    return false;
}

const NODE_TYPES = new Set(`ArrayExpression ArrayPattern ArrowFunctionExpression AssignmentExpression AssignmentPattern AwaitExpression BinaryExpression BlockStatement BreakStatement CallExpression
CatchClause ChainExpression ClassBody ClassDeclaration ClassExpression ConditionalExpression ContinueStatement DebuggerStatement DoWhileStatement EmptyStatement ExportAllDeclaration
ExportDefaultDeclaration ExportNamedDeclaration ExportSpecifier ExpressionStatement ForInStatement ForOfStatement ForStatement FunctionDeclaration FunctionExpression Identifier IfStatement
ImportAttribute ImportDeclaration ImportDefaultSpecifier ImportExpression ImportNamespaceSpecifier ImportSpecifier LabeledStatement Literal LogicalExpression MemberExpression MetaProperty
MethodDefinition NewExpression ObjectExpression ObjectPattern PrivateIdentifier Program Property PropertyDefinition RestElement ReturnStatement SequenceExpression SpreadElement StaticBlock Super
SwitchCase SwitchStatement TaggedTemplateExpression TemplateElement TemplateLiteral ThisExpression ThrowStatement TryStatement UnaryExpression UpdateExpression VariableDeclaration
VariableDeclarator WhileStatement WithStatement YieldExpression`.split(/\s+/));
