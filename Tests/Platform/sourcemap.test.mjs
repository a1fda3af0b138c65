// Source maps against Node's own reader, on generated maps: node --test Tests/Platform/sourcemap.test.mjs
import assert from 'node:assert/strict';
import { SourceMap } from 'node:module';
import test from 'node:test';
import { boot } from './harness.mjs';

const warnings = [];
const realm = boot({ print: (fd, text) => warnings.push(text) });
const { mapPosition } = realm.internal;
const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
let state = 99;
const random = (n) => (state = Math.imul(state, 1103515245) + 12345 >>> 0) % n;

function vlq(value) {
    let rest = value < 0 ? -value * 2 + 1 : value * 2;
    let text = '';
    do {
        text += base64[rest % 32 + (rest >= 32 ? 32 : 0)];
        rest = Math.floor(rest / 32);
    } while (rest > 0);
    return text;
}

/** A random map in which generated columns rise. */
function generate(sources) {
    const before = { source: 0, line: 0, column: 0, name: 0 };
    const lines = Array.from({ length: random(20) + 1 }, () => {
        let generated = 0;
        return Array.from({ length: random(8) }, (_, i) => {
            const delta = random(40) + (i > 0 ? 1 : 0);
            generated += delta;
            if (random(5) === 0) return vlq(delta);
            const now = { source: random(sources), line: random(5000), column: random(300), name: random(3) };
            const text = vlq(delta) + vlq(now.source - before.source) + vlq(now.line - before.line) + vlq(now.column - before.column) + (random(2) ? vlq(now.name - before.name) : '');
            Object.assign(before, { source: now.source, line: now.line, column: now.column, name: text.length > 4 && before.name });
            return text;
        }).join(',');
    });
    return lines.join(';');
}

let count = 0;
function load(map) {
    const script = `/dir/out/script${count++}.js`;
    realm.maps.set(script, typeof map === 'string' ? map : JSON.stringify(map));
    return script;
}

test('positions are what Node finds', () => {
    for (let round = 0; round < 300; round++) {
        const map = { version: 3, sources: ['/a.ts', '/b.ts', '/c.ts'], names: [], mappings: `${generate(3)};` }; // Node misreads a lone field at the very end
        const reference = new SourceMap(map);
        const script = load(map);
        for (let k = 0; k < 60; k++) {
            const [line, column] = [random(22), random(200)];
            const theirs = reference.findEntry(line, column);
            const ours = mapPosition(script, line + 1, column + 1);
            // Node takes an earlier line's last segment where a line has none; the standard's reader does not.
            if (theirs.generatedLine !== line || theirs.originalSource === undefined) {
                assert.equal(ours, null);
            } else {
                assert.deepEqual({ ...ours }, { source: theirs.originalSource, line: theirs.originalLine + 1, column: theirs.originalColumn + 1 });
            }
        }
    }
});

test('sources are found from the script, with sourceRoot', () => {
    const map = (sources, sourceRoot) => mapPosition(load({ version: 3, sources, sourceRoot, mappings: 'AAAA' }), 1, 1).source;
    assert.equal(map(['a.ts']), '/dir/out/a.ts');
    assert.equal(map(['../src/a.ts']), '/dir/src/a.ts');
    assert.equal(map(['a.ts'], '../src'), '/dir/src/a.ts');
    assert.equal(map(['a.ts'], '../src/'), '/dir/src/a.ts');
    assert.equal(map(['/abs/a.ts']), '/abs/a.ts');
    assert.equal(map(['webpack:///./a.ts']), 'webpack:///./a.ts');
    realm.maps.set('file:///x/y/z.js', JSON.stringify({ version: 3, sources: ['../a%20b.ts'], mappings: 'AAAA' }));
    assert.equal(mapPosition('file:///x/y/z.js', 1, 1).source, 'file:///x/a%20b.ts');
});

test('sections', () => {
    const section = (line, column, source) => ({ offset: { line, column }, map: { version: 3, sources: [source], mappings: 'AAAA;AACA' } });
    const script = load({ version: 3, sections: [section(0, 0, '/a'), section(1, 10, '/b'), section(5, 0, '/c')] });
    assert.deepEqual({ ...mapPosition(script, 1, 5) }, { source: '/a', line: 1, column: 1 });
    assert.deepEqual({ ...mapPosition(script, 2, 3) }, { source: '/a', line: 2, column: 1 });
    assert.deepEqual({ ...mapPosition(script, 2, 12) }, { source: '/b', line: 1, column: 1 });
    assert.deepEqual({ ...mapPosition(script, 6, 1) }, { source: '/c', line: 1, column: 1 });
});

test('a prefix against inclusion, and text from sourcesContent', () => {
    const script = load(")]}'\n" + JSON.stringify({ version: 3, sources: ['a.ts'], sourcesContent: ['line one\nline two'], mappings: 'AACA' }));
    assert.equal(mapPosition(script, 1, 1).line, 2);
    assert.equal(realm.internal.mappedContent('/dir/out/a.ts'), 'line one\nline two');
    const text = realm.internal.formatUncaught('thrown', { script, line: 1, column: 1 });
    assert.equal(text, "/dir/out/a.ts:2\nline two\n^\n'thrown'");
});

test('bad maps are ignored and said once', () => {
    const bad = [
        'no json', '5', 'null', '{}', { version: 2, sources: [], mappings: '' }, { version: 3, mappings: '' }, { version: 3, sources: ['a'] }, { version: 3, sources: ['a'], mappings: '!!' },
        { version: 3, sources: ['a'], mappings: 'AAAAAAA' }, { version: 3, sources: ['a'], mappings: 'AA' }, { version: 3, sources: ['a'], mappings: 'g' }, { version: 3, sources: ['a'], mappings: 'ACAA' },
        { version: 3, sources: ['a'], mappings: 'gggggggggggggggA' }, { version: 3, sections: 5 }, { version: 3, sections: [{}] }, { version: 3, sections: [{ offset: { line: 0, column: 0 }, map: { version: 3, sections: [] } }] },
    ];
    for (const map of bad) {
        warnings.length = 0;
        const script = load(map);
        assert.equal(mapPosition(script, 1, 1), null);
        assert.equal(mapPosition(script, 1, 1), null);
        assert.equal(warnings.length, 1, JSON.stringify(map));
        assert.match(warnings[0], /^Warning: the source map of .* is ignored: ./);
    }
    assert.equal(mapPosition('/no/map.js', 1, 1), null);
});
