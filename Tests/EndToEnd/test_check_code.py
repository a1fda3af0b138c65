"""`sidelight check code`: what is found, what is not, and in which form it is told."""

import json
import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLES = HERE.parent.parent / "examples"

# Rule → sources in which it finds something, sources in which it finds nothing.
RULES = {
    "no-eval": (
        [
            "eval('1')", "(0, eval)('1')", "globalThis.eval(x)", "window['ev' + 'al'](x)", "const g = globalThis; g[`eval`](x)", "const { eval: e } = globalThis; e(x)",
            "const f = eval; f(x)", "setTimeout(eval, 1, 'x')", "eval.call(null, x)", "globalThis?.eval?.(x)", "self.self.eval(x)", "let e; ({ eval: e } = globalThis)", "Reflect.get(globalThis, 'eval')(x)", "Object.getOwnPropertyDescriptor(globalThis, 'eval').value(x)", "new Map([['a', eval]])",
            "const { ['ev' + 'al']: z } = this ?? globalThis; z(x)", "const { globalThis: { eval: z } } = globalThis", "(({ eval: z }) => z(x))(globalThis)", "const [{ eval: z }] = [self]",
            "const root = typeof window === 'undefined' ? globalThis : window; root.eval(x)",
        ],
        ["const { eval: e } = redis", "Reflect.get(target, 'eval')", "typeof eval", "function f(eval_) { eval_(1); }", "const eval2 = () => {}; eval2()", "x.eval('1')", "redis.eval(script)", "if (eval === f) g()", "class A { eval() {} }", "({ eval: 1 })"],
    ),
    "no-function-constructor": (
        [
            "new Function('a')", "Function('return this')()", "(function () {}).constructor('x')", "(() => {}).constructor('x')()", "[].constructor.constructor('x')()",
            "Object.getPrototypeOf(async function () {}).constructor('x')", "const A = Object.getPrototypeOf(function* () {}).constructor; new A('x')", "Reflect.construct(Function, ['x'])",
            "Function.apply(null, ['x'])", "const F = Function", "globalThis['Func' + 'tion']('x')", "new (class {}).constructor('x')", "String.constructor('x')", "Function.prototype.constructor('x')",
            "''.constructor.constructor('return process')()", "Function.bind(null, 'x')()", "const { Function: F } = globalThis; new F('x')", "Reflect.get(globalThis, 'Function')('x')", "async () => {}; (async () => {}).__proto__.constructor('x')",
            "class A extends Function {}", "const A = class extends (() => {}).constructor {}", "const { constructor: F } = () => {}; F('x')", "const { constructor: { constructor: F } } = ''",
            "const { a: { constructor: F } } = { a() {} }", "(({ constructor: F }) => F('x')())(f)", "function g({ constructor: F }) { return new F('x'); }", "const g = ({ constructor: F } = () => {}) => F",
            "console.log.constructor('x')()", "fetch.constructor('x')", "[].map.constructor('x')", "x.constructor(text)()", "new x.constructor(text)()",
            "Reflect.construct(Reflect.get(() => {}, 'constructor'), ['x'])", "function late() { F('x'); } const { constructor: F } = f",
            "const { constructor: C } = Object.getPrototypeOf(async () => {}); C('x')", "(({ constructor: C } = () => {}) => C('x'))()",
        ],
        ["f instanceof Function", "Function.prototype.call.call(f)", "this.constructor('x')", "new this.constructor(1)", "a.constructor.name", "x.constructor === Object", "class Function2 {}",
         "typeof x === 'function'", "function f(Function) { return new Function(); }", "is(value, Function)", "Function[Symbol.hasInstance]",
         "const { constructor } = this; new constructor(1)", "const { constructor: { name } } = a", "const { constructor } = a; constructor.name", "function f({ constructor }) { return constructor === Object; }",
         "class A extends B {}", "new module.constructor(name)", "class A { constructor() {} }", "({ constructor: f })", "const { constructor: C } = this; new C()"],
    ),
    "no-implied-eval": (
        ["setTimeout('f()', 1)", "setInterval(`f(${x})`, 1)", "const c = 'f' + x; setTimeout(c)", "globalThis.setTimeout('x')"],
        ["setTimeout(f, 1)", "setTimeout(() => 'x', 1)", "x.setTimeout('a')", "function t(setTimeout) { setTimeout('x'); }", "setTimeout(name, 1)"],
    ),
    "dynamic-import": (["import(name)", "import('./' + name)", "require(name)"], ["import('./a.js')", "const p = './a' + '.js'; import(p)", "import('./a.json', { with: { type: 'json' } })", "require('x')"]),
    "dynamic-property-call": (["globalThis[name](1)", "process[k]()", "Reflect[k](a)", "global[x]"], ["globalThis['fetch'](1)", "const k = Symbol.for('x'); globalThis[k]", "object[name](1)", "process['env']"]),
    "no-with": (["with (a) b()"], ["const w = { with: 1 }"]),
    "forbidden-global": (["process.binding('fs')", "process.dlopen(m, 'x')", "Error.prepareStackTrace = (e, s) => s"], ["Error.prepareStackTrace = before", "process.env.A", "typeof process.binding"]),
    "forbidden-import": (
        ["import 'child_process'", "import cp from 'node:child_process'", "require('vm')", "import('node:vm')", "export * from 'inspector'", "import 'data:text/javascript,1'", "import x from 'https://x.test/a.js'",
         "import a from 'child_process' with { type: 'x' }"],
        ["import 'node:util'", "import './child_process.js'", "import { AsyncLocalStorage } from 'node:async_hooks'"],
    ),
    "prototype-pollution": (
        [
            "Object.prototype.x = 1", "Array.prototype.last = f", "a.__proto__.x = 1", "a['__proto__']['x'] = 1", "a.constructor.prototype.x = 1", "Object.defineProperty(Object.prototype, 'x', {})",
            "Object.assign(Object.prototype, x)", "Object.getPrototypeOf({}).x = 1", "Reflect.set(Array.prototype, 'x', 1)", "const p = Object.prototype; p.x = 1",
            "function merge(a, b) { for (const k in b) { if (typeof b[k] === 'object') merge(a[k], b[k]); else a[k] = b[k]; } }",
            "const merge = (a, b) => { Object.keys(b).forEach((k) => { if (isObject(b[k])) merge(a[k], b[k]); else a[k] = b[k]; }); }",
            "function set(o, p, v) { const k = p.split('.'); while (k.length > 1) o = o[k.shift()]; o[k[0]] = v; }",
            "function set(o, p, v) { for (const k of p) { o = o[k]; } o[last] = v; }",
        ],
        [
            "MyClass.prototype.x = f", "Foo.prototype = Object.create(Bar.prototype)", "const a = Object.create(null); a.x = 1",
            "function merge(a, b) { for (const k in b) { if (k === '__proto__') continue; if (o(b[k])) merge(a[k], b[k]); else a[k] = b[k]; } }",
            "function copy(a, b) { for (const k in b) a[k] = b[k]; }", "for (const k of list) counts[k] = 1", "while (n) { n = n[next]; } n[i] = 1", "const o = { __proto__: null }",
            "function f(node, i) { while (i) { node = node[i]; } node[i] = 1; }",
        ],
    ),
    "no-proto": (["a.__proto__ = b", "a['__proto__'] = b", "x = a.__proto__"], ["({ __proto__: null })", "Object.getPrototypeOf(a)"]),
    "no-caller": (["function f() { arguments.callee(); }", "function f() { return f.caller; } function g() { return g.caller; }", "arguments.callee.caller"], ["x.caller", "options.callee"]),
    "unbounded-loop": (
        ["while (true) {}", "for (;;) f()", "do { f(); } while (1)", "while (!0) { while (x) { break; } }", "while (true) { switch (x) { case 1: break; } }", "for (let i = 0; i < 9; i--) f()",
         "while (flag);", "while (true) { const f = () => { return 1; }; }", "while ([]) {}"],
        ["while (true) { if (x) break; }", "for (;;) { await x; }", "function* g() { for (;;) yield 1; }", "a: while (true) { for (;;) { break a; } }", "while (true) { throw x; }",
         "function f() { for (;;) { return; } }", "for (let i = 9; i > 0; i--) f()", "while (next()) ;", "while (true) process.exit(0)", "while (true) { for await (const x of y) f(x); }"],
    ),
    "hardcoded-secret": (
        [
            "const k = 'AKIAIOSFODNN7ABCDEFG'", "const t = 'ghp_abcdefghijklmnopqrstuvwxyzABCDEFGHIJ'", "x('postgres://user:s3cr3tpw@db.internal/x')", "const password = 'hT7-pq2!Zm'",
            "({ clientSecret: 'aB3dE5fG7hI9jK1l' })", "x.apiKey = '4f9a8b7c6d5e4f3a2b1c'", "const k = `-----BEGIN RSA PRIVATE KEY-----\\nMIIEpAIBAAKCAQEA1234567890`",
            "const token = process.env.T || 'x'; const accessToken = process.env.T ?? 'q8Zk-3Lm9-Xx7Pw'", "const s = 'xoxb-123456789012-123456789012-abcdefABCDEF123456789012'", "class A { static password = 'hT7-pq2!Zm'; }", "const password = 'hunter2hunter2'",
            "'sk_live_4eC39HqLyjWDarjtT1zdp7dc'", "const j = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U'",
        ],
        ["const password = 'password'", "const apiKey = process.env.KEY", "const passwordLabel = 'Enter your password'", "const secret = 'changeme'", "x.token = 'access_token'", "const password = ''",
         "fetch('https://user@host/')", "'http://localhost:8080/a@b'", "const tokenKey = 'shop.session.token'", "const apiKey = 'your-api-key-here'", "`postgres://${user}:${password}@db`",
         "const passwordField = 'input[name=password]'", "const key = 'AKIAIOSFODNN7EXAMPLE'"],
    ),
    "homoglyph": (["const \u0430dmin = 1", "x.\u0440assword", "const \u0455\u0441\u043e\u0440\u0435 = 1", "const \u3164 = 1", "class A { #\u0430b = 1 }", "const \uff41bc = 1"],
                  ["const имя = 1", "const Δx = 2", "const größe = 1", "const 名前 = 1", "const θ = 1", "'\u0430dmin'"]),
    "bidi-control": (["const a = 1; /* \u202e } \u2066 */"], ["const a = 'שלום'"]),
    "invisible-character": (["const a = 'a\u200bb'", "f('\U000e0041')", "const a\ufe0f = 1" if False else "'a\u2060'"], ["const f = '👨‍👩‍👧'", "'می‌خواهم'"]),
    "control-character": (["'\x1b[31m'", "// \x07"], ["'\\x1b[31m'", "\tf()"]),
    "obfuscated-code": (
        ["var " + ", ".join(f"_0x{index:04x}" for index in range(4096, 4116)), "eval(atob('YWxlcnQoMSk='))", "new Function(atob(x))", "eval(function(p,a,c,k,e,d){return p}('0',1,1,''.split('|'),0,{}))",
         "String.fromCharCode(" + ",".join(["97"] * 30) + ")", "x = " + " + ".join(["(+[])", "(!![])", "(![])"] * 20), "f('" + "\\x61" * 200 + "')", "String.fromCharCode(...[" + ",".join(["97"] * 30) + "])"],
        ["const hex = '\\x1b[0m'", "String.fromCharCode(0x61, 0x62)", "const a = [" + ",".join(["97"] * 30) + "]", "atob(x)", "const _0x1 = 1"],
    ),
    "syntax-error": (["const = 1", "f(", "let a; let a;", "'\\u{110000}'", "return return"], ["return 1", "await x", "import a from './a.json' assert { type: 'json' }", "with (a) b", "class A { static { this.#x = 1; } static #x; }", "a ??= b?.c", "#!/usr/bin/env node\nf()", "010"]),
    "long-line": (["f('" + "a" * 6000 + "')"], ["f('" + "a" * 3000 + "')"]),
}


@pytest.fixture
def check(sidelight):
    def run(*arguments, **options):
        done = sidelight("check", "code", *arguments, **options)
        assert done.code in (0, 1), done.err
        return done

    return run


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule_finds_what_it_is_for_and_nothing_else(sidelight, check, rule):
    for index, source in enumerate(RULES[rule][0]):
        sidelight.write(f"bad/{index:02}.js", source)
    for index, source in enumerate(RULES[rule][1]):
        sidelight.write(f"good/{index:02}.js", source)
    found = check("--json", "bad", "good").json
    names = {finding["file"] for finding in found["findings"] if finding["rule"] == rule}
    missed = [source for index, source in enumerate(RULES[rule][0]) if f"bad/{index:02}.js" not in names]
    assert missed == []
    assert [RULES[rule][1][int(name[5:7])] for name in sorted(names) if name.startswith("good")] == []


def test_every_rule_that_is_told_of_is_found_by_a_test():
    source = (HERE.parent.parent / "Sources" / "CodeCheck" / "CodeRule.swift").read_text()
    import re

    ids = set(re.findall(r'CodeRule\(\s*"([a-z0-9-]+)"', source))
    elsewhere = {"bad-suppression", "unused-suppression", "bom", "check-failed", "file-too-large", "not-utf8"} | {rule for rule in ids if rule.startswith("wasm-")}
    assert ids == set(RULES) | elsewhere


def test_text_shows_the_place(sidelight, check):
    sidelight.write("a.js", "const x = 1;\n\teval(x);\n")
    done = check("a.js")
    assert done.code == 1
    assert done.out.splitlines() == [
        "a.js:2:2: error no-eval: eval runs text as code",
        "  2 |   eval(x);",
        "        ^~~~~~~",
        "1 error in 1 file",
    ]


def test_levels_decide_the_exit_code(sidelight, check):
    sidelight.write("a.js", "while (true) {}\n")
    assert check("a.js").code == 0
    assert check("--level", "warning", "a.js").code == 1
    sidelight.write("b.js", "f();\n")
    assert check("--level", "note", "b.js").code == 0


def test_secrets_are_not_printed(sidelight, check):
    secret = "hT7-pq2!ZmQQ91"
    sidelight.write("a.js", f"const password = '{secret}'; eval('{secret}');\n")
    for form in ([], ["--json"], ["--sarif"]):
        done = check(*form, "a.js")
        assert "hardcoded-secret" in done.out
        assert secret not in done.out and secret[4:10] not in done.out


def test_suppressions_need_a_reason_and_a_use(sidelight, check):
    sidelight.write(
        "a.js",
        "// sidelight-ignore-next-line no-eval -- it is a test\neval(1);\n/* sidelight-ignore-next-line no-eval */\neval(2);\n"
        "// sidelight-ignore-next-line no-eval -- no more\nf();\n// sidelight-ignore-next-line no-such -- x\n",
    )
    found = check("--json", "a.js").json
    assert [(finding["rule"], finding["line"], finding.get("suppression")) for finding in found["findings"]] == [
        ("no-eval", 2, "it is a test"), ("bad-suppression", 3, None), ("no-eval", 4, None), ("unused-suppression", 5, None), ("bad-suppression", 7, None),
    ]
    assert found["suppressed"] == 1
    assert [finding.get("suppression") for finding in check("--json", "--no-suppressions", "a.js").json["findings"]] == [None, None]
    sidelight.write("b.js", "// sidelight-ignore-next-line no-eval -- it is a test\neval(1);\n")
    assert check("b.js").code == 0
    # A text that reads like one is none.
    sidelight.write("c.js", "const t = `// sidelight-ignore-next-line no-eval -- x\n${eval(1)}`;\n")
    assert check("c.js").code == 1


PATTERNS = [
    ("Identifier[name='secret']", "secret", True), ("CallExpression[callee.name=/^(log|warn)$/]", "warn(1)", True), ("CallExpression[callee.name=/^(log|warn)$/]", "warning(1)", False),
    ("CallExpression[arguments.length>2]", "f(1, 2, 3)", True), ("CallExpression[arguments.length>2]", "f(1, 2)", False), ("IfStatement > BlockStatement.consequent ThrowStatement", "if (a) { throw b; }", True),
    ("IfStatement > BlockStatement.consequent ThrowStatement", "if (a) {} else { throw b; }", False), ("FunctionDeclaration:not([async=true])", "async function f() {}", False),
    ("FunctionDeclaration:has(AwaitExpression)", "async function f() { await g(); }", True), (":function[params.length>=2]", "const f = (a, b) => 1", True), ("Identifier[name=fetch]:global", "fetch(1)", True),
    ("Identifier[name=fetch]:global", "function g(fetch) { fetch(1); }", False), ("Literal[value=42]", "f(42)", True), ("VariableDeclaration[kind='var']", "var a", True), ("VariableDeclaration[kind!='const']", "const a = 1", False),
    ("CallExpression > Literal:first-child", "f('a')", True), ("ExpressionStatement + ReturnStatement", "function f() { g(); return 1; }", True), ("ExpressionStatement ~ ReturnStatement", "function f() { g(); let a; return 1; }", True),
    ("ImportDeclaration[source.value=/^lodash/], CallExpression[callee.name=require][arguments.0.value=/^lodash/]", "require('lodash/fp')", True), ("*[regex]", "/a/", True), ("Property:nth-child(2)", "({ a: 1, b: 2 })", True),
]


def test_own_rules_are_patterns_of_the_tree(sidelight, check):
    wanted = set()
    rules = ["rules:"]
    for index, (pattern, source, matches) in enumerate(PATTERNS):
        escaped = pattern.replace("'", "''")
        rules += [f"  - id: own-{index}", f"    pattern: '{escaped}'", f"    message: number {index}", "    level: warning"]
        sidelight.write(f"code/{index}.js", source)
        if matches:
            wanted.add((f"own-{index}", f"code/{index}.js"))
    sidelight.write("own.yaml", "\n".join(rules) + "\n")
    found = check("--rules", "own.yaml", "--json", "code").json["findings"]
    of_its_file = {(finding["rule"], finding["file"]) for finding in found if finding["rule"] == f"own-{finding['file'][5:-3]}"}
    assert of_its_file == wanted


@pytest.mark.parametrize("pattern, message", [
    ("CallExpresion", "there is no node \"CallExpresion\""), ("Identifier[name=", "a value is missing"), ("Identifier[name=/(/]", "nvalid regular expression"), ("Identifier >", "it ends too early"),
    (":nothing", "there is no :nothing"), ("Identifier)", "is not expected"), ("[name<x]", "is no number"), (":not(" * 20 + "*" + ")" * 20, "nested too deeply"),
])
def test_a_wrong_pattern_is_told_of(sidelight, pattern, message):
    sidelight.write("own.yaml", json.dumps({"rules": [{"id": "mine", "pattern": pattern, "message": "m"}]}))
    sidelight.write("a.js", "f()")
    done = sidelight("check", "code", "--rules", "own.yaml", "a.js")
    assert done.code == 2
    assert '"mine"' in done.err and message in done.err


def test_rules_files_are_read_with_all_their_errors(sidelight):
    sidelight.write("own.yaml", "rules:\n  - id: No\n    pattern: '*'\n  - {id: a, message: m}\noff: no-eval\nlevels: {no-with: fatal}\nnonsense: 1\n")
    sidelight.write("a.js", "f()")
    done = sidelight("check", "code", "--rules", "own.yaml", "a.js")
    assert done.code == 2
    for place in ("own.yaml:2:9", "own.yaml:4:", "own.yaml:6:", "own.yaml:7:1"):
        assert place in done.err, done.err


def test_all_wrong_patterns_and_unknown_rules_are_told_of(sidelight):
    sidelight.write("own.yaml", json.dumps({"rules": [{"id": "one", "pattern": "CallExpresion", "message": "m"}, {"id": "two", "pattern": "Identifier >", "message": "m"}]}))
    sidelight.write("a.js", "f()")
    done = sidelight("check", "code", "--rules", "own.yaml", "a.js")
    assert done.code == 2 and '"one"' in done.err and '"two"' in done.err, done.err
    assert 'there is no node "CallExpresion", at character 1' in done.err, done.err

    sidelight.write("own.yaml", "off: [no-evil]\nlevels: {unbounded-lop: error}\n")
    done = sidelight("check", "code", "--rules", "own.yaml", "a.js")
    assert done.code == 2, done
    assert 'off: there is no rule "no-evil"; did you mean "no-eval"?' in done.err and "unbounded-loop" in done.err, done.err


def test_rules_can_be_off_have_levels_and_more_names(sidelight, check):
    sidelight.write("own.yaml", "off: [no-eval]\nlevels: {unbounded-loop: error}\nglobals: [fetch, process.env]\nimports: ['node:os']\nsize: 2KB\n")
    sidelight.write("a.js", "import os from 'os'; eval(1); while (true) {} fetch(1); process.env.A;")
    sidelight.write("b.js", "f();" * 1000)
    found = check("--rules", "own.yaml", "--json", "a.js", "b.js").json["findings"]
    assert sorted((finding["rule"], finding["level"]) for finding in found) == [
        ("file-too-large", "error"), ("forbidden-global", "error"), ("forbidden-global", "error"), ("forbidden-import", "error"), ("unbounded-loop", "error"),
    ]


def test_sarif_follows_the_schema(sidelight, check):
    sidelight.write("a b.js", "// sidelight-ignore-next-line no-eval -- x\neval(1);\nwhile (true) {}\n")
    sarif = check("--sarif", "a b.js").json
    schema = HERE / "sarif-schema-2.1.0.json"
    if schema.exists():
        import jsonschema

        jsonschema.validate(sarif, json.loads(schema.read_text()))
    run = sarif["runs"][0]
    assert run["results"][0]["suppressions"] == [{"kind": "inSource", "justification": "x"}]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%20b.js"


def test_webassembly_is_looked_at(sidelight, check):
    head = b"\0asm\1\0\0\0"
    sidelight.write("start.wasm", head + b"\x08\1\0")
    sidelight.write("import.wasm", head + b"\2\x0a\1\4evil\1f\0\0")
    sidelight.write("broken.wasm", head + b"\2\x05\0")
    sidelight.write("memory.wasm", head + b"\5\3\1\0\1")
    sidelight.write("other.js", head)
    found = {finding["file"]: finding["rule"] for finding in check("--json", ".").json["findings"]}
    assert found == {"start.wasm": "wasm-start", "import.wasm": "wasm-import", "broken.wasm": "wasm-invalid", "memory.wasm": "wasm-memory"}


@pytest.mark.parametrize("name, source", {
    "deep arrays": "[" * 200_000, "deep parentheses": "(" * 100_000 + "1" + ")" * 100_000, "a long sum": "+".join(["a"] * 200_000), "deep functions": "function f() {" * 20_000 + "}" * 20_000,
    "deep templates": "`${" * 20_000, "a long chain": "a" + ".b()" * 100_000, "many errors": "eval(1);" * 50_000, "no text": b"\xff\xfe\0\0", "zeros": b"\0" * 100_000, "surrogates": b"'\xed\xa0\x80'",
    "ReDoS for the rules": "const password = '" + "a-" * 50_000 + "'", "escapes": "'" + "\\x61" * 100_000 + "'", "a huge regular expression": "/" + "(a|b" * 5_000 + ")" * 5_000 + "/", "nothing": "",
    "values without end": "let a0 = 1; " + "".join(f"const a{index + 1} = a{index} + a{index}; " for index in range(3_000)) + "globalThis[a3000]",
    "names in a circle": "var a = b, b = a, c = c; a(); globalThis[c]()", "a long way to eval": "globalThis" + ".globalThis" * 20_000 + ".eval(1)", "almost web tokens": "'" + "eyJ." * 30_000 + "'",
    "elses": "if (a) b; else " * 20_000 + "c", "labels": "".join(f"a{index}: " for index in range(20_000)) + "f()",
}.items())
def test_hostile_sources_are_borne(sidelight, check, name, source):
    sidelight.write("a.js", source)
    sidelight.write("b.js", "eval(1)")
    done = check("--json", "a.js", "b.js", timeout=120)
    found = done.json
    assert found["files"] == 2
    assert [finding["rule"] for finding in found["findings"] if finding["file"] == "b.js"] == ["no-eval"]
    assert len(found["findings"]) <= 1_001
    if name in ("values without end", "a long way to eval"):
        assert "check-failed" in [finding["rule"] for finding in found["findings"]]
    if name == "many errors":
        # That the line is long is told of besides.
        assert found["omitted"] == 49_001


def test_a_pattern_that_backtracks_is_stopped(sidelight, check):
    sidelight.write("own.yaml", json.dumps({"rules": [{"id": "mine", "pattern": "Identifier[name=/^(a+)+$/]", "message": "m"}]}))
    sidelight.write("a.js", "a" * 60 + "b")
    sidelight.write("b.js", "eval(1)")
    found = check("--rules", "own.yaml", "--json", "a.js", "b.js", timeout=120).json["findings"]
    assert [(finding["file"], finding["rule"]) for finding in found] == [("a.js", "check-failed"), ("b.js", "no-eval")]
    assert "longer than a check may" in found[0]["message"]


def test_the_checked_code_says_nothing_to_the_terminal(sidelight, check):
    sidelight.write("a\x1b[2J.js", "const x = '\x1b]0;title\x07\u202e'; eval(x); \x9b2J")
    done = check("a\x1b[2J.js")
    assert "\x1b" not in done.out and "\x07" not in done.out and "\u202e" not in done.out and "\x9b" not in done.out


def test_what_is_not_there_is_bad_usage(sidelight):
    for arguments in (["none.js"], [], ["--json", "--sarif", "."], ["--rules", "none.yaml", "."], ["--level", "fatal", "."]):
        done = sidelight("check", "code", *arguments)
        assert done.code == 2, arguments
        assert done.err.startswith("sidelight: ") or "Usage" in done.err or "Error" in done.err
    (sidelight.folder / "empty").mkdir()
    assert sidelight("check", "code", "empty").code == 2


def test_folders_are_walked_without_what_others_wrote(sidelight, check):
    for name in ("src/a.js", "src/b.mjs", "src/c.cjs", "src/d.txt", "src/node_modules/x/i.js", "src/.git/hook.js", "src/deep/e.js"):
        sidelight.write(name, "eval(1)")
    (sidelight.folder / "src" / "loop").symlink_to(".")
    files = [finding["file"] for finding in check("--json", "src").json["findings"]]
    assert files == ["src/a.js", "src/b.mjs", "src/c.cjs", "src/deep/e.js"]
    assert check("--json", "src/node_modules").json["files"] == 1


def test_the_examples_have_no_errors(check):
    # One of them is somebody else's, and tries what a policy is to refuse.
    found = [finding for finding in check("--json", EXAMPLES).json["findings"] if finding["level"] == "error"]
    assert {pathlib.Path(finding["file"]).name for finding in found} <= {"plugin.mjs"}


def test_the_validator_cannot_open_anything(sidelight):
    """While it waits for a file its filter is there: `Seccomp: 2` for all its threads."""
    import os
    import time

    os.mkfifo(sidelight.folder / "wait.js")
    sidelight.write("a.js", "f()")
    sidelight.write("b.js", "f()")
    # A pattern that takes its time holds the worker.
    sidelight.write("own.yaml", json.dumps({"rules": [{"id": "mine", "pattern": "Identifier[name=/^(a+)+$/]", "message": "m"}]}))
    sidelight.write("c.js", "a" * 60 + "b")
    command = sidelight.start("check", "code", "--rules", "own.yaml", "c.js", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            tasks = pathlib.Path(f"/proc/{command.pid}/task").iterdir()
            children = [child for task in tasks for child in (task / "children").read_text().split()]
            states = [pathlib.Path(f"/proc/{child}/status").read_text() for child in children]
            if states and all("Seccomp:\t2" in state for state in states):
                break
            time.sleep(0.02)
        else:
            pytest.fail("no filter within 20 s")
    finally:
        command.kill()
        command.wait()
    assert sidelight("check", "code", "wait.js").code == 2


def test_a_policy_has_code_checked_by_rules_beside_it(sidelight):
    sidelight.write("policies/p.yaml", "base: standard\ncheck: {require: true, rules: [own.yaml]}\n")
    sidelight.write("policies/own.yaml", "rules: [{id: house/no-debugger, pattern: DebuggerStatement, message: not here}]\n")
    sidelight.write("bad.mjs", "console.log('ran'); debugger;\n")
    sidelight.write("good.mjs", "console.log('ran');\n")
    done = sidelight("run", "--policy", "policies/p.yaml", "bad.mjs")
    assert (done.code, done.out) == (3, "")
    assert "bad.mjs:1:21" in done.err and "not here (house/no-debugger)" in done.err
    done = sidelight("run", "--policy", "policies/p.yaml", "good.mjs")
    assert (done.code, done.out) == (0, "ran\n")


def test_suppressions_count_in_a_policy_that_says_so(sidelight):
    sidelight.write("a.js", "// sidelight-ignore-next-line no-eval -- ours\nconsole.log(eval('1 + 1'));\n")
    for text, code in (("", 3), (", suppressions: true", 0)):
        sidelight.write("p.yaml", f"base: standard\ncheck: {{require: true{text}}}\n")
        assert sidelight("run", "--policy", "p.yaml", "a.js").code == code


def test_a_policy_that_is_tried_out_lets_code_run(sidelight):
    sidelight.write("a.js", "console.log(eval('1 + 1'));\n")
    sidelight.write("p.yaml", "base: standard\ncheck: {require: true}\n")
    done = sidelight("run", "--policy", "p.yaml", "--audit", "a.js")
    assert (done.code, done.out) == (0, "2\n")


def test_a_service_that_does_not_pass_is_not_served(sidelight):
    sidelight.write("a.mjs", "export default { fetch() { return new Response(eval('1')); } };\n")
    sidelight.write("p.yaml", "base: standard\ncheck: {require: true}\n")
    done = sidelight("serve", "--policy", "p.yaml", "--listen", "127.0.0.1:0", "--admin", "off", "a.mjs")
    assert done.code != 0
    assert "no-eval" in done.err


def test_policies_tell_what_is_wrong_with_their_rules(sidelight):
    sidelight.write("a.js", "f();\n")
    sidelight.write("own.yaml", "rules: [{id: mine, message: m}]\n")
    for text, place in (("rules: [own.yaml]", "own.yaml:1:"), ("rules: [none.yaml]", "p.yaml:2:"), ("level: fatal", "p.yaml:2:"), ("required: true", "p.yaml:2:")):
        sidelight.write("p.yaml", f"base: standard\ncheck: {{{text}}}\n")
        done = sidelight("run", "--policy", "p.yaml", "a.js")
        assert done.code == 2
        assert place in done.err, done.err
