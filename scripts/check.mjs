// `npm run check`: types, lint, format, dead code. Every step runs, so that all faults come at once.
import { ensureReady, main, runTool } from './bootstrap.mjs';

const steps = [
  ['tsc', '--noEmit'],
  ['tsc', '-p', 'console'],
  ['oxlint', '--type-aware'],
  ['oxfmt', '--check'],
  ['knip'],
];

await main(async () => {
  await ensureReady();
  let failed = 0;
  for (const [program, ...args] of steps) {
    const code = await runTool(program, args);
    if (code !== 0) failed += 1;
    process.stderr.write(`${program}: ${code === 0 ? 'ok' : 'failed'}\n`);
  }
  return failed === 0 ? 0 : 1;
});
