// `npm test` runs what needs nothing but Node; `npm run test:live` what drives real components, and names those it lacks.
import { ensureReady, main, runTool } from './bootstrap.mjs';
import { build } from './build.mjs';

await main(async (args) => {
  await ensureReady();
  await build();
  const live = args.includes('--live');
  const rest = args.filter((word) => word !== '--live');
  return runTool('vitest', ['run', '--project', live ? 'live' : 'unit', ...rest]);
});
