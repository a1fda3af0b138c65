// ---- Prototypes ----

const BUILTINS = new Set([
    'Object', 'Function', 'Array', 'String', 'Number', 'Boolean', 'Symbol', 'BigInt', 'Promise', 'RegExp', 'Date', 'Error', 'TypeError', 'Map', 'Set', 'WeakMap', 'WeakSet', 'ArrayBuffer', 'DataView',
    'Uint8Array', 'Request', 'Response', 'Headers', 'URL', 'ReadableStream', 'EventTarget',
]);

/** Whose prototype a node is, of the realm's own constructors. */
function prototypeOf(node) {
    const target = plain(node);
    if (isMember(target, undefined, 'prototype')) {
        const name = globalName(target.object);
        if (BUILTINS.has(name)) return name;
        // x.constructor.prototype is that of whatever x is.
        return isMember(plain(target.object), undefined, 'constructor') && plain(target.object).object.type !== 'ThisExpression' ? 'constructor' : undefined;
    }
    // Object.getPrototypeOf({}) is Object.prototype.
    if (target?.type === 'CallExpression' && isMember(target.callee, undefined, 'getPrototypeOf') && ['Object', 'Reflect'].includes(globalName(target.callee.object))) {
        const of = plain(target.arguments[0]);
        if (of?.type === 'ObjectExpression') return 'Object';
        if (of?.type === 'ArrayExpression') return 'Array';
    }
    return undefined;
}

const isProto = (node) => node?.type === 'MemberExpression' && propertyName(node) === '__proto__';

const polluted = (node, owner) => {
    if (owner === 'Object' || owner === 'constructor') report(node, owner === 'Object' ? 'Object.prototype is changed: every object gets it' : 'the prototype of another object is changed through `constructor`');
    else report(node, `${owner}.prototype is changed, for all of the program`, 'warning');
};

/** Names that a merging function has to look at to be safe. */
const GUARDS = new Set(['__proto__', 'prototype', 'constructor']);

rule('prototype-pollution', 'error', 'prototypes are changed, or can be by what comes from outside', {
    AssignmentExpression(node) {
        if (node.left.type !== 'MemberExpression') return;
        const owner = prototypeOf(node.left.object);
        if (owner !== undefined) polluted(node, owner);
        else if (isProto(plain(node.left.object))) report(node, 'a property is set on `__proto__`: all that share the prototype get it');
        else merged(node);
    },
    CallExpression(node) {
        if (node.callee.type !== 'MemberExpression') return;
        const name = propertyName(node.callee);
        const owner = globalName(node.callee.object);
        if (name === '__defineGetter__' || name === '__defineSetter__') {
            const whose = prototypeOf(node.callee.object);
            if (whose !== undefined) polluted(node, whose);
            return;
        }
        if (!['Object', 'Reflect'].includes(owner) || !['assign', 'defineProperty', 'defineProperties', 'set', 'setPrototypeOf'].includes(name)) return;
        const whose = prototypeOf(node.arguments[0]);
        if (whose !== undefined) polluted(node, whose);
        else if (isProto(plain(node.arguments[0]))) report(node, 'properties are set on `__proto__`: all that share the prototype get them');
    },
});

/** `target[key] = source[key]` of a deep merge, or `object[key] = value` behind `object = object[key]`, in a function that never looks at the key. */
function merged(node) {
    if (node.operator !== '=' || !node.left.computed) return;
    const key = node.left.property;
    if (key.type !== 'Identifier' && key.type !== 'MemberExpression' || node.left.object.type !== 'Identifier') return;
    const target = node.left.object.name;
    let owner = node;
    while (owner !== null && !isFunction(owner)) owner = owner.parent;
    if (owner === null || isSymbol(key) || isGuarded(owner)) return;
    const keyName = key.type === 'Identifier' ? key.name : undefined;
    if (keyName !== undefined && isKeyOfLoop(keyName, node) && once(owner, `${target} ${keyName}`, () => recurses(owner, target, keyName))) {
        return report(node, `a deep copy takes any key: with "__proto__" it changes the prototype of all objects`, 'warning');
    }
    owner.told ??= new Set();
    if (owner.told.has(target) || !once(owner, target, () => stepsInto(owner, target))) return;
    owner.told.add(target);
    report(node, 'a path of keys is followed and set without a look at them: with "__proto__" it changes the prototype of all objects', 'warning');
}

/** Things asked of one function: each is a walk through all of it. */
const ASKED_MAX = 50;

/** The answer to a question about a function, found out once. What is asked too often is not found. */
function once(owner, question, answer) {
    owner.answers ??= new Map();
    if (!owner.answers.has(question)) owner.answers.set(question, owner.answers.size < ASKED_MAX && answer());
    return owner.answers.get(question);
}

/** Whether a function has a look at the names that matter, or asks for own properties of what it writes to. */
function isGuarded(owner) {
    if (owner.guarded !== undefined) return owner.guarded;
    let found = false;
    walk(owner, (node) => {
        if (node.type === 'Literal' && GUARDS.has(node.value)) found = true;
        else if (node.type === 'Identifier' && /^(?:hasOwn|hasOwnProperty|is\w*(?:Proto|Unsafe|Safe|Polluted)\w*|safeKey|isPlainObject)$/.test(node.name)) found = true;
        else if (node.type === 'CallExpression' && isMember(node.callee, 'Object', 'create') && node.arguments[0]?.value === null) found = true;
        return !found;
    });
    owner.guarded = found;
    return found;
}

/** Whether the name is the variable of a loop over the keys of something. */
function isKeyOfLoop(name, node) {
    for (let at = node.parent; at !== null; at = at.parent) {
        if (at.type === 'ForInStatement' && declares(at.left, name)) return true;
        if (at.type === 'ForOfStatement' && declares(at.left, name) && isKeysCall(at.right)) return true;
        if (isFunction(at)) {
            const call = at.parent;
            return call?.type === 'CallExpression' && isMember(call.callee, undefined, 'forEach') && isKeysCall(call.callee.object) && at.params[0]?.name === name;
        }
    }
    return false;
}

const declares = (left, name) => left.type === 'Identifier' ? left.name === name : left.type === 'VariableDeclaration' && left.declarations[0].id.name === name;
const isKeysCall = (node) => node?.type === 'CallExpression' && node.callee.type === 'MemberExpression' && ['keys', 'entries', 'getOwnPropertyNames', 'ownKeys'].includes(propertyName(node.callee));

/** Whether the function calls itself with `target[key]` or assigns what its own call gives. */
function recurses(owner, target, keyName) {
    let function_ = owner;
    if (owner.id === null || owner.id === undefined) {
        const parent = owner.parent;
        if (parent?.type === 'CallExpression' && isMember(parent.callee, undefined, 'forEach')) {
            for (function_ = parent.parent; function_ !== null && !isFunction(function_);) function_ = function_.parent;
        }
    }
    if (function_ === null) return false;
    const names = [function_.id?.name, function_.parent?.type === 'VariableDeclarator' ? function_.parent.id.name : undefined,
        function_.parent?.type === 'AssignmentExpression' && function_.parent.left.type === 'MemberExpression' ? propertyName(function_.parent.left) : undefined,
        function_.parent?.type === 'Property' || function_.parent?.type === 'MethodDefinition' ? propertyName(function_.parent) : undefined];
    let found = false;
    walk(function_.body, (node) => {
        if (node.type !== 'CallExpression') return !found;
        const name = node.callee.type === 'Identifier' ? node.callee.name : node.callee.type === 'MemberExpression' ? propertyName(node.callee) : undefined;
        if (name === undefined || !names.includes(name)) return !found;
        found ||= node.arguments.some((argument) => argument.type === 'MemberExpression' && argument.computed && argument.object.type === 'Identifier' && argument.object.name === target
            && argument.property.type === 'Identifier' && argument.property.name === keyName);
        return !found;
    });
    return found;
}

/** Names of keys that are numbers, or one name all the time. */
const NUMBERS = /^(?:[ijn]|next|parent|prev|left|right)$|(?:idx|index|code|char|byte|pos|offset|depth|level|num)$/i;

/** Whether a loop of the function goes on from `target` to one of its properties by a key that it does not know: `target = target[key]`. */
function stepsInto(owner, target) {
    let found = false;
    walk(owner.body, (node) => {
        if (node.type !== 'AssignmentExpression' || node.operator !== '=' || node.left.type !== 'Identifier' || node.left.name !== target) return !found;
        let value = node.right;
        // `o = o[k] = o[k] || {}`
        while (value.type === 'AssignmentExpression') value = value.left;
        if (value.type === 'LogicalExpression') value = value.left;
        if (value.type !== 'MemberExpression' || !value.computed || value.object.type !== 'Identifier' || value.object.name !== target) return !found;
        const key = value.property;
        // A list that is walked by numbers is no path, nor is a chain of links of one name.
        found ||= isInLoop(node, owner) && !isSymbol(key) && (key.type === 'MemberExpression' || key.type === 'CallExpression' || (key.type === 'Identifier' && !NUMBERS.test(key.name) && !/^[A-Z_0-9]+$/.test(key.name)));
        return !found;
    });
    return found;
}

function isInLoop(node, owner) {
    for (let at = node.parent; at !== owner && at !== null; at = at.parent) if (LOOPS.has(at.type)) return true;
    return false;
}

/** `function (o, p) { o.__proto__ = p; }`, which compilers put in for engines without Object.setPrototypeOf. */
function isHelper(assignment) {
    let owner = assignment.parent;
    while (owner !== null && !isFunction(owner)) owner = owner.parent;
    const has = (node) => node.type === 'Identifier' && owner.params.some((parameter) => parameter.name === node.name);
    return owner !== null && owner.params.length === 2 && has(assignment.left.object) && has(assignment.right);
}

rule('no-proto', 'warning', '`__proto__` reads and writes the prototype of an object', {
    MemberExpression(node) {
        if (propertyName(node) !== '__proto__') return;
        // What is set behind it is told of as prototype pollution.
        const parent = node.parent;
        if (parent.type === 'MemberExpression' && parent.object === node && parent.parent.type === 'AssignmentExpression' && parent.parent.left === parent) return;
        if (parent.type === 'AssignmentExpression' && parent.left === node && !isHelper(parent)) report(node, '`__proto__` is set: use Object.create');
        else report(node, '`__proto__` is read: use Object.getPrototypeOf', 'note');
    },
});

rule('no-caller', 'warning', '`caller` and `callee` reach the functions of others', {
    MemberExpression(node) {
        const name = propertyName(node);
        if (name === 'callee' && node.object.type === 'Identifier' && node.object.name === 'arguments') report(node, 'arguments.callee reaches the function that runs');
        else if (name === 'caller' && (node.object.type === 'Identifier' && node.object.name === 'arguments' || isFunctionValue(node.object) || isMember(node.object, undefined, 'callee'))) report(node, '`caller` reaches the function that called');
    },
});

// ---- Loops ----

const LOOPS = new Set(['WhileStatement', 'DoWhileStatement', 'ForStatement', 'ForInStatement', 'ForOfStatement']);

/** Whether a condition always holds. Undefined: there is none, which is the same for `for`. */
function isAlways(test) {
    if (test === null) return true;
    if (test.type === 'Literal') return Boolean(test.value) || test.regex !== undefined;
    if (test.type === 'UnaryExpression' && test.operator === '!' && test.argument.type === 'Literal') return !test.argument.value && test.argument.regex === undefined;
    return ['ArrayExpression', 'ObjectExpression', 'ArrowFunctionExpression', 'FunctionExpression'].includes(test.type);
}

/** Whether anything in it can end the loop, or lets others run meanwhile. */
function ends(loop) {
    let found = false;
    const labels = [];
    for (let at = loop.parent; at?.type === 'LabeledStatement'; at = at.parent) labels.push(at.label.name);
    const go = (node, breakable) => {
        if (found || node === null) return;
        switch (node.type) {
            case 'ReturnStatement': case 'ThrowStatement': case 'YieldExpression': case 'AwaitExpression': found = true; return;
            case 'BreakStatement':
                if (node.label === null ? !breakable : labels.includes(node.label.name) || !isWithin(node, loop, node.label.name)) found = true;
                return;
            case 'ContinueStatement': if (node.label !== null && !labels.includes(node.label.name) && !isWithin(node, loop, node.label.name)) found = true; return;
            case 'ForOfStatement': if (node.await) { found = true; return; } break;
            case 'CallExpression': if (isMember(node.callee, 'process', 'exit') || isMember(node.callee, 'process', 'abort') || isMember(node.callee, 'Deno', 'exit')) { found = true; return; } break;
            case 'FunctionDeclaration': case 'FunctionExpression': case 'ArrowFunctionExpression': case 'ClassDeclaration': case 'ClassExpression': return;
        }
        const inner = breakable || LOOPS.has(node.type) || node.type === 'SwitchStatement';
        eachChild(node, (child) => go(child, inner));
    };
    go(loop.body, false);
    if (loop.update) go(loop.update, true);
    if (loop.test) go(loop.test, true);
    return found;
}

/** Whether a label is inside of the loop. */
function isWithin(node, loop, label) {
    for (let at = node.parent; at !== loop && at !== null; at = at.parent) if (at.type === 'LabeledStatement' && at.label.name === label) return true;
    return false;
}

const unbounded = (node) => { if (isAlways(node.test) && !ends(node)) report(node, 'this loop has no end: nothing in it breaks, returns, throws or waits'); };

rule('unbounded-loop', 'warning', 'a loop that nothing ends', {
    WhileStatement(node) {
        if (node.body.type === 'EmptyStatement' && ['Identifier', 'Literal'].includes(node.test.type)) return report(node, 'this loop waits for what cannot change while it runs');
        unbounded(node);
    },
    DoWhileStatement: unbounded,
    ForStatement(node) {
        unbounded(node);
        const { test, update } = node;
        if (test?.type !== 'BinaryExpression' || test.left.type !== 'Identifier' || update?.type !== 'UpdateExpression' || update.argument.name !== test.left.name) return;
        const isUp = update.operator === '++';
        if (['<', '<='].includes(test.operator) && !isUp || ['>', '>='].includes(test.operator) && isUp) report(node, `this loop counts away from its end: ${test.left.name} goes ${isUp ? 'up' : 'down'}`);
    },
});
