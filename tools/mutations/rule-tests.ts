import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The gateway's test files, from `root`, that have a test titled "rule N: …". */
export function filesWithRule(root: string, rule: number): string[] {
  const title = new RegExp(`['"\`]rule ${rule}: `);
  return globSync('test/gateway/**/*.test.ts', { cwd: root })
    .filter((file) => !file.endsWith('.live.test.ts') && title.test(readFileSync(join(root, file), 'utf8')))
    .toSorted();
}
