import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { until } from '../../support/berth.ts';
import { importLlama, llamaImage, missingFor, onPath, startBox } from '../container-box.ts';
import type { ContainerBox } from '../container-box.ts';
import { containersOf, made } from './container.ts';
import type { ByHand, Seen, SuiteHost, SuiteTarget } from './contract.ts';
import { llamaDeployment } from './engines.ts';
import { enginesAt, filesIn, listenersIn, processesOf } from './inventory.ts';

const bin = resolve(import.meta.dirname, '../../../bin/berth.js');

/** Pods of a real podman, by `podman kube play` of what `berth render --format kubernetes` writes. */
export const kubePlayTarget: SuiteTarget = {
  name: 'kube play',
  note: 'where podman replaces engines, and berth moves no requests for it',
  // Podman makes the image of its pods' first container from it.
  missing: () =>
    missingFor('podman') ?? (onPath('catatonit') || existsSync(catatonit) ? null : 'no catatonit'),
  start,
};

const catatonit = '/usr/libexec/podman/catatonit';

async function start(folder: string): Promise<SuiteHost> {
  const box = await startBox('podman', { network: true });
  const { entrypoint, backend } = await importLlama(box);
  const target = `{kind: kubernetes, image: "docker.io/${llamaImage}", pull: Never, preStop: 0, entrypoint: ${JSON.stringify(entrypoint)}}`;
  const of = { target, engine: `env: {GGML_BACKEND_PATH: ${backend}}`, inPlace: true };
  const places = ['llama', 'other'].map((name, at) => ({ name, port: 18_500 + at }));
  const ports = places.map(({ port }) => port);
  return {
    byHand: byHand(box, folder, places),
    before: box.before,
    beforeThere: box.before,
    env: {},
    more: ['hosts: {box: {kubernetes: {context: none, namespace: suite}}}'],
    deployments: places.map(({ name, port }) => ({
      ...llamaDeployment({ name, port, ...of }),
      url: `http://127.0.0.1:${port}`,
    })),
    kill: ({ port }) => {
      for (const pid of enginesAt([port ?? 0])) process.kill(pid, 'SIGKILL');
      return Promise.resolve();
    },
    inventory: async () => [
      // Podman keeps the one network that pods of all such files share.
      ...(await made(box)).filter((line) => line !== 'network podman-default-kube-network'),
      ...box
        .enter('podman', 'pod', 'ls', '--format', 'pod {{.Name}}')
        .split('\n')
        .filter((line) => line !== ''),
      ...enginesAt(ports).map((pid) => `process ${pid}`),
      ...processesOf(folder),
      ...listenersIn(box.enter('cat', '/proc/net/tcp')),
      ...filesIn(folder).filter((line) => !line.includes('/rendered')),
    ],
    stop: box.stop,
  };
}

/** All but what berth writes there for itself. */
function manifestsIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith('.yaml'));
}

function byHand(
  box: ContainerBox,
  folder: string,
  places: readonly { name: string; port: number }[],
): ByHand {
  const file = join(folder, 'rendered.yaml');
  /** Folders with manifests, each of one state: the last is what is played. */
  const played: string[] = [];
  let wanted = '';

  /** The same file gives the same text: then nothing has to be done. */
  function render(): string {
    const out = join(folder, `rendered-${played.length + 1}`);
    mkdirSync(out);
    const env = { ...process.env, BERTH_STATE_DIR: join(folder, 'state') };
    const words = ['render', '--file', file, '--format', 'kubernetes', '--out', out];
    execFileSync(process.execPath, [bin, ...words], { cwd: folder, env, stdio: 'pipe' });
    const before = played.at(-1);
    return before !== undefined && textsIn(before) === textsIn(out) ? before : out;
  }
  async function play(out: string): Promise<void> {
    for (const name of manifestsIn(out)) box.enter('podman', 'kube', 'play', '--replace', join(out, name));
    await until(() => places.every(({ port }) => answers(box, port)), 'the pods to answer');
  }
  return {
    write: (text) => writeFileSync(file, text),
    apply: async () => {
      wanted = render();
      if (wanted === played.at(-1)) return;
      await play(wanted);
      played.push(wanted);
    },
    rollback: async () => {
      const before = played.at(-2);
      if (before === undefined) throw new Error('nothing was played before');
      await play(before);
      played.push(before);
    },
    replicas: async () => {
      const seen = places.map(async ({ name, port }): Promise<[string, Seen]> => {
        const State = await until(() => stateOf(box, name), `the container of ${name}`);
        const state = answers(box, port) ? 'ready' : 'starting';
        const outdated = played.at(-1) !== wanted;
        return [
          name,
          { state, since: State.StartedAt, url: `http://127.0.0.1:${port}`, port, pid: State.Pid, outdated },
        ];
      });
      return new Map(await Promise.all(seen));
    },
    logs: async (name) => {
      const container = (await containersOf(box)).find((one) => isOf(one, name));
      return box.enter('sh', '-c', `podman logs ${container?.Id} 2>&1`);
    },
    down: async () => {
      const out = played.at(-1) ?? '';
      for (const name of manifestsIn(out)) box.enter('podman', 'kube', 'down', join(out, name));
      await Promise.resolve();
    },
  };
}

/** Podman names a container by its pod, which it names by the Deployment. */
function isOf({ Names }: { Names: readonly string[] }, deployment: string): boolean {
  return Names.some((name) => name.startsWith(`/${deployment}-pod`) && name.endsWith('-engine'));
}

/** Null while podman makes it anew. */
async function stateOf(
  box: ContainerBox,
  deployment: string,
): Promise<{ Pid: number; StartedAt: string } | null> {
  const container = (await containersOf(box)).find((one) => isOf(one, deployment));
  const { status, json } = await box.api.ask('GET', `/containers/${container?.Id}/json`);
  return status === 200 ? (json as { State: { Pid: number; StartedAt: string } }).State : null;
}

function textsIn(folder: string): string {
  return manifestsIn(folder)
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('');
}

function answers(box: ContainerBox, port: number): boolean {
  try {
    box.enter('curl', '-sf', '-m', '5', `http://127.0.0.1:${port}/health`);
    return true;
  } catch {
    return false;
  }
}
