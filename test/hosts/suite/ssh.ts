import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findLlamaServer } from '../llama-server.ts';
import { missingForSsh } from '../missing-for-ssh.ts';
import type { SuiteHost, SuiteTarget } from './contract.ts';
import { llamaDeployment } from './engines.ts';
import { filesIn, listenersIn, processesOf } from './inventory.ts';

const script = resolve(import.meta.dirname, '../ssh-box.sh');

/** Processes of a machine that is reached by ssh alone, with a real sshd; its files are this machine's. */
export const sshTarget: SuiteTarget = {
  name: 'ssh',
  missing: () => {
    const lacks = missingForSsh();
    if (lacks !== '') return `${lacks} is missing`;
    return findLlamaServer() === null ? 'no llama-server' : null;
  },
  start: (folder) => {
    const box = mkdtempSync(join(tmpdir(), 'berth-ssh-suite-'));
    execFileSync(script, ['start', box], { stdio: 'pipe' });
    return Promise.resolve(hostOf(box, folder));
  },
};

function hostOf(box: string, folder: string): SuiteHost {
  function enter(...argv: string[]): string {
    return execFileSync(script, ['enter', box, ...argv], { encoding: 'utf8', stdio: 'pipe' });
  }
  /** Of the machine alone: it has its own processes and its own network. */
  function programs(): string[] {
    const all = enter(
      'sh',
      '-c',
      `for pid in /proc/[0-9]*; do tr '\\0' ' ' <$pid/cmdline 2>/dev/null; echo; done`,
    );
    // The suite's own look, and connections of this very moment.
    const own = /^(sh -c for pid|tr |sshd: |\s*$)/;
    return all
      .split('\n')
      .filter((line) => !own.test(line))
      .map((line) => `process ${line}`)
      .toSorted();
  }
  return {
    before: [],
    beforeThere: [script, 'enter', box],
    env: { PATH: `${box}/bin:${process.env['PATH'] ?? ''}` },
    more: ['hosts: {far: {ssh: box, ports: 18400-18440}}'],
    deployments: [llamaDeployment({ name: 'llama' }), llamaDeployment({ name: 'pinned', port: 18_500 })],
    kill: ({ pid }) => {
      enter('kill', '-9', String(pid));
      return Promise.resolve();
    },
    inventory: () => [
      ...listenersIn(enter('cat', '/proc/net/tcp')),
      ...programs(),
      ...processesOf(folder),
      ...filesIn(join(box, 'home')),
      ...filesIn(folder),
    ],
    stop: () => {
      execFileSync(script, ['stop', box], { stdio: 'pipe' });
      rmSync(box, { recursive: true, force: true });
    },
  };
}
