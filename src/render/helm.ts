import type { KubeObject } from '../kube/object.ts';
import { clusterRefuses, needsOf, objectsOf } from './cluster-objects.ts';
import { yamlOf } from './yaml.ts';
import type { RenderedFile, RenderFormat, RenderInput } from './contract.ts';
import { gatewayNeeds, gatewayObjects } from './gateway-objects.ts';

/** A chart with a template for each object; images and resources are its values, and how many gateways there are. */
export const helmFormat = {
  kind: 'helm',
  title: 'a chart for Helm, a template for each object',
  gateway: () => null,
  refuses: clusterRefuses,
  render: (input) => ({ files: filesOf(input), needs: [...needsOf(input), ...gatewayNeeds(input)] }),
} as const satisfies RenderFormat<'helm'>;

/** A part of an object that a release may choose. */
interface Hole {
  readonly mark: string;
  readonly path: readonly string[];
  readonly value: unknown;
}

interface Template {
  readonly object: KubeObject;
  readonly holes: readonly Hole[];
}

function filesOf(input: RenderInput): RenderedFile[] {
  // The release says where it goes.
  const anywhere = { ...input, namespace: null };
  const templates = [
    ...objectsOf(anywhere).flatMap(({ name, objects }) =>
      objects.map((object) => templateOf(object, ['deployments', name])),
    ),
    ...gatewayObjects(anywhere).map((object) => templateOf(object, ['gateway'])),
  ];
  const chart = {
    apiVersion: 'v2',
    name: chartName(input.fleet),
    description: `The fleet ${input.fleet}, written by berth.`,
    type: 'application',
    version: '0.1.0',
  };
  return [
    { path: 'Chart.yaml', text: yamlOf(chart) },
    { path: 'values.yaml', text: yamlOf(valuesOf(templates)) },
    ...templates.map((template) => ({
      path: `templates/${template.object.kind.toLowerCase()}-${template.object.metadata.name}.yaml`,
      text: textOf(template),
    })),
  ];
}

/** Helm takes small letters, digits and hyphens. */
function chartName(fleet: string): string {
  return fleet.toLowerCase().replaceAll(/[^a-z0-9-]+/g, '-');
}

interface PodPart {
  /** Absent: whoever scales it says how many. */
  readonly replicas?: number;
  readonly template: { readonly spec: { readonly containers: readonly Record<string, unknown>[] } };
}

function templateOf(object: KubeObject, place: readonly string[]): Template {
  if (object.kind === 'RoleBinding') return { object: withNamespace(object), holes: [] };
  if (object.kind !== 'Deployment') return { object, holes: [] };
  const spec = object['spec'] as PodPart;
  const [container, ...beside] = spec.template.spec.containers;
  // Each replica of an engine is a Deployment of its own, as its mark says.
  const counted = place[0] === 'gateway';
  const values = {
    ...(counted ? { replicas: spec.replicas } : {}),
    image: container?.['image'],
    resources: container?.['resources'],
  };
  const holes = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [{ mark: `berth-hole-${name}`, path: [...place, name], value }],
  );
  const pod = {
    ...spec.template.spec,
    containers: [{ ...container, image: 'berth-hole-image', resources: 'berth-hole-resources' }, ...beside],
  };
  return {
    object: {
      ...object,
      spec: {
        ...spec,
        ...(counted && spec.replicas !== undefined ? { replicas: 'berth-hole-replicas' } : {}),
        template: { ...spec.template, spec: pod },
      },
    },
    holes,
  };
}

const releaseNamespace = 'berth-hole-namespace';

function withNamespace(object: KubeObject): KubeObject {
  const subjects = object['subjects'] as readonly object[];
  return { ...object, subjects: subjects.map((one) => ({ ...one, namespace: releaseNamespace })) };
}

function valuesOf(templates: readonly Template[]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const { path, value } of templates.flatMap(({ holes }) => holes)) {
    let at = values;
    for (const part of path.slice(0, -1)) at = (at[part] ??= {}) as Record<string, unknown>;
    at[path.at(-1) ?? ''] = value;
  }
  return values;
}

/** What Helm would take for its own words is written so that it comes out as it stands. */
function textOf({ object, holes }: Template): string {
  let text = yamlOf(object)
    .replaceAll('{{', '{{ "{{" }}')
    .replace(releaseNamespace, '{{ .Release.Namespace }}');
  for (const { mark, path, value } of holes) {
    const found = `index .Values ${path.map((part) => JSON.stringify(part)).join(' ')}`;
    text = text.replace(new RegExp(`^([ -]*)(\\S+): ${mark}$`, 'm'), (_, indent: string, key: string) => {
      if (typeof value === 'object')
        return `${indent}${key}:\n${' '.repeat(indent.length + 2)}{{- toYaml (${found}) | nindent ${indent.length + 2} }}`;
      return `${indent}${key}: {{ ${found}${typeof value === 'string' ? ' | quote' : ''} }}`;
    });
  }
  return text;
}
