// ---- Code made of text ----

/** Functions that the tree has, by their kind: what `.constructor` of one makes is code. */
const isFunctionValue = (node) => {
    const target = plain(node);
    return target !== undefined && (isFunction(target) || target.type === 'ClassExpression' || target.type === 'ClassDeclaration');
};

/** `Object.getPrototypeOf(async function () {})` and its like. */
const isFunctionPrototype = (node) => {
    const target = plain(node);
    if (isMember(target, undefined, 'prototype')) return globalName(target.object) === 'Function';
    if (isMember(target, undefined, '__proto__')) return isFunctionValue(target.object);
    return target?.type === 'CallExpression' && isMember(target.callee, undefined, 'getPrototypeOf')
        && ['Object', 'Reflect'].includes(globalName(target.callee.object)) && isFunctionValue(target.arguments[0]);
};

/** Whether a node is Function, or one of the constructors of its kind. */
function makesFunctions(node) {
    if (globalName(node) === 'Function') return true;
    const target = plain(node);
    if (target?.type !== 'MemberExpression' || propertyName(target) !== 'constructor') return false;
    return isFunctionValue(target.object) || isFunctionPrototype(target.object) || isMember(plain(target.object), undefined, 'constructor')
        || (globalName(target.object) !== undefined && ['Object', 'Array', 'String', 'Number', 'Boolean', 'Function', 'Error', 'Promise', 'Map', 'Set', 'Date', 'RegExp', 'Symbol', 'Proxy'].includes(globalName(target.object)));
}

/** Whether the value of an expression is kept or handed on, and not just compared or asked about. */
function isUsed(node) {
    const parent = node.parent;
    switch (parent.type) {
        case 'UnaryExpression': case 'BinaryExpression': case 'ExpressionStatement': case 'IfStatement': return false;
        case 'MemberExpression': return parent.object === node && ['call', 'apply', 'bind'].includes(propertyName(parent));
        case 'LogicalExpression': case 'ConditionalExpression': return parent.test !== node && isUsed(parent);
        case 'ChainExpression': case 'SequenceExpression': return isUsed(parent);
        default: return true;
    }
}

const TIMERS = new Set(['setTimeout', 'setInterval', 'setImmediate', 'execScript']);

/** Whether it is certainly a string. */
function isText(node) {
    const target = plain(node);
    switch (target?.type) {
        case 'Literal': return typeof target.value === 'string';
        case 'TemplateLiteral': return true;
        case 'BinaryExpression': return target.operator === '+' && (isText(target.left) || isText(target.right));
        default: return false;
    }
}

/** `const { eval: run } = globalThis`, and the same as an assignment. */
function isTakenOut(property, name, isOwner = isGlobalObject) {
    if (property.parent.type !== 'ObjectPattern' || propertyName(property) !== name) return false;
    const owner = property.parent.parent;
    const from = owner.type === 'VariableDeclarator' ? owner.init : ['AssignmentExpression', 'AssignmentPattern'].includes(owner.type) ? owner.right : undefined;
    return from !== undefined && from !== null && isOwner(from);
}

/** `Reflect.get(globalThis, 'eval')`, and by its descriptor. */
const isAskedFor = (call, name) => ['get', 'getOwnPropertyDescriptor'].includes(call.callee.type === 'MemberExpression' ? propertyName(call.callee) : '')
    && ['Object', 'Reflect'].includes(globalName(call.callee.object)) && isGlobalObject(call.arguments[0]) && textOf(call.arguments[1]) === name;

rule('no-eval', 'error', 'eval runs text as code', {
    Identifier(node) {
        if (node.name !== 'eval' || !isReference(node) || !isGlobal(node, 'eval') || !isUsed(node)) return;
        const isCalled = node.parent.type === 'CallExpression' && node.parent.callee === node;
        report(isCalled ? node.parent : node, isCalled ? 'eval runs text as code' : 'eval is handed on: what gets it can run text as code');
    },
    MemberExpression(node) {
        if (propertyName(node) === 'eval' && isGlobalObject(node.object) && isUsed(node)) report(node, 'eval of the global object runs text as code');
    },
    Property(node) { if (isTakenOut(node, 'eval')) report(node, 'eval is taken out of the global object under another name'); },
    CallExpression(node) { if (isAskedFor(node, 'eval')) report(node, 'eval is asked of the global object'); },
});

rule('no-function-constructor', 'error', 'Function makes code of text', {
    NewExpression(node) { if (makesFunctions(node.callee)) report(node, 'a function is made of text'); },
    CallExpression(node) {
        if (makesFunctions(node.callee)) return report(node, 'a function is made of text');
        if (isAskedFor(node, 'Function')) return report(node, 'Function is asked of the global object');
        if (node.callee.type !== 'MemberExpression') return;
        const name = propertyName(node.callee);
        if (['call', 'apply', 'bind'].includes(name) && makesFunctions(node.callee.object)) return report(node, 'a function is made of text');
        if (['construct', 'apply'].includes(name) && globalName(node.callee.object) === 'Reflect' && makesFunctions(node.arguments[0])) {
            report(node, 'a function is made of text, through Reflect');
        }
    },
    MemberExpression(node) {
        if (propertyName(node) !== 'constructor') return;
        const isCalled = (node.parent.type === 'CallExpression' || node.parent.type === 'NewExpression') && node.parent.callee === node;
        // One that is called is told of there.
        if (isCalled || !isUsed(node)) return;
        if (isMember(plain(node.object), undefined, 'constructor') || isFunctionPrototype(node.object) || (isFunctionValue(node.object) && node.object.type !== 'Identifier')) {
            report(node, 'the constructor of functions is reached through `constructor`');
        }
    },
    Property(node) {
        if (isTakenOut(node, 'Function')) report(node, 'Function is taken out of the global object under another name');
        if (isTakenOut(node, 'constructor', (owner) => isFunctionValue(owner) || isFunctionPrototype(owner))) report(node, 'the constructor of functions is taken out of one');
    },
    VariableDeclarator(node) { if (node.init?.type === 'Identifier' && isGlobal(node.init, 'Function')) report(node, 'Function is kept under another name'); },
    AssignmentExpression(node) { if (node.right.type === 'Identifier' && isGlobal(node.right, 'Function')) report(node, 'Function is kept under another name'); },
});

rule('no-implied-eval', 'error', 'a timer runs text as code', {
    CallExpression(node) {
        const name = globalName(node.callee);
        if (TIMERS.has(name) && isText(node.arguments[0])) report(node, `${name} is given text, which it would run as code`);
    },
});

rule('dynamic-import', 'warning', 'a module is loaded whose name only the running program knows', {
    ImportExpression(node) { if (textOf(node.source) === undefined) report(node, 'import() of a name that is made up at run time'); },
    CallExpression(node) {
        if (node.callee.type === 'Identifier' && isGlobal(node.callee, 'require') && node.arguments.length > 0 && textOf(node.arguments[0]) === undefined) {
            report(node, 'require() of a name that is made up at run time');
        }
    },
});

rule('dynamic-property-call', 'warning', 'what is called or taken of the global object only the running program knows', {
    MemberExpression(node) {
        if (!node.computed || propertyName(node) !== undefined || !(isGlobalObject(node.object) || ['Reflect', 'process'].includes(globalName(node.object)))) return;
        if (isSymbol(node.property)) return;
        const parent = node.parent;
        const isWritten = parent.type === 'AssignmentExpression' && parent.left === node;
        if (parent.type === 'UnaryExpression') return;
        const isCalled = (parent.type === 'CallExpression' || parent.type === 'NewExpression') && parent.callee === node;
        report(node, `${isCalled ? 'a function' : 'a property'} of ${globalName(node.object) ?? 'the global object'} is ${isWritten ? 'set' : isCalled ? 'called' : 'taken'} by a name that is made up at run time`);
    },
});

rule('no-with', 'warning', '`with` makes every name a guess', {
    WithStatement(node) { report(node, '`with`: nobody can tell which names are whose'); },
});

// ---- Names of the realm, and modules ----

const GLOBALS = new Map([
    ['process.binding', 'it reaches into the host'], ['process._linkedBinding', 'it reaches into the host'], ['process.dlopen', 'it loads native code'],
    ['Error.prepareStackTrace', 'it sees the frames of others'],
]);
const IMPORTS = new Map([
    ['child_process', 'it starts programs'], ['cluster', 'it starts processes'], ['inspector', 'it debugs the program'], ['repl', 'it runs text as code'], ['vm', 'it runs text as code'],
]);
/** Modules that have harmless uses as well. */
const DOUBTFUL = new Map([['module', 'it can change how modules are loaded'], ['v8', 'it can read the heap']]);

rule('forbidden-global', 'error', 'a name of the realm that programs have no business with', {
    MemberExpression(node) {
        const name = propertyName(node);
        const owner = globalName(node.object);
        if (name === undefined || owner === undefined) return;
        const full = `${owner}.${name}`;
        // Asking for it, or handing it back, is how libraries format their own errors: setting it is the trick.
        if (full === 'Error.prepareStackTrace') {
            const parent = node.parent;
            if (parent.type === 'AssignmentExpression' && parent.left === node && isFunction(parent.right)) report(node, `${full} is set: ${GLOBALS.get(full)}`, 'warning');
        } else if (GLOBALS.has(full) && isUsed(node)) {
            report(node, `${full}: ${GLOBALS.get(full)}`);
        } else if (options.globals.has(full)) {
            report(node, `${full} is forbidden here`);
        }
    },
    Identifier(node) { if (options.globals.has(node.name) && isReference(node) && isGlobal(node)) report(node, `${node.name} is forbidden here`); },
});

function importedName(node, name) {
    if (name === undefined) return;
    const bare = name.startsWith('node:') ? name.slice(5) : name;
    if (IMPORTS.has(bare)) report(node, `${shown(name)} is imported: ${IMPORTS.get(bare)}`);
    else if (DOUBTFUL.has(bare)) report(node, `${shown(name)} is imported: ${DOUBTFUL.get(bare)}`, 'warning');
    else if (options.imports.has(bare)) report(node, `${shown(name)} is forbidden here`);
    else if (/^data:/i.test(name)) report(node, 'code is imported from a data: URL: it was made of text');
    else if (/^https?:/i.test(name)) report(node, `code is imported from the network: ${shown(name)}`);
}

rule('forbidden-import', 'error', 'a module that programs have no business with', {
    ImportDeclaration(node) { importedName(node.source, node.source.value); },
    ExportNamedDeclaration(node) { if (node.source !== null) importedName(node.source, node.source.value); },
    ExportAllDeclaration(node) { importedName(node.source, node.source.value); },
    ImportExpression(node) { importedName(node.source, textOf(node.source)); },
    CallExpression(node) {
        if (node.callee.type === 'Identifier' && node.callee.name === 'require' && isGlobal(node.callee)) importedName(node, textOf(node.arguments[0]));
    },
});
