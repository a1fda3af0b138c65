// Compiles src/report.ts to dist/report.js with a source map, by the TypeScript compiler that Node.js brings along (22.13 or newer), or by Deno (deno run -A):
//
//   node examples/service/build.mjs
//
// What it writes is committed, so that the example runs without Node.js.
import { readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';

const here = (path) => new URL(path, import.meta.url);
const source = readFileSync(here('src/report.ts'), 'utf8');
const compiled = stripTypeScriptTypes(source, { mode: 'transform', sourceMap: true, sourceUrl: '../src/report.ts' });

// Node.js appends the map as a data URL; a build for production keeps it in a file of its own.
const inline = compiled.match(/\n\/\/# sourceMappingURL=data:application\/json;base64,(\S+)\s*/);
const map = JSON.parse(Buffer.from(inline[1], 'base64').toString());
map.file = 'report.js';
map.sources = ['../src/report.ts'];
map.sourcesContent = [source];
const code = compiled.slice(0, inline.index).replace(/\n\/\/# sourceURL=.*/, '');
writeFileSync(here('dist/report.js'), `${code.trimEnd()}\n//# sourceMappingURL=report.js.map\n`);
writeFileSync(here('dist/report.js.map'), `${JSON.stringify(map)}\n`);
