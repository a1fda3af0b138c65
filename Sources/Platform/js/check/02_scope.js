// ---- Who a name belongs to ----
// https://tc39.es/ecma262/#sec-syntax-directed-operations-scope-analysis, as far as it takes to tell the realm's own names from the program's.

class Scope {
    constructor(parent, isFunction) {
        this.parent = parent;
        this.isFunction = isFunction;
        this.names = new Map();
    }

    /** `node`: the name, where a pattern binds it. */
    declare(name, binding, node) {
        const known = this.names.get(name);
        if (known === undefined) this.names.set(name, { value: binding, isWritten: false, node });
        // Declared twice: who knows what it is.
        else known.isWritten = true;
    }

    find(name) {
        for (let scope = this; scope !== null; scope = scope.parent) {
            const found = scope.names.get(name);
            if (found !== undefined) return found;
        }
        return undefined;
    }

    get function() {
        let scope = this;
        while (!scope.isFunction) scope = scope.parent;
        return scope;
    }
}

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);
const isFunction = (node) => FUNCTIONS.has(node.type);

/** The names that a pattern binds. */
function bound(pattern, visit) {
    switch (pattern?.type) {
        case 'Identifier': return visit(pattern);
        case 'ObjectPattern':
            for (const property of pattern.properties) bound(property.type === 'RestElement' ? property.argument : property.value, visit);
            return;
        case 'ArrayPattern':
            for (const element of pattern.elements) bound(element, visit);
            return;
        case 'AssignmentPattern': return bound(pattern.left, visit);
        case 'RestElement': return bound(pattern.argument, visit);
    }
}

/** Gives every node its parent and its scope, declares all names, and returns how many nodes there are. */
function link(tree) {
    let count = 0;
    const written = [];
    const go = (node, parent, scope) => {
        if (++count > NODES_MAX) throw new RangeError(`more than ${NODES_MAX} nodes`);
        node.parent = parent;
        let inner = scope;
        switch (node.type) {
            case 'Program': inner = new Scope(null, true); break;
            case 'FunctionDeclaration':
                if (node.id !== null) scope.declare(node.id.name, node);
            // falls through
            case 'FunctionExpression':
            case 'ArrowFunctionExpression':
                inner = new Scope(scope, true);
                if (node.type === 'FunctionExpression' && node.id !== null) inner.declare(node.id.name, undefined);
                if (node.type !== 'ArrowFunctionExpression') inner.declare('arguments', undefined);
                for (const parameter of node.params) bound(parameter, (name) => inner.declare(name.name, undefined, name));
                break;
            case 'ClassDeclaration':
                if (node.id !== null) scope.declare(node.id.name, node);
            // falls through
            case 'ClassExpression':
                inner = new Scope(scope, false);
                if (node.id !== null) inner.declare(node.id.name, undefined);
                break;
            case 'BlockStatement': case 'ForStatement': case 'ForInStatement': case 'ForOfStatement': case 'SwitchStatement': case 'StaticBlock':
                inner = new Scope(scope, node.type === 'StaticBlock');
                break;
            case 'CatchClause':
                inner = new Scope(scope, false);
                bound(node.param, (name) => inner.declare(name.name, undefined));
                break;
            case 'VariableDeclaration': {
                const target = node.kind === 'var' ? scope.function : scope;
                const isLoop = parent !== null && (parent.type === 'ForInStatement' || parent.type === 'ForOfStatement') && parent.left === node;
                for (const declarator of node.declarations) {
                    const isPlain = declarator.id.type === 'Identifier' && declarator.init !== null && !isLoop;
                    bound(declarator.id, (name) => target.declare(name.name, isPlain ? declarator.init : undefined, name));
                }
                break;
            }
            case 'ImportDeclaration':
                for (const specifier of node.specifiers) scope.declare(specifier.local.name, undefined);
                break;
            case 'AssignmentExpression': bound(node.left, (name) => written.push([name.name, scope])); break;
            case 'UpdateExpression': bound(node.argument, (name) => written.push([name.name, scope])); break;
        }
        node.scope = inner;
        eachChild(node, (child) => go(child, node, inner));
    };
    go(tree, null, null);
    for (const [name, scope] of written) {
        const found = scope.find(name);
        if (found !== undefined) found.isWritten = true;
    }
    return count;
}

/** Whether an identifier stands for a value, and not for the name of a property, label or binding. */
function isReference(node) {
    const parent = node.parent;
    switch (parent?.type) {
        case 'MemberExpression': return parent.object === node || parent.computed;
        case 'Property': return parent.value === node ? parent.parent.type === 'ObjectExpression' : parent.computed;
        case 'MethodDefinition': case 'PropertyDefinition': return parent.computed || parent.value === node;
        case 'VariableDeclarator': return parent.init === node;
        case 'FunctionDeclaration': case 'FunctionExpression': case 'ClassDeclaration': case 'ClassExpression':
            return parent.superClass === node;
        case 'ArrowFunctionExpression': return parent.body === node;
        case 'ImportSpecifier': case 'ImportDefaultSpecifier': case 'ImportNamespaceSpecifier': case 'ImportAttribute': return false;
        case 'ExportSpecifier': return parent.local === node && parent.parent.source === null;
        case 'LabeledStatement': case 'BreakStatement': case 'ContinueStatement': case 'MetaProperty': case 'CatchClause': return false;
        case 'RestElement': case 'ArrayPattern': return false;
        case 'AssignmentPattern': return parent.right === node;
        default: return true;
    }
}

/** Whether it is the realm's own: nothing in the file declares it. */
const isGlobal = (node, name) => node?.type === 'Identifier' && (name === undefined || node.name === name) && node.scope.find(node.name) === undefined;

const GLOBAL_OBJECTS = new Set(['globalThis', 'window', 'self', 'global']);

/** Steps that may be taken to find out what one expression stands for: sources can be made to have it take for ever. */
const STEPS_MAX = 2_000;
/** Names for one thing, each for the one before. */
const ALIASES_MAX = 64;
let steps = STEPS_MAX;

/** What is behind parentheses with a comma, an optional chain and a name that is only given once: `(0, eval)`. */
function plain(node, depth = 0) {
    let passed;
    for (;;) {
        if (node === null || node === undefined || steps <= 0) return node;
        if (++depth > ALIASES_MAX) steps = 0;
        steps--;
        if (node.type === 'ChainExpression') node = node.expression;
        else if (node.type === 'SequenceExpression') node = node.expressions[node.expressions.length - 1];
        else if (node.type === 'Identifier') {
            const binding = node.scope.find(node.name);
            if (binding === undefined || binding.isWritten || binding.value === undefined) return node;
            // `var a = a`, and longer ways round.
            if (passed?.includes(binding)) return node;
            (passed ??= []).push(binding);
            node = binding.value;
        } else return node;
    }
}

/** Whether it is the global object, by any of its names. */
function isGlobalObject(node) {
    if (steps <= 0) return false;
    const target = plain(node);
    // `this ?? globalThis`: it may be.
    if (target?.type === 'LogicalExpression') return (target.operator !== '&&' && isGlobalObject(target.left)) || isGlobalObject(target.right);
    if (target?.type === 'ConditionalExpression') return isGlobalObject(target.consequent) || isGlobalObject(target.alternate);
    return isGlobal(target) && GLOBAL_OBJECTS.has(target.name)
        || (target?.type === 'MemberExpression' && isGlobalObject(target.object) && GLOBAL_OBJECTS.has(propertyName(target)));
}

/** Characters of a text that is put together. */
const TEXT_MAX = 4_096;

/** What a string is known to be: literals, sums of them, templates, and names that are given one once. Undefined: it is not known. */
function textOf(node, depth = 0) {
    if (node === null || node === undefined || depth > 256 || steps-- <= 0) return undefined;
    switch (node.type) {
        case 'Literal': return typeof node.value === 'string' || typeof node.value === 'number' ? String(node.value) : undefined;
        case 'TemplateLiteral': {
            let text = '';
            for (let index = 0; index < node.quasis.length; index++) {
                text += node.quasis[index].value.cooked ?? '';
                if (index === node.expressions.length) break;
                const part = textOf(node.expressions[index], depth + 1);
                if (part === undefined) return undefined;
                text += part;
            }
            return text;
        }
        case 'BinaryExpression': {
            if (node.operator !== '+') return undefined;
            const left = textOf(node.left, depth + 1);
            const right = left === undefined ? undefined : textOf(node.right, depth + 1);
            return right === undefined || left.length + right.length > TEXT_MAX ? undefined : left + right;
        }
        case 'Identifier': {
            const value = plain(node, depth);
            return value === node || value?.type === 'Identifier' ? undefined : textOf(value, depth + 1);
        }
        default: return undefined;
    }
}

/** The name of the property that a member expression or property is about; undefined when it is not known. */
function propertyName(node) {
    const key = node.type === 'MemberExpression' ? node.property : node.key;
    if (!node.computed) return key.type === 'Identifier' || key.type === 'PrivateIdentifier' ? key.name : String(key.value);
    return textOf(key);
}

/** The name of the realm's own that a node stands for: `eval`, `globalThis.eval`, `window['ev' + 'al']`. */
function globalName(node) {
    const target = plain(node);
    if (isGlobal(target)) return target.name;
    return target?.type === 'MemberExpression' && isGlobalObject(target.object) ? propertyName(target) : undefined;
}

/** Whether a key is a symbol, which nobody can bring in as text. */
function isSymbol(node) {
    const target = plain(node);
    if (target?.type === 'CallExpression') return globalName(target.callee) === 'Symbol' || isMember(target.callee, 'Symbol', 'for');
    return target?.type === 'MemberExpression' && !target.computed && globalName(target.object) === 'Symbol';
}

const isMember = (node, object, property) =>
    node?.type === 'MemberExpression' && propertyName(node) === property && (object === undefined || globalName(node.object) === object);
