import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** One file at a time: daemons of containers and clusters share control groups, the last two the usual ports of this machine. */
const hosts = ['test/hosts/**/*.live.test.ts', 'test/docs.live.test.ts', 'test/clone.live.test.ts'];

/** Of these, what has machines by namespaces alone, whose networks and control groups are their own: may run beside the others. */
const machines = [
  'adopt-ssh',
  'audit-units',
  'deployment-state',
  'exchange-ports',
  'gpus-ssh',
  'move',
  'move-targets',
  'render',
  'secrets-ssh',
  'ssh',
  'ssh-lock',
  'systemd',
  'unit-rights',
  'user-units',
  'wrong-inputs',
  'wrong-inputs-ssh-units',
].map((name) => `test/hosts/${name}.live.test.ts`);

/**
 * `unit` needs nothing but Node; `live`, `live-machines` and `live-hosts` drive real components and skip what is missing by
 * name; `crash` kills berth at hundreds of moments, and takes long.
 */
export default defineConfig({
  test: {
    // The last resort on a busy machine: waits have limits of their own, below this, and say what did not come about.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Scenarios wait more than they compute: each takes a third of a core or less.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    // By `npm test` and `npm run test:live`, which build first, berth's own processes are those of the build; of vitest alone
    // they start from the sources, whatever an old dist holds.
    env: {
      BERTH_FROM_SOURCE: process.env['BERTH_FROM_SOURCE'] ?? '1',
      NODE_COMPILE_CACHE: `${import.meta.dirname}/.cache/node-compile`,
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{src,console,test,bench,scripts}/**/*.test.ts'],
          exclude: ['**/*.live.test.ts', '**/*.crash.test.ts', '**/node_modules/**'],
        },
      },
      {
        extends: true,
        test: { name: 'crash', include: ['test/**/*.crash.test.ts'], fileParallelism: false },
      },
      {
        extends: true,
        test: {
          name: 'live',
          include: ['test/**/*.live.test.ts'],
          exclude: [...hosts, '**/node_modules/**'],
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: { name: 'live-machines', include: machines, fileParallelism: false },
      },
      {
        extends: true,
        test: {
          name: 'live-hosts',
          include: hosts,
          exclude: [...machines, '**/node_modules/**'],
          fileParallelism: false,
          globalSetup: ['test/hosts/cluster-of-run.ts'],
        },
      },
    ],
  },
});
