// `npm test` runs what needs nothing but Node; `npm run test:live` what drives real components, and names those it
// lacks; `npm run test:crash` kills berth at hundreds of moments. `--project NAME` after it takes that project alone.
import { ensureReady, main, runTool } from './bootstrap.mjs';
import { build } from './build.mjs';

await main(async (args) => {
  await ensureReady();
  await build();
  const kind = ['live', 'crash'].find((name) => args.includes(`--${name}`)) ?? 'unit';
  process.env.BERTH_FROM_SOURCE ??= '';
  const rest = args.filter((word) => word !== `--${kind}`);
  const all = kind === 'live' ? ['live', 'live-machines', 'live-hosts'] : [kind];
  const projects = rest.includes('--project') ? [] : all.flatMap((name) => ['--project', name]);
  return runTool('vitest', ['run', ...projects, ...rest]);
});
