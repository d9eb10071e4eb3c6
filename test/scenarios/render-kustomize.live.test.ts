import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../src/kube/object.ts';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { clusterFleet } from '../support/cluster-fleet.ts';
import { findKubectl } from '../support/find-kubectl.ts';

const kubectl = findKubectl();
const why = kubectl === null ? ' (skipped: no kubectl)' : '';

let place: Place;

beforeEach(() => {
  place = makePlace();
  place.write(clusterFleet);
});

afterEach(() => place.close());

function objectsOf(text: string): KubeObject[] {
  const objects = parseAllDocuments(text).map((one) => one.toJS() as KubeObject);
  return objects.toSorted((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));
}

function nameOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.name}`;
}

function build(overlay: string): string {
  const folder = join(place.folder, 'deploy/overlays', overlay);
  return execFileSync(kubectl ?? '', ['kustomize', folder], { encoding: 'utf8', stdio: 'pipe' });
}

test.skipIf(kubectl === null)(
  `kubectl builds the overlay of all components to what is written for it, and one of your own elsewhere${why}`,
  async () => {
    const ran = await place.berth('render', '--format', 'kustomize', '--out', 'deploy');
    expect(ran.code, ran.stderr).toBe(0);
    const manifests = await place.berth('render', '--format', 'kubernetes');
    expect(objectsOf(build('all'))).toEqual(objectsOf(manifests.stdout));

    mkdirSync(join(place.folder, 'deploy/overlays/staging'));
    place.write(
      'namespace: staging\nresources: [../../base]\ncomponents: [../../components/gateway, ../../components/namespace]\n',
      'deploy/overlays/staging/kustomization.yaml',
    );
    const staging = objectsOf(build('staging'));
    const other = await place.berth('render', '--format', 'kubernetes', '--namespace', 'staging');
    const left = objectsOf(other.stdout).filter(
      ({ kind, metadata: { name } }) =>
        ['Ingress', 'HTTPRoute', 'Monitor', 'ScaledObject', 'Autoscaler', 'CronJob'].every(
          (one) => !kind.endsWith(one),
        ) && name !== 'bench-nightly',
    );
    expect(staging).toEqual(left);
  },
);

test.skipIf(kubectl === null)(`kubectl builds a gateway without an engine of berth's${why}`, async () => {
  place.write(`version: 1
fleet: lab
gateway: {keys: {ci: "\${env:CI_KEY}"}}
deployments: {far: {engine: {kind: openai, url: "http://far:8000"}}}
`);
  const words = ['--format', 'kustomize', '--gateway', 'b:1', '--namespace', 'llm', '--out', 'deploy'];
  const ran = await place.berth('render', ...words);
  expect(ran.code, ran.stderr).toBe(0);
  const kinds = objectsOf(build('all')).map(({ kind }) => kind);
  expect(kinds).toContain('Deployment');
});
