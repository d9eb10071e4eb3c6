import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../src/kube/object.ts';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { kubeFaults, specsFolder } from '../support/kube-schema.ts';

let place: Place;

beforeEach(() => {
  place = makePlace();
});

afterEach(() => place.close());

function fleet(host: string): string {
  return `version: 1
fleet: lab
id: k3x9
hosts: {k: {kubernetes: {context: ocp, namespace: llm${host}}}}
models: {m: {source: "hf://a/b:Q8_0", at: {k: {pvc: weights, path: m.gguf, fetch: {size: 5Gi}}}}}
gateway: {host: k, image: "r/berth:1", keys: {ci: "\${env:CI_KEY}"}}
deployments: {d: {model: m, port: 8081, engine: {kind: llama.cpp}}, e: {model: m, port: 8082, ownKey: true, engine: {kind: llama.cpp}}}
benchmarks: {night: {of: d, profile: {kind: synchronous}, requests: 3, runsOn: k, image: "r/berth:1"}}
`;
}

async function manifests(host: string): Promise<KubeObject[]> {
  place.write(fleet(host));
  const ran = await place.berth('render', '--format', 'kubernetes', '--namespace', 'llm');
  expect(ran.code, ran.stderr).toBe(0);
  return parseAllDocuments(ran.stdout).map((one) => one.toJS() as KubeObject);
}

interface Pods {
  readonly securityContext: Record<string, unknown>;
  readonly containers: readonly { readonly securityContext: unknown }[];
  readonly volumes: readonly Record<string, { readonly defaultMode?: number }>[];
}

/** The pods of each object that has some, by its name. */
function podsIn(objects: readonly KubeObject[]): Map<string, Pods> {
  return new Map(
    objects.flatMap(({ kind, metadata, spec }) => {
      const { template } = (spec ?? {}) as { template?: { spec: Pods } };
      return template
        ? [[`${kind} ${metadata.name.replace(/-[0-9a-f]{8}$/, '')}`, template.spec] as const]
        : [];
    }),
  );
}

const own = ['Deployment berth-gateway', 'Job bench-night', 'Job weights-fetch'];

test('where the cluster chooses users, no pod names a user or a group, and all else of its security stays', async () => {
  const pods = podsIn(await manifests(', openshift: true'));
  expect([...pods.keys()].toSorted()).toEqual([...own, 'Deployment d', 'Deployment e'].toSorted());
  expect(JSON.stringify([...pods.values()])).not.toMatch(
    /"(runAsUser|runAsGroup|fsGroup|supplementalGroups)"/,
  );
  for (const [name, { securityContext, containers, volumes }] of pods) {
    const nonRoot = own.includes(name) ? { runAsNonRoot: true } : {};
    expect(securityContext, name).toMatchObject({ ...nonRoot, seccompProfile: { type: 'RuntimeDefault' } });
    for (const container of containers)
      expect(container.securityContext, name).toMatchObject({
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      });
    const modes = volumes
      .flatMap((volume) => Object.values(volume))
      .flatMap(({ defaultMode }) => defaultMode ?? []);
    expect(new Set(modes)).toEqual(new Set(modes.length > 0 ? [0o440] : []));
  }
});

test('elsewhere berth has a user of its own', async () => {
  const pods = podsIn(await manifests(''));
  for (const name of own) expect(pods.get(name)?.securityContext, name).toMatchObject({ fsGroup: 10_001 });
});

test.skipIf(specsFolder === undefined)('a strict API server takes both', async () => {
  const all = [...(await manifests(', openshift: true')), ...(await manifests(''))];
  expect(all.flatMap(kubeFaults)).toEqual([]);
});
