'use strict';
// @ts-check
// util.parseArgs: https://nodejs.org/api/util.html#utilparseargsconfig

const {
    ArrayIsArray, ArrayPrototypePush, ArrayPrototypeSlice, ObjectCreate, ObjectDefineProperty, ObjectKeys, ObjectPrototypeHasOwnProperty,
    StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeStartsWith, TypeError,
} = primordials;
const { coded, invalidType, invalidValue, requireBoolean, requireObject, requireString } = internal.load('node_errors');
const { process } = internal.globals;

const own = (object, name) => (ObjectPrototypeHasOwnProperty(object, name) ? object[name] : undefined);

/** Any argument that follows is a value; what looks like an option is refused where `strict`. */
const isValue = (arg) => arg !== undefined && arg !== null;

/** The long name of an option that is written "-x". */
function longName(short, options) {
    const names = ObjectKeys(options);
    for (let i = 0; i < names.length; i++) if (options[names[i]].short === short) return names[i];
    return short;
}

const typeOf = (name, options) => own(options, name)?.type;

/** What each argument is, in order. */
function tokenize(args, options) {
    const tokens = [];
    const queue = []; // parts of a group of short options, before what is left
    let index = -1;
    let at = 0;
    let groupCount = 0;
    const next = () => (queue.length > 0 ? queue[0] : args[at]);
    const take = () => {
        if (queue.length === 0) return args[at++];
        const arg = queue[0];
        for (let i = 1; i < queue.length; i++) queue[i - 1] = queue[i];
        queue.length--;
        return arg;
    };
    /** An option whose value, if it takes one, is the next argument. */
    const takeOption = (name, rawName) => {
        let value;
        let inlineValue;
        if (typeOf(name, options) === 'string' && isValue(next())) {
            value = take();
            inlineValue = false;
        }
        ArrayPrototypePush(tokens, { kind: 'option', name, rawName, index, value, inlineValue });
        if (value !== undefined) index++;
    };
    while (queue.length > 0 || at < args.length) {
        const arg = take();
        if (groupCount > 0) groupCount--; else index++;
        if (arg === '--') {
            ArrayPrototypePush(tokens, { kind: 'option-terminator', index });
            while (queue.length > 0 || at < args.length) ArrayPrototypePush(tokens, { kind: 'positional', index: ++index, value: take() });
            break;
        }
        if (arg.length === 2 && arg[0] === '-' && arg[1] !== '-') { // -x
            takeOption(longName(arg[1], options), arg);
        } else if (arg.length > 2 && arg[0] === '-' && arg[1] !== '-') { // -xyz, -xvalue
            const first = longName(arg[1], options);
            if (typeOf(first, options) === 'string') {
                const value = StringPrototypeSlice(arg, 2);
                ArrayPrototypePush(tokens, { kind: 'option', name: first, rawName: `-${arg[1]}`, index, value, inlineValue: true });
                continue;
            }
            const parts = [];
            for (let i = 1; i < arg.length; i++) {
                const name = longName(arg[i], options);
                if (typeOf(name, options) !== 'string' || i === arg.length - 1) {
                    ArrayPrototypePush(parts, `-${arg[i]}`);
                } else {
                    ArrayPrototypePush(parts, `-${StringPrototypeSlice(arg, i)}`);
                    break;
                }
            }
            for (let i = 0; i < queue.length; i++) ArrayPrototypePush(parts, queue[i]);
            queue.length = 0;
            for (let i = 0; i < parts.length; i++) ArrayPrototypePush(queue, parts[i]);
            groupCount = parts.length;
        } else if (arg.length > 2 && StringPrototypeStartsWith(arg, '--')) {
            const equals = StringPrototypeIndexOf(arg, '=');
            if (equals > 2) {
                const name = StringPrototypeSlice(arg, 2, equals);
                ArrayPrototypePush(tokens, { kind: 'option', name, rawName: `--${name}`, index, value: StringPrototypeSlice(arg, equals + 1), inlineValue: true });
                continue;
            }
            takeOption(StringPrototypeSlice(arg, 2), arg);
        } else {
            ArrayPrototypePush(tokens, { kind: 'positional', index, value: arg });
        }
    }
    return tokens;
}

function shown(name, options) {
    const { short, type } = options[name];
    return `${short ? `-${short}, ` : ''}--${name}${type === 'string' ? ' <value>' : ''}`;
}

function refuseUnknown(token, config) {
    const hint = config.allowPositionals ? `. To specify a positional argument starting with a '-', place it at the end of the command after '--', as in '-- "${token.rawName}"` : '';
    return coded(TypeError, 'ERR_PARSE_ARGS_UNKNOWN_OPTION', `Unknown option '${token.rawName}'${hint}`);
}

/** Strictly: known options only, with a value where one is due. */
function check(token, config) {
    const { options } = config;
    let { name } = token;
    if (own(options, name) === undefined) {
        if (config.allowNegative && StringPrototypeStartsWith(name, 'no-')) name = StringPrototypeSlice(name, 3);
        if (own(options, name) === undefined || (name !== token.name && options[name].type !== 'boolean')) throw refuseUnknown(token, config);
    }
    const label = shown(name, options);
    const { type } = options[name];
    if (type === 'string' && typeof token.value !== 'string') {
        throw coded(TypeError, 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE', `Option '${label}' argument missing`);
    }
    if (type === 'boolean' && token.value !== undefined) {
        throw coded(TypeError, 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE', `Option '${label}' does not take an argument`);
    }
    if (token.inlineValue === false && token.value.length > 1 && token.value[0] === '-') {
        const example = StringPrototypeStartsWith(token.rawName, '--') ? `'${token.rawName}=-XYZ'` : `'--${token.name}=-XYZ' or '${token.rawName}-XYZ'`;
        throw coded(
            TypeError, 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE',
            `Option '${token.rawName}' argument is ambiguous.\nDid you forget to specify the option argument for '${token.rawName}'?\n` +
            `To specify an option argument starting with a dash use ${example}.`);
    }
}

function store(values, name, value, options) {
    if (name === '__proto__') return;
    const option = own(options, name);
    if (option?.multiple) {
        if (values[name] === undefined) values[name] = [];
        ArrayPrototypePush(values[name], value);
    } else {
        values[name] = value;
    }
}

function requireDefault(name, option) {
    const label = `options.${name}.default`;
    const value = option.default;
    if (option.multiple) {
        if (!ArrayIsArray(value)) throw invalidType(label, 'an instance of Array', value);
        for (let i = 0; i < value.length; i++) {
            if (option.type === 'string') requireString(value[i], `${label}[${i}]`); else requireBoolean(value[i], `${label}[${i}]`);
        }
    } else if (option.type === 'string') {
        requireString(value, label);
    } else {
        requireBoolean(value, label);
    }
}

function requireOptions(options) {
    const names = ObjectKeys(options);
    for (let i = 0; i < names.length; i++) {
        const name = names[i];
        const option = options[name];
        requireObject(option, `options.${name}`);
        if (option.type !== 'string' && option.type !== 'boolean') {
            throw invalidType(`options.${name}.type`, "('string|boolean')", option.type);
        }
        if (ObjectPrototypeHasOwnProperty(option, 'short')) {
            requireString(option.short, `options.${name}.short`);
            if (option.short.length !== 1) throw invalidValue(`options.${name}.short`, option.short, 'must be a single character');
        }
        if (ObjectPrototypeHasOwnProperty(option, 'multiple')) requireBoolean(option.multiple, `options.${name}.multiple`);
        if (option.default !== undefined) requireDefault(name, option);
    }
}

/** What belongs to the program: what follows the entry in process.argv. */
const programArguments = () => ArrayPrototypeSlice(process.argv, 2);

return function parseArgs(config = ObjectCreate(null)) {
    requireObject(config, 'config');
    const args = own(config, 'args') ?? programArguments();
    const strict = own(config, 'strict') ?? true;
    const allowPositionals = own(config, 'allowPositionals') ?? !strict;
    const returnTokens = own(config, 'tokens') ?? false;
    const allowNegative = own(config, 'allowNegative') ?? false;
    const options = own(config, 'options') ?? ObjectCreate(null);
    if (!ArrayIsArray(args)) throw invalidType('args', 'an instance of Array', args);
    requireBoolean(strict, 'strict');
    requireBoolean(allowPositionals, 'allowPositionals');
    requireBoolean(returnTokens, 'tokens');
    requireBoolean(allowNegative, 'allowNegative');
    requireObject(options, 'options');
    requireOptions(options);

    const tokens = tokenize(args, options);
    const result = { values: ObjectCreate(null), positionals: [] };
    if (returnTokens) result.tokens = tokens;
    for (let i = 0; i < tokens.length; i++) {
        const token = tokens[i];
        if (token.kind === 'option') {
            if (strict) check(token, { options, allowPositionals, allowNegative });
            let value = token.value ?? true;
            if (allowNegative && token.value === undefined && StringPrototypeStartsWith(token.name, 'no-')) {
                token.name = StringPrototypeSlice(token.name, 3);
                value = false;
            }
            store(result.values, token.name, value, options);
        } else if (token.kind === 'positional') {
            if (!allowPositionals) {
                throw coded(
                    TypeError, 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL', `Unexpected argument '${token.value}'. This command does not take positional arguments`);
            }
            ArrayPrototypePush(result.positionals, token.value);
        }
    }
    const names = ObjectKeys(options);
    for (let i = 0; i < names.length; i++) {
        const option = options[names[i]];
        if (option.default !== undefined && result.values[names[i]] === undefined && names[i] !== '__proto__') {
            ObjectDefineProperty(result.values, names[i], { __proto__: null, value: option.default, writable: true, enumerable: true, configurable: true });
        }
    }
    return result;
};
