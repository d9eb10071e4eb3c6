import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { aiperf } from './aiperf.ts';
import type { Tool } from './contract.ts';
import { guideLlm } from './guidellm.ts';

const root = join(import.meta.dirname, '../../..');
export const cache = process.env['BERTH_LIVE_CACHE'] ?? join(homedir(), '.cache/berth-live');

export interface Absent {
  readonly name: string;
  readonly absent: string;
}

function installed(script: string): string | null {
  const { status, stdout } = spawnSync('sh', [join(root, 'tools/live', script)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return status === 0 ? stdout.trim() : null;
}

/** Out of the cache or from PyPI into it. */
export function findGuideLlm(): Tool | Absent {
  const program = installed('guidellm.sh');
  return program === null
    ? { name: 'guidellm', absent: 'tools/live/guidellm.sh could not install it' }
    : guideLlm(program);
}

/** The same; its tokenizer is that which came with GuideLLM. */
export function findAiperf(): Tool | Absent {
  const program = installed('aiperf.sh');
  const tokenizer = join(cache, 'guidellm/tokenizer');
  return program === null || !existsSync(tokenizer)
    ? {
        name: 'aiperf',
        absent: 'tools/live/aiperf.sh could not install it, or there is no tokenizer',
      }
    : aiperf(program, tokenizer);
}
