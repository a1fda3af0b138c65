// ---- Secrets ----

/** What is a secret by its form alone. */
const SECRETS = [
    ['a private key', /-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----[\s\\nr]*[A-Za-z0-9+/=]{16}/],
    ['an AWS access key id', /\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b/],
    ['a GitHub token', /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59})\b/],
    ['a GitLab token', /\bgl(?:pat|ptt|dt|rt)-[A-Za-z0-9_-]{20,}/],
    ['a Slack token', /\bxox[abeoprs]-(?:\d{6,20}-){1,3}[A-Za-z0-9]{16,}/],
    ['a Slack web hook', /https:\/\/hooks\.slack\.com\/services\/T[A-Z0-9]{6,}\/B[A-Z0-9]{6,}\/[A-Za-z0-9]{20,}/],
    ['a Stripe key', /\b[rs]k_live_[A-Za-z0-9]{20,}/],
    ['a Google API key', /\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])/],
    ['a Google OAuth secret', /\bGOCSPX-[A-Za-z0-9_-]{28}/],
    ['an npm token', /\bnpm_[A-Za-z0-9]{36}\b/],
    ['a PyPI token', /\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}/],
    ['a SendGrid key', /\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}/],
    ['a Twilio key', /\bSK[0-9a-f]{32}\b/],
    ['a DigitalOcean token', /\bdo[opr]_v1_[0-9a-f]{64}\b/],
    ['an Anthropic key', /\bsk-ant-[A-Za-z0-9_-]{32,}/],
    ['an OpenAI key', /\bsk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{20,}T3BlbkFJ[A-Za-z0-9_-]{20,}/],
    ['a Shopify token', /\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b/],
    ['an Azure storage key', /AccountKey=[A-Za-z0-9+/]{86}==/],
    ['a JSON web token', /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}/],
    ['a password in a URL', /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s:/?#@'"`${}<>]{1,100}:([^\s:/?#@'"`${}<>]{3,200})@[^\s/?#@'"`${}<>]/i],
];
const SECRET_NAME = /(?:^|[_\-.]|(?<=[a-z0-9]))(?:pass(?:word|wd|phrase)|pwd|secret|(?:api|access|private|secret|encryption|signing|auth|master|session)[_-]?key|(?:access|auth|api|bearer|refresh|secret|session)[_-]?token|credentials?|client[_-]?secret)s?$/i;
/** Values that stand for a secret, and are none. */
const PLACEHOLDER = /^(?:[xX*.\-_?#0]+|<.*>|\$?\{.*\}|%.*%|.*(?:example|placeholder|change[_ -]?me|your[_ -]|dummy|sample|redacted|insert[_ -]|todo|fixme|foobar|lorem|undefined|not[_ -]?set|replace).*|(?:test|secret|password|passw0rd|token|key|none|null|true|false|admin|root|user|guest|default)\d*)$/i;

/** Bits a character, by Shannon. */
function entropy(text) {
    const counts = new Map();
    for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
    let bits = 0;
    for (const count of counts.values()) bits -= count / text.length * Math.log2(count / text.length);
    return bits;
}

/** Enough of a secret to find it by, and no more. */
const redacted = (text) => `${text.slice(0, Math.min(4, text.length >> 2)).replace(/[^\x21-\x7E]/g, '.')}… (${text.length} characters)`;

/** Whether a value that is called a secret looks like one: no sentence, path, name of something or template. */
function looksSecret(text) {
    if (text.length < 8 || text.length > 512 || PLACEHOLDER.test(text) || /\s/.test(text) || /^(?:https?:|\/|\.\/|[a-z]+:\/\/)/i.test(text)) return false;
    // Words with dots, dashes or capitals between them are names: "user.password.reset", "accessTokenExpired".
    if (/^[A-Za-z]+(?:[._\-:/ ][A-Za-z]+)*$/.test(text) && entropy(text) < 4) return false;
    const kinds = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^A-Za-z0-9]/].filter((kind) => kind.test(text)).length;
    // Twice the same word, as people make passwords longer, has a bit less.
    return entropy(text) >= (kinds >= 3 || (kinds === 2 && text.length >= 12 && /[0-9]/.test(text)) ? 2.5 : 3) && (kinds >= 2 || text.length >= 20);
}

function nameOfValue(node) {
    const parent = node.parent;
    switch (parent.type) {
        case 'VariableDeclarator': return parent.init === node && parent.id.type === 'Identifier' ? parent.id.name : undefined;
        case 'AssignmentExpression':
            if (parent.right !== node) return undefined;
            return parent.left.type === 'MemberExpression' ? propertyName(parent.left) : parent.left.name;
        case 'Property': case 'PropertyDefinition': return parent.value === node && parent.key !== undefined ? propertyName(parent) : undefined;
        case 'AssignmentPattern': return parent.right === node ? parent.left.name : undefined;
        // `process.env.SECRET || 'fallback'`
        case 'LogicalExpression': return parent.right === node ? nameOfValue(parent) ?? (parent.left.type === 'MemberExpression' ? propertyName(parent.left) : parent.left.name) : undefined;
        default: return undefined;
    }
}

function secret(node, text) {
    if (text.length < 8) return;
    for (const [what, pattern] of SECRETS) {
        const match = pattern.exec(text);
        if (match === null || PLACEHOLDER.test(match[1] ?? match[0])) continue;
        return report(node, `${what} stands in the source: ${redacted(match[1] ?? match[0])}`);
    }
    const name = nameOfValue(node);
    if (name !== undefined && SECRET_NAME.test(name) && looksSecret(text)) report(node, `what is called ${shown(name)} stands in the source: ${redacted(text)}`, 'warning');
}

rule('hardcoded-secret', 'error', 'a key, token or password stands in the source', {
    Literal(node) { if (typeof node.value === 'string') secret(node, node.value); },
    TemplateElement(node) { secret(node, node.value.cooked ?? ''); },
});

// ---- Obfuscation ----

const HEX_NAME = /^_0x[0-9a-f]{3,}$/i;
/** Of each of them in a file, before it is said. */
const HEX_NAMES_MIN = 12;
const ESCAPED_MIN = 40;
const CODES_MIN = 24;
let seen;

/** Whether a literal is written with escapes for characters that need none. */
function isEscaped(raw) {
    const escapes = raw.match(/\\x[2-7][0-9a-f]|\\u00[2-7][0-9a-f]/gi);
    return escapes !== null && escapes.length >= 4 && escapes.length * 4 > raw.length / 2;
}

const isCodes = (list) => list.length >= CODES_MIN && list.every((item) => item?.type === 'Literal' && Number.isInteger(item.value) && item.value >= 9 && item.value < 127);

/** `Function('return this')`-like code that is packed by Dean Edwards' packer, whose parameters nobody else has. */
const isPacker = (node) => node.params.length >= 4 && ['p', 'a', 'c', 'k'].every((name, index) => node.params[index].name === name);

/** What is decoded and run at once. */
function decoded(node) {
    if (globalName(node.callee) !== 'eval' && !makesFunctions(node.callee)) return;
    const inner = plain(node.arguments[node.arguments.length - 1]);
    if (inner?.type !== 'CallExpression') return;
    const isBuffer = isMember(inner.callee, undefined, 'toString') && inner.callee.object.type === 'CallExpression' && isMember(inner.callee.object.callee, 'Buffer', 'from');
    if (isBuffer || ['atob', 'unescape', 'decodeURIComponent'].includes(globalName(inner.callee)) || isMember(inner.callee, 'String', 'fromCharCode')) {
        report(node, 'code is decoded from text and run at once', 'error');
    }
}

function packer(node) { if (isPacker(node)) report(node, 'this is packed: code that unpacks other code from text'); }

rule('obfuscated-code', 'warning', 'the code is written so that nobody can read it', {
    Identifier(node) {
        if (!HEX_NAME.test(node.name)) return;
        seen.hexNames.add(node.name);
        if (seen.hexNames.size === HEX_NAMES_MIN) report(node, `names such as ${shown(node.name)} hide what the code does`);
    },
    Literal(node) {
        if (typeof node.value !== 'string') return;
        if (isEscaped(node.raw) && ++seen.escaped === ESCAPED_MIN) report(node, `${ESCAPED_MIN} texts and more are written in escapes that they do not need`);
        else if (node.raw.length > 512 && isEscaped(node.raw) && !seen.isLongTold) {
            seen.isLongTold = true;
            report(node, 'a long text is written in escapes that it does not need');
        }
    },
    CallExpression(node) {
        if (isMember(node.callee, 'String', 'fromCharCode') && isCodes(node.arguments)) report(node, 'a text is written as the numbers of its characters');
        decoded(node);
    },
    NewExpression: decoded,
    FunctionExpression: packer,
    ArrowFunctionExpression: packer,
    ArrayExpression(node) {
        if (isCodes(node.elements) && node.parent.type === 'SpreadElement' && isMember(node.parent.parent.callee, 'String', 'fromCharCode')) report(node, 'a text is written as the numbers of its characters');
    },
    // `[][(![]+[])[+[]]…`: all of a program in six characters.
    UnaryExpression(node) {
        if (node.argument.type !== 'ArrayExpression' || node.argument.elements.length > 0 || !['+', '!'].includes(node.operator)) return;
        if (++seen.brackets === ESCAPED_MIN) report(node, 'values are made of brackets and signs alone');
    },
});

// ---- Names that look like others ----

/** Letters that are not Latin and look as if they were. <https://www.unicode.org/reports/tr39/#Confusable_Detection> */
const CONFUSABLE = /^[аеорсухіјѕԁһӏԛԝАВЕКМНОРСТХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧοναιρυѵᴀ-ᴢꭰ-ꮿ]+$/u;
const SCRIPTS = [['Latin', /\p{Script=Latin}/u], ['Cyrillic', /\p{Script=Cyrillic}/u], ['Greek', /\p{Script=Greek}/u], ['Armenian', /\p{Script=Armenian}/u], ['Cherokee', /\p{Script=Cherokee}/u],
    ['Lisu', /\p{Script=Lisu}/u], ['Coptic', /\p{Script=Coptic}/u]];
/** Letters of mathematics and full width: other forms of Latin ones. */
const FORMS = /[\u{1D400}-\u{1D7FF}\uFF21-\uFF3A\uFF41-\uFF5A\u2100-\u214F]/u;
/** Letters that show nothing: they are valid in names all the same. */
const BLANK = /[\u115F\u1160\u17B4\u17B5\u3164\uFFA0\u200C\u200D]/u;

function look(node) {
    const name = node.name;
    if (/^[\x00-\x7F]*$/.test(name) || seen.names.has(name)) return;
    seen.names.add(name);
    if (BLANK.test(name)) return report(node, `the name ${shown(name)} has letters that show nothing`);
    const scripts = SCRIPTS.filter(([, pattern]) => pattern.test(name)).map(([script]) => script);
    if (scripts.length > 1 && scripts[0] === 'Latin' && !isMathematics(name)) report(node, `the name ${shown(name)} mixes ${scripts.join(' and ')} letters, which look alike`);
    else if (CONFUSABLE.test(name) && name.length > 1) report(node, `the name ${shown(name)} looks like a Latin one, and is none`, 'warning');
    else if (FORMS.test(name)) report(node, `the name ${shown(name)} has other forms of Latin letters`, 'warning');
}

/** Greek letters that look like no Latin ones stand for quantities: `Δx`, `maxθ`. */
const isMathematics = (name) => [...name].every((letter) => /[\x00-\x7F]/.test(letter) || /[ΓΔΘΛΞΠΣΦΨΩβγδεζηθλμξπστφχψω]/u.test(letter));

rule('homoglyph', 'error', 'a name is written with letters that look like others', { Identifier: look, PrivateIdentifier: look });

function beginText() {
    seen = { hexNames: new Set(), escaped: 0, isLongTold: false, brackets: 0, names: new Set(), isTooFar: false };
}
