// Compiles src/pricing.ts to dist/pricing.js with a source map, by the TypeScript compiler that Node.js brings along (22.13 or newer):
//
//   node examples/shop/build.mjs
//
// What it writes is committed, so that the example runs without Node.js.
import { readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';

const here = (path) => new URL(path, import.meta.url);
const source = readFileSync(here('src/pricing.ts'), 'utf8');
const compiled = stripTypeScriptTypes(source, { mode: 'transform', sourceMap: true, sourceUrl: '../src/pricing.ts' });

// Node.js appends the map as a data URL; a build for production keeps it in a file of its own.
const inline = compiled.match(/\n\/\/# sourceMappingURL=data:application\/json;base64,(\S+)\s*/);
const map = JSON.parse(Buffer.from(inline[1], 'base64').toString());
map.file = 'pricing.js';
map.sources = ['../src/pricing.ts'];
map.sourcesContent = [source];
const code = compiled.slice(0, inline.index).replace(/\n\/\/# sourceURL=.*/, '');
writeFileSync(here('dist/pricing.js'), `${code.trimEnd()}\n//# sourceMappingURL=pricing.js.map\n`);
writeFileSync(here('dist/pricing.js.map'), `${JSON.stringify(map)}\n`);
