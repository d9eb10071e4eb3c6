import { expect, test } from 'vitest';
import type { PodLive } from './answers.ts';
import { differencesOf } from './differences.ts';
import { expectUntracked, otherOwner, trackerOf } from './ownership.ts';
import { endingOf, imageFault, isRolledOut, servingPod, waitsFor } from './state.ts';
import type { Made } from './state.ts';

const revision = 'deployment.kubernetes.io/revision';

function owned(name: string, owner: string): { name: string; uid: string; ownerReferences: never[] } {
  const reference = { kind: 'X', name: owner, uid: owner } as never;
  return { name, uid: name, ownerReferences: [reference] };
}

type PodStatus = NonNullable<PodLive['status']>;

function podOf(status: PodStatus, name = 'new-1', set = 'new'): PodLive {
  return { metadata: owned(name, set), status };
}

const ready: PodStatus = { podIP: '10.0.0.9', conditions: [{ type: 'Ready', status: 'True' }] };

function made(pods: PodLive[], change: { generation?: number; status?: Record<string, number> } = {}): Made {
  const { generation = 2 } = change;
  const status = { observedGeneration: 2, replicas: 1, updatedReplicas: 1, availableReplicas: 1 };
  return {
    deployment: {
      metadata: { name: 'toy', uid: 'd', generation, annotations: { [revision]: '2' } },
      spec: { replicas: 1 },
      status: { ...status, ...change.status },
    },
    replicaSets: [
      { metadata: { ...owned('old', 'd'), annotations: { [revision]: '1' } } },
      { metadata: { ...owned('new', 'd'), annotations: { [revision]: '2' } } },
    ],
    pods,
  };
}

test('a pod of what was before does not serve for what is now, though it answers on the same port', () => {
  expect(servingPod(made([podOf(ready, 'old-1', 'old')]))).toBeNull();
  expect(servingPod(made([podOf(ready)]))?.metadata.name).toBe('new-1');
  expect(servingPod(made([podOf(ready)], { generation: 3 }))).toBeNull();
});

test('a rollout is over when the latest change was seen and every pod is of it', () => {
  expect(isRolledOut(made([podOf(ready)]))).toBe(true);
  expect(isRolledOut(made([podOf(ready)], { generation: 3 }))).toBe(false);
  expect(isRolledOut(made([podOf(ready)], { status: { replicas: 2 } }))).toBe(false);
  expect(isRolledOut(made([podOf(ready)], { status: { availableReplicas: 0 } }))).toBe(false);
});

function waiting(reason: string, message?: string): PodStatus {
  return { containerStatuses: [{ name: 'engine', state: { waiting: { reason, message } } }] };
}

test('what it waits for is told in the words of the cluster', () => {
  const nowhere = [{ type: 'PodScheduled', status: 'False', message: '0/3 nodes: no GPU.' }];
  expect(waitsFor(made([podOf({ conditions: nowhere })]))).toBe('finds no node: 0/3 nodes: no GPU');
  expect(waitsFor(made([podOf(waiting('CreateContainerConfigError', 'secret "x" not found'))]))).toBe(
    'waits in its pod: CreateContainerConfigError: secret "x" not found',
  );
  expect(waitsFor(made([]))).toBe('has no pod yet');
  expect(waitsFor(made([podOf(ready)]))).toBeNull();
});

test('an image is given up on only when its node has', () => {
  expect(imageFault(made([podOf(waiting('ErrImagePull', 'not found'))]))).toBeNull();
  expect(imageFault(made([podOf(waiting('ImagePullBackOff', 'Back-off pulling x'))]))).toEqual({
    image: null,
    reason: 'Back-off pulling x',
  });
});

test('an engine that ended before this start is no end of this one', () => {
  const killed = { terminated: { exitCode: 137, reason: 'OOMKilled' } };
  const status = { containerStatuses: [{ name: 'engine', restartCount: 1, lastState: killed }] } as PodStatus;
  const now = made([podOf(status)]);
  expect(endingOf(now)).toEqual({ code: 137, signal: null, outOfMemory: true });
  expect(endingOf(now, new Map([['new-1', 1]]))).toBeNull();
  expect(endingOf(now, new Map([['new-1', 0]]))).not.toBeNull();
  expect(endingOf({ ...now, deployment: made([], { generation: 3 }).deployment })).toBeNull();
});

test('an engine whose pod the cluster takes away has not ended by itself', () => {
  const pod = podOf({ containerStatuses: [{ name: 'engine', state: { terminated: { exitCode: 0 } } }] });
  expect(endingOf(made([pod]))).not.toBeNull();
  const leaving = { ...pod, metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
  expect(endingOf(made([leaving]))).toBeNull();
});

test('objects of others are told by their labels, and those that another program keeps by its marks', () => {
  const own = { fleet: 'lab', fleetId: 'x' };
  function live(
    labels: Record<string, string>,
    annotations: Record<string, string> = {},
  ): Parameters<typeof trackerOf>[0] {
    return { metadata: { name: 'toy', uid: 'u', labels, annotations } };
  }
  expect(otherOwner(live({}), own)).toBe('was not made by berth');
  expect(otherOwner(live({ 'berth.dev/fleet': 'lab', 'berth.dev/fleet-id': 'y' }), own)).toBe(
    'belongs to fleet lab',
  );
  expect(otherOwner(live({ 'berth.dev/fleet': 'lab', 'berth.dev/fleet-id': 'x' }), own)).toBeNull();
  expect(trackerOf(live({ 'kustomize.toolkit.fluxcd.io/name': 'apps' }))).toBe('Flux');
  expect(trackerOf(live({}, { 'meta.helm.sh/release-name': 'toy' }))).toBe('Helm');
  expect(trackerOf(live({}))).toBeNull();
  expect(() => expectUntracked('Deployment', live({}))).not.toThrow();
  expect(() => expectUntracked('Deployment', live({}, { 'meta.helm.sh/release-name': 'toy' }))).toThrow(
    'Deployment toy is tracked by Helm',
  );
});

test('differences are told field by field, lists by the names in them, and what the cluster writes is none', () => {
  const live = {
    metadata: { resourceVersion: '7', annotations: { [revision]: '4' } },
    spec: {
      replicas: 2,
      env: [
        { name: 'B', value: '1' },
        { name: 'A', value: '2' },
      ],
    },
    status: { replicas: 2 },
  };
  const wanted = {
    metadata: { resourceVersion: '9', annotations: {} },
    spec: {
      replicas: 1,
      env: [
        { name: 'A', value: '3' },
        { name: 'B', value: '1' },
      ],
    },
  };
  expect(differencesOf(live, wanted)).toEqual([
    { field: 'spec.replicas', marked: '1', live: '2' },
    { field: 'spec.env.A.value', marked: '3', live: '2' },
  ]);
});

test('Helm signs what it installs, which nobody has changed by that; without Helm it is a change', () => {
  const label = 'app.kubernetes.io/managed-by';
  const wanted = { metadata: { labels: { [label]: 'berth' }, annotations: {} } };
  const annotations = { 'meta.helm.sh/release-name': 'lab' };
  const live = { labels: { [label]: 'Helm' }, annotations };
  const same = { metadata: { ...wanted.metadata, annotations } };
  expect(differencesOf({ metadata: live }, same)).toEqual([]);
  expect(differencesOf({ metadata: { ...live, annotations: {} } }, wanted)).toHaveLength(1);
});
