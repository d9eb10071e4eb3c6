import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { findLlamaServer } from '../llama-server.ts';
import { missingForSsh } from '../missing-for-ssh.ts';
import { missingForSystemd, startSystemdBox } from '../systemd-box.ts';
import type { SuiteTarget } from './contract.ts';
import { llamaDeployment } from './engines.ts';
import { processesOf } from './inventory.ts';
import { inventory } from './systemd.ts';

const script = resolve(import.meta.dirname, '../ssh-box.sh');

/** Units of a systemd that is the first process of another machine, reached by ssh alone. */
export const sshSystemdTarget: SuiteTarget = {
  name: 'ssh systemd',
  missing: () => {
    const lacks = missingForSystemd() || missingForSsh();
    if (lacks !== '') return `${lacks} is missing`;
    return findLlamaServer() === null ? 'no llama-server' : null;
  },
  start: (folder) => {
    const cache = dirname(dirname(findLlamaServer() ?? ''));
    const keys = mkdtempSync(join(tmpdir(), 'berth-ssh-systemd-'));
    const machine = startSystemdBox([folder, cache, keys]);
    function stop(): void {
      machine.stop();
      execFileSync(script, ['stop', keys], { stdio: 'pipe' });
      rmSync(keys, { recursive: true, force: true });
    }
    try {
      const env = { ...process.env, BOX_PID: machine.pid };
      execFileSync(script, ['start', keys], { env, stdio: 'pipe' });
    } catch (error) {
      stop();
      throw error;
    }
    // It is below root's home, which units do not see.
    const target = `{kind: systemd, unit: {Service: {BindReadOnlyPaths: "${cache}"}}}`;
    return Promise.resolve({
      before: [],
      beforeThere: machine.before,
      env: { PATH: `${keys}/bin:${process.env['PATH'] ?? ''}` },
      more: ['hosts: {far: {ssh: box, ports: 18400-18440}}'],
      deployments: [
        llamaDeployment({ name: 'llama', target }),
        llamaDeployment({ name: 'pinned', target, port: 18500 }),
      ],
      kill: ({ pid }) => {
        machine.enter('kill', '-9', String(pid));
        return Promise.resolve();
      },
      inventory: () => [
        // The way there comes and goes.
        ...inventory(machine, folder).filter((line) => !/^process (sshd: |\S*sshd )/.test(line)),
        ...processesOf(folder),
      ],
      stop,
    });
  },
};
