#!/usr/bin/env node
// Nothing is imported here: an old Node must get as far as its refusal, and `import` of Node's own modules costs more than
// asking for them.
if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(
    `berth: Node 24 or newer is needed; this is Node ${process.versions.node} at ${process.execPath}.\n` +
      'Install a newer Node (in a clone, "npm start" brings its own).\n',
  );
  process.exit(2);
}
// The compile cache comes first: it must be on before any other module is loaded.
process.getBuiltinModule('node:module').enableCompileCache();
const { readFileSync, existsSync } = process.getBuiltinModule('node:fs');
const built = new URL('../dist/cli/main.js', import.meta.url);
const source = new URL('../src/cli/main.ts', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const { main } = await import((existsSync(built) && !process.env.BERTH_FROM_SOURCE ? built : source).href);
process.exitCode = await main(process.argv.slice(2), version);
