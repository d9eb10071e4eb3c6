import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tool } from '../lib/tools/contract.ts';
import { cache } from '../lib/tools/peers.ts';
import type { Absent } from '../lib/tools/peers.ts';

function plainEnv(): NodeJS.ProcessEnv {
  return process.env;
}

export const nodeHttp: Tool = {
  name: 'node-http',
  argv: (url, load) => [
    process.execPath,
    join(import.meta.dirname, 'node-client.mjs'),
    url,
    String(load.streams ?? 1),
  ],
  env: plainEnv,
  read: null,
};

/** Absent where Python or its packages cannot be had. */
export function prepareAiohttp(): Tool | Absent {
  const venv = join(cache, 'aiohttp');
  const python = join(venv, 'bin/python');
  if (!existsSync(join(venv, 'complete'))) {
    console.log(`installing aiohttp into ${venv}`);
    spawnSync('python3', ['-m', 'venv', venv], { stdio: 'ignore' });
    const { status } = spawnSync(python, ['-m', 'pip', 'install', '--quiet', 'aiohttp', 'uvloop'], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (status !== 0) return { name: 'aiohttp', absent: 'pip did not install aiohttp' };
    writeFileSync(join(venv, 'complete'), '');
  }
  return {
    name: 'aiohttp',
    argv: (url, load) => [
      python,
      join(import.meta.dirname, 'aiohttp-client.py'),
      url,
      String(load.streams ?? 1),
    ],
    env: plainEnv,
    read: null,
  };
}
