import { holdSecret } from '../../domain/command-line/redact.ts';
import type { DefinedServer } from '../../domain/audit/observation.ts';
import { secretVariable } from '../../domain/audit/secret-variable.ts';
import { secretByLooks } from '../../domain/command-line/written-secret.ts';
import { unwrap } from '../../domain/command-line/unwrap.ts';
import { engineOf } from '../../engines/registry.ts';
import { objectName } from '../../kube/names.ts';
import type { ForeignEngine, ForeignService, ForeignWorkload } from '../../targets/kubernetes/foreign.ts';
import { engineProgram } from './engine-program.ts';
import type { Entry, Refused } from './entries.ts';
import { notTaken } from './not-taken.ts';
import { amountsFound, gpusFound } from './pod-amounts.ts';
import { patchFor, secretIn } from './pod-patch.ts';
import { leadsTo, reachedBy } from './only-reached.ts';
import { placesOf } from './pod-places.ts';
import { servedName } from './served-name.ts';
import { unstatedSlots } from './unstated-slots.ts';

export interface WorkloadContext {
  /** Names of deployments and of models that the file has already. */
  readonly deployments: ReadonlySet<string>;
  readonly models: ReadonlySet<string>;
  readonly services: readonly ForeignService[];
  /** The model server that a container runs; null for anything else. */
  readonly serverOf: (container: ForeignEngine) => DefinedServer | null;
}

/** Deployments of a cluster as entries of a fleet file, and what else runs model servers there, with why it is none. Pure. */
export function workloadEntries(
  workloads: readonly ForeignWorkload[],
  context: WorkloadContext,
): { entries: Entry[]; refused: Refused[] } {
  const entries: Entry[] = [];
  const refused: Refused[] = [];
  for (const workload of workloads) {
    const { containers } = workload.spec.template.spec;
    const found = containers.flatMap((container) => {
      const server = context.serverOf(container);
      return server ? [{ container, server }] : [];
    });
    const [one] = found;
    if (workload.marked || !one) continue;
    const made =
      found.length > 1
        ? `its pods run ${found.length} model servers (${found.map(({ container }) => container.name).join(', ')})`
        : entryOf(workload, one, context);
    if (typeof made === 'string')
      refused.push({ server: `${one.server.engine} of ${titleOf(workload)}`, reason: made });
    else entries.push(made);
  }
  return { entries, refused };
}

interface Found {
  readonly container: ForeignEngine;
  readonly server: DefinedServer;
}

function titleOf({ kind, name }: Pick<ForeignWorkload, 'kind' | 'name'>): string {
  return `${kind} ${name}`;
}

/** An entry, or why there is none. */
function entryOf(workload: ForeignWorkload, found: Found, context: WorkloadContext): Entry | string {
  const { name, uid, spec } = workload;
  const { container, server } = found;
  const engine = engineOf(server.engine);
  const because =
    untoldOf(workload, reachedBy(spec, { services: context.services, port: portOf(found) })) ??
    untoldName(workload, context) ??
    untoldContainer(found, spec.template.spec) ??
    untoldPort(found, context, spec);
  if (because !== null) return because;
  if (!engine.launch || !engine.options) return 'it is an engine that berth does not start';
  const places = placesOf(spec.template.spec, container, server);
  if (typeof places === 'string') return places;
  const words = programOf(container);
  if (typeof words === 'string') return words;
  const resources = amountsFound(container.resources);
  const gpus = gpusFound(container.resources);
  if (typeof resources === 'string') return resources;
  const options = optionsOf(found, gpus?.accelerator);
  if (holdSecret(options)) return 'its command line holds a secret';
  const issue = engine.options.safeParse(options).error?.issues[0];
  if (issue) return `a fleet file cannot say ${issue.path.join('.')}: ${issue.message}`;
  const patch = patchFor(spec, container);
  const secret = secretIn(patch);
  if (secret !== null) return `its pods are made with ${secret}, which has no place in a fleet file`;
  const model = notTaken(name, context.models);
  return {
    name,
    from: titleOf(workload),
    pid: null,
    engine: server.engine,
    because: null,
    model: places.model === null ? null : { name: model, ...places.model },
    deployment: {
      ...(places.model === null ? {} : { model }),
      port: portOf(found),
      ...(gpus === null ? {} : { gpus: gpus.count }),
      ...(resources === null ? {} : { resources }),
      engine: options,
      target: {
        ...targetOf(workload, { container, words, context, patch }),
        ...(gpus?.resource === undefined ? {} : { gpuResource: gpus.resource }),
        ...(places.shm === null ? {} : { shm: places.shm }),
      },
    },
    mark: {
      target: 'kubernetes',
      foreign: { process: null, unit: null, workload: { name, uid } },
      address: '127.0.0.1',
    },
  };
}

function optionsOf({ container, server }: Found, accelerator: string | undefined): Record<string, unknown> {
  const env = variablesOf(container);
  const { binary: _binary, args, ...stated } = server.options;
  return {
    kind: server.engine,
    ...servedName(server.engine, stated, server.model),
    ...stated,
    ...unstatedSlots(server, container.image ?? null),
    ...(accelerator === undefined ? {} : { accelerator }),
    ...(Array.isArray(args) && args.length > 0 ? { args } : {}),
    ...(Object.keys(env).length > 0 ? { env } : {}),
  };
}

/** What of it berth could not keep as it is. */
function untoldOf({ kind, keeper, spec }: ForeignWorkload, instead: string): string | null {
  if (keeper !== null) return `it is kept by ${keeper}, which would set it as it was: change it there`;
  if (kind !== 'Deployment')
    return `berth runs Deployments, and a ${kind} could not be changed into one; ${instead}`;
  if ((spec.replicas ?? 1) !== 1)
    return spec.replicas === 0
      ? 'it is scaled to no pod'
      : `it has ${spec.replicas} pods, and of berth's each has a Deployment of its own; ${instead}`;
  if (spec.selector?.['matchExpressions']) return 'it knows its pods by expressions, not by labels alone';
  const { containers, initContainers } = spec.template.spec;
  const all = [...containers, ...(initContainers ?? [])].map(({ name }) => name);
  return all.length > 1
    ? `its pods have containers beside the engine (${all.join(', ')}), which a change would take away`
    : null;
}

function untoldName({ name }: ForeignWorkload, { deployments }: WorkloadContext): string | null {
  if (objectName(name, 0) !== name)
    return 'its name is none that a deployment can have (up to 48 of a-z, 0-9 and "-")';
  return deployments.has(name) ? `the file has a deployment ${name} already` : null;
}

function untoldContainer(
  { container, server }: Found,
  { hostNetwork }: Readonly<Record<string, unknown>>,
): string | null {
  const { securityContext, env, command, args, ports, resources, lifecycle } = container;
  if (server.keyed === true) return 'it asks for a key that berth does not know';
  if (server.model === null) return 'what it serves is not known';
  if ([...(command ?? []), ...(args ?? [])].some((word) => word.includes('$(')))
    return 'its command line has variables that the cluster fills in';
  if (container['envFrom']) return 'its variables come from an object of the cluster as a whole (envFrom)';
  if (container['workingDir']) return 'its container starts in a folder of its own (workingDir)';
  if (securityContext?.privileged) return 'its container is privileged';
  const [added] = securityContext?.capabilities?.add ?? [];
  if (added !== undefined) return `its container has a right beyond the usual (${added})`;
  const fixed = (ports ?? []).find(({ hostPort }) => hostPort)?.hostPort;
  // In the network of the node a cluster writes them itself.
  if (fixed !== undefined && hostNetwork !== true)
    return `its container takes port ${fixed} of its node (hostPort)`;
  const [claim] = resources?.claims ?? [];
  if (claim) return `its container has a device by a claim (${claim.name})`;
  const [hook] = Object.keys(lifecycle ?? {});
  if (hook !== undefined) return `its container runs something when it starts or ends (${hook})`;
  for (const { name, value, valueFrom } of env ?? []) {
    if (valueFrom && !valueFrom.secretKeyRef)
      return `its variable ${name} comes from the cluster (valueFrom)`;
    if (value && secretVariable.test(name)) return `a variable of its container holds a secret (${name})`;
    const what = secretByLooks(value ?? '');
    if (what !== null) return `a variable of its container holds ${what} (${name})`;
  }
  return null;
}

function untoldPort(
  found: Found,
  { services }: WorkloadContext,
  spec: ForeignWorkload['spec'],
): string | null {
  if (portOf(found) === null) return 'its port is not known';
  const named = services.find(
    (service) =>
      leadsTo(service, spec) &&
      service.ways.some(({ target }) => typeof target === 'string' && target !== 'http'),
  );
  return named
    ? `Service ${named.name} leads to a port by its name, and of berth's pods that is called "http": name its number there`
    : null;
}

function portOf({ container, server }: Found): number | null {
  const [only, ...more] = container.ports ?? [];
  return server.port ?? (more.length === 0 ? (only?.containerPort ?? null) : null);
}

/** What is run before the arguments; null: the program of the image. */
function programOf({ command, args }: ForeignEngine): readonly string[] | null | string {
  if (!command || command.length === 0) return null;
  const words = [...command, ...(args ?? [])];
  const [own] = unwrap(words);
  const before = own ? words.slice(0, words.length - own.args.length) : [];
  if (!own || before.length === 0 || own.args.join('\0') !== words.slice(before.length).join('\0'))
    return 'its container starts it by a script or shell';
  return engineProgram(before);
}

function variablesOf({ env }: ForeignEngine): Record<string, unknown> {
  return Object.fromEntries(
    (env ?? []).map(({ name, value, valueFrom }) => {
      const ref = valueFrom?.secretKeyRef;
      return [name, ref ? { secret: { secretRef: { name: ref.name, key: ref.key } } } : (value ?? '')];
    }),
  );
}

function targetOf(
  { name, spec }: ForeignWorkload,
  {
    container,
    words,
    context,
    patch,
  }: {
    container: ForeignEngine;
    words: readonly string[] | null;
    context: WorkloadContext;
    patch: Record<string, unknown> | null;
  },
): Record<string, unknown> {
  const { template, selector, strategy } = spec;
  const pod = template.spec;
  const account = pod.serviceAccountName ?? 'default';
  const taken = context.services.some((one) => one.name === name);
  return {
    kind: 'kubernetes',
    ...(container.image ? { image: container.image } : {}),
    ...(words === null ? {} : { entrypoint: words }),
    ...(container.imagePullPolicy && container.imagePullPolicy !== 'IfNotPresent'
      ? { pull: container.imagePullPolicy }
      : {}),
    ...(strategy?.type ? { strategy: strategy.type } : {}),
    ...(pod.nodeSelector && Object.keys(pod.nodeSelector).length > 0
      ? { nodeSelector: pod.nodeSelector }
      : {}),
    ...(pod.tolerations && pod.tolerations.length > 0 ? { tolerations: pod.tolerations } : {}),
    ...(account === 'default' ? {} : { serviceAccount: account }),
    ...(pod.imagePullSecrets && pod.imagePullSecrets.length > 0
      ? { pullSecrets: pod.imagePullSecrets.map((one) => one.name) }
      : {}),
    selector: selector?.matchLabels ?? {},
    // The Service of others leads to the pods by their labels, as before.
    ...(taken ? { service: { name: `${name}-berth` } } : {}),
    ...(patch === null ? {} : { patch }),
  };
}
