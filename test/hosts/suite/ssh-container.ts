import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePorts, ownPorts } from '../../support/berth.ts';
import { importLlama, llamaImage, missingFor, startBox } from '../container-box.ts';
import { missingForSsh } from '../missing-for-ssh.ts';
import { cgroupsOf, containersOf, made } from './container.ts';
import type { SuiteHost, SuiteTarget } from './contract.ts';
import { llamaDeployment } from './engines.ts';
import { enginesAt, filesIn, listenersIn, portsIn, processesOf } from './inventory.ts';

const script = resolve(import.meta.dirname, '../ssh-box.sh');

/** Containers of a real dockerd on a machine that is reached by ssh alone; its files are this machine's. */
export const sshContainerTarget: SuiteTarget = {
  name: 'ssh docker',
  missing: () => {
    const lacks = missingForSsh();
    return lacks === '' ? missingFor('docker') : `${lacks} is missing`;
  },
  start: async (folder) => {
    const machine = mkdtempSync(join(tmpdir(), 'berth-ssh-docker-'));
    execFileSync(script, ['start', machine], { stdio: 'pipe' });
    function stop(): void {
      execFileSync(script, ['stop', machine], { stdio: 'pipe' });
      rmSync(machine, { recursive: true, force: true });
    }
    try {
      return await hostOf(machine, folder, stop);
    } catch (error) {
      stop();
      throw error;
    }
  },
};

async function hostOf(machine: string, folder: string, stop: () => void): Promise<SuiteHost> {
  const enter = [script, 'enter', machine];
  const box = await startBox('docker', { before: enter });
  const { entrypoint, backend } = await importLlama(box);
  function inside(...argv: string[]): string {
    const [program = '', ...args] = [...enter, ...argv];
    return execFileSync(program, args, { encoding: 'utf8', stdio: 'pipe' });
  }
  // Where it usually listens.
  inside('ln', '-s', box.host.slice('unix://'.length), '/run/docker.sock');
  const [pinned = 0] = await freePorts(1);
  const ports = portsIn(ownPorts());
  const target = `{kind: docker, image: "${llamaImage}", pull: never, entrypoint: ${JSON.stringify(entrypoint)}}`;
  const of = { target, engine: `env: {GGML_BACKEND_PATH: ${backend}}` };
  const ids = new Set<string>();
  return {
    before: [],
    beforeThere: enter,
    env: { PATH: `${machine}/bin:${process.env['PATH'] ?? ''}` },
    more: [`hosts: {far: {ssh: box, ports: ${ports[0]}-${ports.at(-1)}}}`],
    deployments: [
      llamaDeployment({ name: 'llama', ...of }),
      llamaDeployment({ name: 'pinned', port: pinned, ...of }),
    ],
    kill: async ({ port }) => {
      for (const { Id } of await containersOf(box)) ids.add(Id);
      for (const pid of enginesAt([port ?? 0])) process.kill(pid, 'SIGKILL');
    },
    inventory: async () => [
      ...(await made(box)),
      ...enginesAt([...ports, pinned]).map((pid) => `process ${pid}`),
      ...processesOf(folder),
      ...cgroupsOf(ids),
      ...listenersIn(inside('cat', '/proc/net/tcp')),
      ...filesIn(join(machine, 'home')),
      ...filesIn(folder),
    ],
    stop: () => {
      box.stop();
      stop();
    },
  };
}
