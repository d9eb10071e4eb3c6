// `npm test` runs what needs nothing but Node; `npm run test:live` what drives real components, and names those it
// lacks; `npm run test:crash` kills berth at hundreds of moments.
import { ensureReady, main, runTool } from './bootstrap.mjs';
import { build } from './build.mjs';

await main(async (args) => {
  await ensureReady();
  await build();
  const project = ['live', 'crash'].find((name) => args.includes(`--${name}`));
  if (project === 'crash') process.env.BERTH_CRASH_BUILT = '1';
  const rest = args.filter((word) => word !== `--${project}`);
  return runTool('vitest', ['run', '--project', project ?? 'unit', ...rest]);
});
