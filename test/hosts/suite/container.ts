import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { freePorts, ownPorts, until } from '../../support/berth.ts';
import { importLlama, llamaImage, missingFor, startBox } from '../container-box.ts';
import type { ContainerBox, ContainerEngine } from '../container-box.ts';
import type { SuiteHost, SuiteTarget } from './contract.ts';
import { llamaDeployment } from './engines.ts';
import { enginesAt, filesIn, isAmong, listenersIn, portsIn, processesOf } from './inventory.ts';

/** Containers of a real dockerd, or of a real podman, with stores of their own. */
export function containerTarget(engine: ContainerEngine): SuiteTarget {
  return { name: engine, missing: () => missingFor(engine), start: (folder) => start(engine, folder) };
}

async function start(engine: ContainerEngine, folder: string): Promise<SuiteHost> {
  const box = await startBox(engine);
  const { entrypoint, backend } = await importLlama(box);
  const [pinned = 0] = await freePorts(1);
  const hosts = ownPorts();
  const ports = [...portsIn(hosts), pinned];
  // Podman's own networks would leave rules on the machine, so its containers share the machine's.
  const network = engine === 'podman' ? 'network: host, ' : '';
  const target = `{kind: docker, ${network}image: "${llamaImage}", pull: never, entrypoint: ${JSON.stringify(entrypoint)}}`;
  const of = { target, engine: `env: {GGML_BACKEND_PATH: ${backend}}` };
  const ids = new Set<string>();
  return {
    before: [],
    beforeThere: [],
    env: { DOCKER_HOST: box.host },
    more: [hosts],
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
      ...enginesAt(ports).map((pid) => `process ${pid}`),
      ...processesOf(folder),
      ...listenersIn(readFileSync('/proc/net/tcp', 'utf8')).filter((line) => isAmong(line, ports)),
      ...cgroupsOf(ids),
      ...filesIn(folder),
    ],
    stop: box.stop,
  };
}

/** Podman lists none while one of them goes. */
export function containersOf(box: ContainerBox): Promise<{ Id: string; Names: string[] }[]> {
  return until(async () => {
    const { status, json } = await box.api.ask('GET', '/containers/json?all=1');
    return status === 200 ? (json as { Id: string; Names: string[] }[]) : null;
  }, 'the list of containers');
}

/** What berth could have the daemon make. */
export async function made(box: ContainerBox): Promise<string[]> {
  const volumes = (await box.api.ask('GET', '/volumes')).json as { Volumes: { Name: string }[] | null };
  const networks = (await box.api.ask('GET', '/networks')).json as { Name: string }[];
  return [
    ...(await containersOf(box)).map(({ Id }) => `container ${Id}`),
    ...(volumes.Volumes ?? []).map(({ Name }) => `volume ${Name}`),
    ...networks.map(({ Name }) => `network ${Name}`),
  ].toSorted();
}

/** Control groups that are named after a container, as far as there are any left. */
export function cgroupsOf(ids: ReadonlySet<string>): string[] {
  if (ids.size === 0) return [];
  const found = execFileSync('find', ['/sys/fs/cgroup', '-type', 'd'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  const own = found.split('\n').filter((path) => [...ids].some((id) => path.includes(id)));
  return own.map((path) => `cgroup ${path}`).toSorted();
}
