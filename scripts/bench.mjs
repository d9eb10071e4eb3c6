// `npm run bench:NAME`: installs what is missing, builds, and runs bench/NAME/run.ts on the build.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensureReady, main, root, runNode, SetupError } from './bootstrap.mjs';
import { build } from './build.mjs';

await main(async ([name = '', ...args]) => {
  const file = `bench/${name}/run.ts`;
  if (!existsSync(join(root, file))) {
    const names = readdirSync(join(root, 'bench')).filter((entry) =>
      existsSync(join(root, 'bench', entry, 'run.ts')),
    );
    throw new SetupError(`There is no benchmark "${name}". There are: ${names.join(', ')}.`);
  }
  await ensureReady();
  await build();
  return runNode([file, ...args]);
});
