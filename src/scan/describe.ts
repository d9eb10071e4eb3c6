import { flagValue } from '../domain/command-line/flags.ts';
import { baseName } from '../domain/command-line/unwrap.ts';
import { isFollower } from '../domain/command-line/follower.ts';
import { redact, redactText } from '../domain/command-line/redact.ts';
import { keeperOf } from '../domain/keeper.ts';
import { isShared } from './shared.ts';
import type { Owner } from '../domain/instance.ts';
import { areForked } from '../domain/forked-workers.ts';
import type { Listener, ProcessEntry, ProcessTable } from '../domain/process-facts.ts';
import type { ScannedEndpoint, ScannedServer } from '../domain/scan-report.ts';
import { isSocketFile } from '../domain/socket-file.ts';
import type { FoundServer } from './find-servers.ts';
import type { DescribeContext, Looked } from './seen.ts';

/** One server of the report, from all that was seen and answered; pure. */
export function describe(looked: Looked, context: DescribeContext): ScannedServer {
  const { server, probed, file, published } = looked;
  const { entry, recognized, family } = server;
  const engine = recognized.engine === 'unknown' ? (probed?.engine ?? 'unknown') : recognized.engine;
  const mark = markOf(server, context);
  const owner = ownerOf(entry, mark, context);
  const endpoints = endpointsOf(server, published, context.ownNetns);
  const gpus = gpusOf(family, context);
  const model = recognized.model ?? probed?.identity?.modelPath ?? probed?.served[0] ?? null;
  return {
    engine,
    title: engine === 'unknown' ? 'OpenAI-compatible server' : context.titleOf(engine),
    model: model === null ? null : redactText(model),
    modelId: snapshotOf(recognized.model) ?? file?.id ?? repositoryOf(recognized.model),
    modelBytes: file?.bytes ?? null,
    process: { bootId: context.table.bootId, pid: entry.pid, startTicks: entry.startTicks },
    command: redact(entry.argv),
    ...(recognized.child ? { worker: true } : {}),
    owner,
    ...(isShared(server, context) ? { shared: true } : {}),
    mark,
    wantedPort: recognized.port,
    ...(recognized.host === null ? {} : { wantedHost: recognized.host }),
    netns: entry.netns,
    endpoints,
    ...stateOf(looked, { endpoints, context }),
    served: [...(probed?.served ?? [])],
    version: probed?.identity?.version ?? null,
    rssBytes: sum(family.map((member) => member.rssBytes)),
    rssFileBytes: sum(family.map((member) => member.rssFileBytes)),
    gpuBytes: gpuBytesOf(gpus),
    gpus,
    startedAt: new Date(entry.startedAt).toISOString(),
    quotaCores: looked.quotaCores,
    memoryLimitBytes: looked.memoryLimitBytes,
    memoryKills: looked.memoryKills,
    told: {
      slots: probed?.identity?.slots ?? null,
      context: probed?.identity?.context ?? null,
      tokens: probed?.tokens ?? null,
    },
    ignored: context.ignoredBy(engine, Object.keys(entry.env ?? {})),
    openSecrets: [...looked.openSecrets],
    options: { ...recognized.options },
    keyed: probed?.keyed ?? keyedBy(server),
    exposes: [...(recognized.exposes ?? [])],
    children: server.children.map((child) => ({
      pid: child.entry.pid,
      engine: child.recognized.engine,
      model: child.recognized.model === null ? null : redactText(child.recognized.model),
      ports: portsOf(child.entry, context),
    })),
  };
}

/** A key in an environment that rights hide is not known to be missing. */
function keyedBy({ entry, recognized }: FoundServer): boolean | null {
  return recognized.keyed === false && entry.env === null ? null : (recognized.keyed ?? null);
}

/** A repository's name means the same model wherever it stands; a path does not, and a served name is anybody's choice. */
function repositoryOf(model: string | null): string | null {
  return model !== null && /^[\w.-]+\/[\w.-]+(:[\w.-]+)?$/.test(model) && !model.endsWith('.gguf')
    ? model
    : null;
}

/** The repository and the revision that a folder of the hub's cache is of: "org/m@0123abcd". */
function snapshotOf(model: string | null): string | null {
  const [, owner, name, revision] =
    /\/models--([\w.-]+?)--([\w.-]+)\/snapshots\/([^/]+)\/?$/.exec(model ?? '') ?? [];
  return owner === undefined ? null : `${owner}/${name}@${revision}`;
}

/**
 * The API's port where the command line names it, else all: some engines open ports for their own workers too.
 * Ports of this machine that are forwarded to it come first: that is where its clients find it.
 */
function endpointsOf(
  server: FoundServer,
  published: readonly Listener[],
  ownNetns: string,
): ScannedEndpoint[] {
  const named = server.listeners.filter((listener) => listener.port === server.recognized.port);
  const shown = [...published, ...(named.length > 0 ? named : server.listeners)];
  return shown.map(({ address, port, netns }) => ({ address, port, netns, here: netns === ownNetns }));
}

function portsOf(entry: ProcessEntry, context: DescribeContext): number[] {
  const ports = context.listeners
    .filter((listener) => listener.pids.includes(entry.pid))
    .map(({ port }) => port);
  return [...new Set(ports)];
}

function stateOf(
  { server, probed }: Looked,
  { endpoints, context }: { endpoints: readonly ScannedEndpoint[]; context: DescribeContext },
): Pick<ScannedServer, 'state' | 'evidence'> {
  if (probed) return { state: probed.state, evidence: [...probed.evidence] };
  if (endpoints.length > 0) {
    return {
      state: 'unknown',
      evidence: ['It listens in another network namespace, which cannot be asked from here.'],
    };
  }
  const elsewhere = notOnPort(server, context);
  if (elsewhere !== null) return { state: 'unknown', evidence: [elsewhere] };
  // Another user's sockets cannot be told apart: that it listens nowhere is then no fact.
  if (server.entry.netns === null) {
    return { state: 'unknown', evidence: ['It belongs to another user, whose sockets are hidden.'] };
  }
  return { state: 'silent', evidence: ['It has no listening port.'] };
}

/** Why a server without a port is none that fails; null where nothing says so. */
function notOnPort({ entry, recognized }: FoundServer, { table }: DescribeContext): string | null {
  const socket = flagValue(entry.argv, '--uds') ?? recognized.host ?? '';
  if (isSocketFile(socket)) return `It listens on the socket ${socket}, which has no port.`;
  if (isFollower(entry.argv)) return 'It computes for a server elsewhere, and has no port of its own.';
  if (!recognized.child) return null;
  if (!areForked(recognized.engine)) return 'It is a worker, which takes its requests from another program.';
  const parent = table.processes.get(entry.ppid);
  return parent && !tookOver(parent, entry, table)
    ? `It is a worker that process ${parent.pid} started.`
    : null;
}

/** Whether a process has taken over one whose parent has ended. What a container begins with starts its first child itself. */
function tookOver(parent: ProcessEntry, child: ProcessEntry, { processes }: ProcessTable): boolean {
  const name = baseName(parent.argv[0] ?? '');
  if (/^(tini(-static)?|docker-init|podman-init|dumb-init|catatonit)$/.test(name))
    return [...processes.values()].some(
      ({ ppid, startTicks }) => ppid === parent.pid && startTicks < child.startTicks,
    );
  return parent.pid === 1 || /^(systemd|init)$/.test(name);
}

function markOf(server: FoundServer, context: DescribeContext): ScannedServer['mark'] {
  const pids = new Set(server.family.map((entry) => entry.pid));
  const above = new Set([server.entry.ppid]);
  const instance = context.marks.find(({ process, object }) =>
    process ? pids.has(process.pid) || above.has(process.pid) : isInside(server.entry, object.id),
  );
  const mark = instance?.mark;
  return mark ? { fleet: mark.fleet, deployment: mark.deployment, replica: mark.replica } : null;
}

/** A daemon in a namespace of its own counts its processes otherwise: there the container tells whose a process is. */
function isInside({ cgroup }: ProcessEntry, object: string): boolean {
  const id = /#([0-9a-f]{64})$/.exec(object)?.[1];
  return id !== undefined && (cgroup?.includes(id) ?? false);
}

function ownerOf(
  entry: ProcessEntry,
  mark: ScannedServer['mark'],
  { users, table }: Pick<DescribeContext, 'users' | 'table'>,
): Owner {
  const { kind, name, uid } = keeperOf(entry, table);
  const id = uid ?? entry.uid;
  const user = users.get(id) ?? String(id);
  if (mark) return { kind: 'berth', name: `${mark.fleet}/${mark.deployment}`, user };
  return { kind, name, user };
}

function sum(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
}

/** What the first namespace of processes is called by every kernel. */
const firstPidns = '4026531836';

/** Tools of GPUs count processes as the machine does: within a namespace of processes those are other numbers, which must not meet. */
function gpusOf(family: readonly ProcessEntry[], context: DescribeContext): ScannedServer['gpus'] {
  if (context.ownPidns !== null && context.ownPidns !== firstPidns) return [];
  const pids = new Set(family.map((entry) => entry.pid));
  return context.gpus.flatMap((gpu) => {
    const own = gpu.processes.filter((process) => pids.has(process.pid));
    return own.length === 0
      ? []
      : [{ index: gpu.index, memoryBytes: sum(own.map((process) => process.memoryBytes)) }];
  });
}

/** Null without a GPU tool; a server that the tool does not list holds none. */
function gpuBytesOf(gpus: ScannedServer['gpus']): number | null {
  return gpus.length === 0 ? null : sum(gpus.map((one) => one.memoryBytes));
}
