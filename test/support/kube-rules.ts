import { z } from 'zod';
import type { KubeObject } from '../../src/kube/object.ts';

/** What a server, or whoever looks at the objects later, asks of them beyond their schemas. */

const Labels = z.record(z.string(), z.string());
const Named = z.looseObject({ name: z.string() });
const Amounts = z.record(z.string(), z.string()).default({});

const Container = z.looseObject({
  name: z.string(),
  env: z.array(Named).default([]),
  ports: z.array(z.object({ name: z.string().optional(), containerPort: z.number() })).default([]),
  volumeMounts: z
    .array(z.object({ name: z.string(), mountPath: z.string(), subPath: z.string().optional() }))
    .default([]),
  resources: z.object({ requests: Amounts, limits: Amounts }).default({ requests: {}, limits: {} }),
});
type Container = z.infer<typeof Container>;

const Template = z.object({
  metadata: z.object({ labels: Labels.default({}) }).default({ labels: {} }),
  spec: z.object({
    initContainers: z.array(Container).default([]),
    containers: z.array(Container).min(1),
    volumes: z.array(Named).default([]),
  }),
});
type Template = z.infer<typeof Template>;

const Workload = z.object({ template: Template });
const Scheduled = z.object({ jobTemplate: z.object({ spec: Workload }) });
const Selecting = z.object({ selector: z.object({ matchLabels: Labels }) });
const Served = z.object({
  selector: Labels,
  ports: z.array(
    z.object({ name: z.string(), port: z.number(), targetPort: z.union([z.string(), z.number()]) }),
  ),
});

/** Everything that is wrong of objects that are applied together, each with its object. */
export function setFaults(objects: readonly KubeObject[]): string[] {
  const names = objects.map((one) => `${one.kind} ${one.metadata.name}`);
  const twice = names.filter((name, at) => names.indexOf(name) !== at);
  return [
    ...twice.map((name) => `${name} is there twice`),
    ...objects.flatMap((one) =>
      [...metaFaults(one), ...podFaults(one), ...referenceFaults(one, objects)].map(
        (fault) => `${one.kind} ${one.metadata.name}: ${fault}`,
      ),
    ),
  ];
}

const subdomain = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;
const service = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/;

function metaFaults({ kind, metadata: { name, labels, annotations } }: KubeObject): string[] {
  const form = kind === 'Service' ? service : subdomain;
  // KServe puts "-predictor" behind it, for a Service.
  const room = kind === 'InferenceService' ? 53 : 63;
  const size = JSON.stringify(annotations ?? {}).length;
  return [
    ...(form.test(name) && name.length <= room ? [] : ['no such name is taken']),
    ...Object.entries(labels ?? {}).flatMap(([key, value]) =>
      labelValue.test(value) ? [] : [`the label ${key} may not be ${value}`],
    ),
    ...(size > 262_144 ? ['its annotations are too large'] : []),
  ];
}

function templateOf(object: KubeObject): Template | null {
  if (object.kind === 'CronJob') return Scheduled.parse(object['spec']).jobTemplate.spec.template;
  if (object.kind !== 'Deployment' && object.kind !== 'Job') return null;
  return Workload.parse(object['spec']).template;
}

function podFaults(object: KubeObject): string[] {
  const template = templateOf(object);
  if (!template) return [];
  const { initContainers, containers, volumes } = template.spec;
  const all = [...initContainers, ...containers];
  return [
    ...doubles(all, 'container').map((name) => `two are called ${name}`),
    ...doubles(volumes, 'volume').map((name) => `two are called ${name}`),
    ...all.flatMap((one) => containerFaults(one, volumes).map((fault) => `${one.name}: ${fault}`)),
  ];
}

function doubles(named: readonly { readonly name: string }[], what: string): string[] {
  return named
    .map(({ name }) => name)
    .filter((name, at, names) => names.indexOf(name) !== at)
    .map((name) => `${what} ${name}`);
}

function containerFaults(
  { env, ports, volumeMounts, resources }: Container,
  volumes: readonly { name: string }[],
): string[] {
  const paths = volumeMounts.map(({ mountPath }) => ({ name: mountPath }));
  return [
    ...doubles(env, 'variable').map((one) => `${one} is there twice`),
    ...doubles(paths, 'path').map((one) => `${one} is mounted twice`),
    ...volumeMounts.flatMap(({ name, subPath }) => [
      ...(volumes.some((one) => one.name === name) ? [] : [`there is no volume ${name}`]),
      ...(subPath?.startsWith('/') ? [`the path ${subPath} in a volume is absolute`] : []),
    ]),
    ...ports.flatMap(({ name = '' }) => (name.length > 15 ? [`the port's name ${name} is too long`] : [])),
    ...Object.entries(resources.requests).flatMap(([what, amount]) => {
      const most = resources.limits[what];
      return most === undefined || quantity(amount) <= quantity(most)
        ? []
        : [`it asks for more ${what} than it may take`];
    }),
  ];
}

const factors: Readonly<Record<string, number>> = {
  '': 1,
  m: 0.001,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
};

function quantity(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(text) ?? [];
  return Number(number) * (factors[unit] ?? Number.NaN);
}

/** What it names of the others, or knows them by. */
function referenceFaults(object: KubeObject, objects: readonly KubeObject[]): string[] {
  const { kind } = object;
  const templates = objects.flatMap((one) => templateOf(one) ?? []);
  const selecting = Selecting.safeParse(object['spec']).data?.selector.matchLabels;
  if (kind === 'Deployment') {
    const own = templateOf(object)?.metadata.labels ?? {};
    return selecting && isAmong(selecting, own) ? [] : ['its selector does not meet its own pods'];
  }
  if (kind === 'Service') return serviceFaults(Served.parse(object['spec']), templates);
  const selector =
    kind === 'NetworkPolicy'
      ? z.object({ podSelector: z.object({ matchLabels: Labels }) }).parse(object['spec']).podSelector
          .matchLabels
      : ['PodDisruptionBudget', 'PodMonitor'].includes(kind)
        ? selecting
        : undefined;
  if (selector !== undefined)
    return templates.some(({ metadata }) => isAmong(selector, metadata.labels)) ? [] : ['it meets no pods'];
  if (kind === 'ServiceMonitor')
    return objects.some(
      (one) => one.kind === 'Service' && isAmong(selecting ?? {}, one.metadata.labels ?? {}),
    )
      ? []
      : ['it meets no Service'];
  const text = JSON.stringify(object['spec'] ?? {});
  const [, scaled] = /"scaleTargetRef":\{[^}]*"name":"([^"]+)"/.exec(text) ?? [];
  if (scaled !== undefined) return isThere(objects, 'Deployment', scaled);
  const [, reached] =
    /"(?:backendRefs":\[\{[^}]*"kind":"Service",|service":\{)"name":"([^"]+)"/.exec(text) ?? [];
  return reached === undefined ? [] : isThere(objects, 'Service', reached);
}

function isThere(objects: readonly KubeObject[], kind: string, name: string): string[] {
  return objects.some((one) => one.kind === kind && one.metadata.name === name)
    ? []
    : [`there is no ${kind} ${name}`];
}

function isAmong(
  wanted: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}

function serviceFaults(
  { selector, ports }: z.infer<typeof Served>,
  templates: readonly Template[],
): string[] {
  const met = templates.filter(({ metadata }) => isAmong(selector, metadata.labels));
  const offered = met.flatMap(({ spec }) => spec.containers.flatMap((one) => one.ports));
  return [
    ...(met.length === 0 ? ['it meets no pods'] : []),
    ...ports.flatMap(({ targetPort }) =>
      offered.some((one) => one.name === targetPort || one.containerPort === targetPort)
        ? []
        : [`no pod of its has the port ${targetPort}`],
    ),
  ];
}
