import { keyOf } from './shared-objects.ts';
import { quoteWord } from '../domain/command-line/quote-word.ts';
import type { Mark } from '../domain/instance.ts';
import { objectName } from '../kube/names.ts';
import type { KubeObject } from '../kube/object.ts';
import { clusterRefuses, needsOf, objectsOf, objectsOfReplica, wayOf } from './cluster-objects.ts';
import type { RenderedDeployment, RenderedFile, RenderFormat, RenderInput } from './contract.ts';
import { gatewayNeeds, gatewayObjects } from './gateway-objects.ts';
import { isOfFirst, someReplica, templateOf, templateText } from './helm-template.ts';
import type { Template } from './helm-template.ts';
import { valuesOf, valuesSchema } from './helm-values.ts';
import { insideNewNamespace, newNamespaceObjects } from './namespace-objects.ts';
import { yamlOf } from './yaml.ts';

/** A chart with a template for each object; images, resources and how many there are of each are its values. */
export const helmFormat = {
  kind: 'helm',
  title: 'a chart for Helm, a template for each object',
  place: 'cluster',
  gateway: () => null,
  refuses: clusterRefuses,
  render: (input) => ({
    files: filesOf(input),
    needs: [...namespaceNeeds(input), ...needsOf(input), ...gatewayNeeds(input)],
  }),
} as const satisfies RenderFormat<'helm'>;

function filesOf(input: RenderInput): RenderedFile[] {
  // The release says where it goes.
  const anywhere = { ...input, namespace: null };
  const kept = new Map(objectsOf(anywhere).map(({ name, objects }) => [name, objects]));
  const templates = [
    ...insideNewNamespace(input).map((object) => templateOf(object, [])),
    ...input.deployments.flatMap((one) => templatesOf(anywhere, one, kept.get(one.name) ?? [])),
    ...gatewayObjects(anywhere).map((object) => templateOf(object, ['gateway'], { pods: true })),
  ];
  const counts = input.deployments.filter(canBeCounted);
  const values = valuesOf(templates, new Map(counts.map(({ name, replicas }) => [name, replicas])));
  const chart = {
    apiVersion: 'v2',
    name: chartName(input.fleet),
    description: `The fleet ${input.fleet}, written by berth.`,
    type: 'application',
    version: '0.1.0',
  };
  return [
    { path: 'Chart.yaml', text: yamlOf(chart) },
    { path: 'values.yaml', text: yamlOf(values) },
    { path: 'values.schema.json', text: `${JSON.stringify(valuesSchema(values), null, 2)}\n` },
    ...templates.map((template) => ({ path: pathOf(template), text: templateText(template) })),
  ];
}

/** Helm makes a namespace by an option of its own, and without labels. */
function namespaceNeeds(input: RenderInput): string[] {
  const [namespace] = newNamespaceObjects(input);
  if (!namespace) return [];
  const { name } = namespace.metadata;
  const labels = Object.entries(input.newNamespace?.labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return labels.length === 0
    ? [
        `The namespace ${name} is made by: helm install ${chartName(input.fleet)} . -n ${name} --create-namespace`,
      ]
    : [
        `The namespace ${name} is made before: kubectl create namespace ${name}; kubectl label namespace ${name} ${labels.map(quoteWord).join(' ')}`,
      ];
}

/** Helm takes small letters, digits and hyphens. */
function chartName(fleet: string): string {
  return fleet.toLowerCase().replaceAll(/[^a-z0-9-]+/g, '-');
}

function pathOf({ object: { kind, metadata } }: Template): string {
  return `templates/${kind.toLowerCase()}-${metadata.name.replace(`-${someReplica}`, '')}.yaml`;
}

/** A name that has to be made to fit is another one for each replica, which no template can tell. */
function canBeCounted(deployment: RenderedDeployment): boolean {
  const { name } = deployment;
  if (!wayOf(deployment).canBeCounted(deployment)) return false;
  return objectName(name, someReplica) === `${name}-${someReplica}`;
}

/** The objects of one replica, as many times as a release wants; what the first has for all, once. */
function templatesOf(
  input: RenderInput,
  deployment: RenderedDeployment,
  kept: readonly KubeObject[],
): Template[] {
  const { name } = deployment;
  const place = ['deployments', name];
  if (!canBeCounted(deployment)) return kept.map((object) => templateOf(object, place));
  const counted = { name, path: [...place, 'replicas'] };
  const first = objectsOfReplica(input, deployment, (mark) => mark).filter((object) =>
    kept.some((one) => keyOf(one) === keyOf(object)),
  );
  const other = objectsOfReplica(input, deployment, withReplica);
  return first.map((object) => {
    const same = other.find((one) => one.kind === object.kind && isOtherOf(one, object));
    // A runtime that all replicas share is the same for any of them.
    const isAlone = same === undefined || JSON.stringify(same) === JSON.stringify(object);
    const own = templateOf(object, place);
    if (isAlone) return own;
    const each = templateOf(same, place, { counted });
    return isOfFirst(same, object, name) ? each : { ...each, first: own.object };
  });
}

function withReplica(mark: Mark): Mark {
  return { ...mark, replica: someReplica };
}

function isOtherOf(other: KubeObject, object: KubeObject): boolean {
  return other.metadata.name.replace(`-${someReplica}`, '') === object.metadata.name;
}
