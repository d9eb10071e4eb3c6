// `npm run mutations`: breaks the gateway's rules in a copy of the tree and looks whether their tests notice.
import { ensureReady, main, runNode } from './bootstrap.mjs';

await main(async (args) => {
  await ensureReady();
  return runNode(['tools/mutations/run.ts', ...args]);
});
