// `npm start`: installs, builds, and runs the quickstart. `npm start -- --once` ends when its benchmark is done.
import { ensureReady, main, runNode } from './bootstrap.mjs';
import { build } from './build.mjs';

await main(async (args) => {
  await ensureReady();
  await build();
  // An ephemeral `up` stops what it started when it ends; engines of an ordinary one stay.
  const quickstart = ['up', '--ephemeral', '--bench', '--file', 'examples/quickstart/berth.yaml'];
  return runNode(['bin/berth.js', ...quickstart, ...args]);
});
