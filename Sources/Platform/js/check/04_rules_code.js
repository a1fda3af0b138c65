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

/** Functions of the realm. Other names that a file does not declare may be those of another script. */
const REALM_FUNCTIONS = new Set(['Array', 'BigInt', 'Boolean', 'Date', 'Error', 'Function', 'Map', 'Number', 'Object', 'Promise', 'Proxy', 'RegExp', 'Set', 'String', 'Symbol', 'URL', 'WeakMap', 'WeakSet',
    'TypeError', 'RangeError', 'Uint8Array', 'ArrayBuffer', 'AbortController', 'Headers', 'Request', 'Response', 'TextDecoder', 'TextEncoder', 'atob', 'btoa', 'clearInterval', 'clearTimeout',
    'decodeURIComponent', 'encodeURIComponent', 'eval', 'fetch', 'isFinite', 'isNaN', 'parseFloat', 'parseInt', 'queueMicrotask', 'require', 'setImmediate', 'setInterval', 'setTimeout', 'structuredClone']);
/** Objects of the realm that hold functions. */
const REALM_OBJECTS = new Set(['Atomics', 'Intl', 'JSON', 'Math', 'Reflect', 'WebAssembly', 'console', 'crypto', 'performance', 'process']);

/** What of the realm is a function, as far as its place tells: `Array`, `console.log`, `[].map`. */
function isRealmFunction(node) {
    if (REALM_FUNCTIONS.has(globalName(node))) return true;
    const target = plain(node);
    if (target?.type !== 'MemberExpression') return false;
    const owner = plain(target.object);
    const name = globalName(owner);
    return REALM_FUNCTIONS.has(name) || REALM_OBJECTS.has(name) || ['Literal', 'TemplateLiteral', 'ArrayExpression', 'ObjectExpression'].includes(owner?.type);
}

/** What the constructor is taken of: `a.constructor`, `Reflect.get(a, 'constructor')`. */
function constructorOwner(node) {
    const target = plain(node);
    if (target?.type === 'MemberExpression' && propertyName(target) === 'constructor') return target.object;
    return isMember(target?.callee, 'Reflect', 'get') && textOf(target.arguments[1]) === 'constructor' ? target.arguments[0] : undefined;
}

/** Whether what `constructor` of it is makes functions. */
const isCertainFunction = (node) => isFunctionValue(node) || isFunctionPrototype(node) || isRealmFunction(node) || constructorOwner(node) !== undefined;

/** What a pattern takes apart, as far as it is known: a value, a default, an argument of a function that is called where it stands. */
function sourcesOf(pattern) {
    const parent = pattern.parent;
    switch (parent.type) {
        case 'VariableDeclarator': return parent.init === null ? [] : [parent.init];
        case 'AssignmentExpression': return [parent.right];
        case 'AssignmentPattern': return [parent.right, ...sourcesOf(parent)];
        case 'ArrayPattern': {
            const at = parent.elements.indexOf(pattern);
            return sourcesOf(parent).map((source) => plain(source)).filter((list) => list?.type === 'ArrayExpression' && list.elements[at]).map((list) => list.elements[at]);
        }
        default: {
            const isCalled = isFunction(parent) && parent.parent.type === 'CallExpression' && parent.parent.callee === parent;
            const given = isCalled ? parent.parent.arguments[parent.params.indexOf(pattern)] : undefined;
            return given === undefined ? [] : [given];
        }
    }
}

/** The property of the pattern around this one that it is of; undefined: it is the outermost. */
function propertyAround(pattern) {
    const place = pattern.parent.type === 'AssignmentPattern' ? pattern.parent : pattern;
    return place.parent.type === 'Property' && place.parent.value === place && place.parent.parent.type === 'ObjectPattern' ? place.parent : undefined;
}

/** Whether a pattern's property is the constructor of something that is certainly a function, or deep in a pattern, where nobody else looks for one. */
function isCertainConstructor(property) {
    if (property.parent.type !== 'ObjectPattern' || propertyName(property) !== 'constructor') return false;
    const value = property.value.type === 'AssignmentPattern' ? property.value.left : property.value;
    // `{ constructor: { name } }` asks about it. One that is in it is told of by itself.
    if (value.type === 'ObjectPattern') return false;
    return propertyAround(property.parent) !== undefined || sourcesOf(property.parent).some(isCertainFunction);
}

/** Whether a name was bound to the `constructor` of what nobody knows by a pattern: `({ constructor: F }) => F(text)`. Of `this` it is the program's own. */
function isBoundConstructor(node) {
    if (node?.type !== 'Identifier') return false;
    const name = node.scope.find(node.name)?.node;
    if (name === undefined) return false;
    const property = name.parent.type === 'AssignmentPattern' ? name.parent.parent : name.parent;
    return property.type === 'Property' && property.parent.type === 'ObjectPattern' && propertyName(property) === 'constructor'
        && !sourcesOf(property.parent).some((source) => source.type === 'ThisExpression');
}

/** Whether a node is Function, or one of the constructors of its kind. */
function makesFunctions(node) {
    if (globalName(node) === 'Function') return true;
    const target = plain(node);
    if (isBoundConstructor(target)) return true;
    const owner = constructorOwner(target);
    return owner !== undefined && isCertainFunction(owner);
}

/** `x.constructor(text)()`: what a constructor makes is called, so it is a function. */
const isCalledAtOnce = (node) => constructorOwner(node.callee) !== undefined && node.parent.type === 'CallExpression' && node.parent.callee === node;

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

/** Whether a pattern takes the global object apart. */
function isOfGlobalObject(pattern) {
    if (sourcesOf(pattern).some(isGlobalObject)) return true;
    const around = propertyAround(pattern);
    return around !== undefined && GLOBAL_OBJECTS.has(propertyName(around)) && isOfGlobalObject(around.parent);
}

/** `const { eval: run } = globalThis`, and the same as an assignment or a parameter. */
const isTakenOut = (property, name) => property.parent.type === 'ObjectPattern' && propertyName(property) === name && isOfGlobalObject(property.parent);

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

function inherits(node) { if (node.superClass !== null && makesFunctions(node.superClass)) report(node.superClass, 'a class inherits from Function: what it makes is made of text'); }

rule('no-function-constructor', 'error', 'Function makes code of text', {
    ClassDeclaration: inherits,
    ClassExpression: inherits,
    NewExpression(node) { if (makesFunctions(node.callee) || isCalledAtOnce(node)) report(node, 'a function is made of text'); },
    CallExpression(node) {
        if (makesFunctions(node.callee) || isCalledAtOnce(node)) return report(node, 'a function is made of text');
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
        else if (isCertainConstructor(node)) report(node, 'the constructor of functions is reached through a pattern');
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
