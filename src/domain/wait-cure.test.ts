import { expect, test } from 'vitest';
import { waitCure } from './wait-cure.ts';

test.each([
  ['gets no pod: pods "a-1" is forbidden: exceeded quota: few, requested: pods=1', 'have the quota raised'],
  [
    'finds no node: 0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }',
    'Free some space on the node',
  ],
  ['has failed: The node was low on resource: ephemeral-storage', 'Free some space on the node'],
  [
    'waits in its pod: CreateContainerError: write /var/lib/x: no space left on device',
    'Free some space on the node',
  ],
  ['finds no node: 0/1 nodes are available: 1 Insufficient nvidia.com/gpu', 'ask for less under gpus'],
  [
    "finds no node: 0/2 nodes are available: 2 node(s) didn't match Pod's node affinity",
    'target.nodeSelector',
  ],
  [
    'is being started by its node: MountVolume.SetUp failed for volume "model" : hostPath type check failed',
    'models.*.at',
  ],
  ['answers 503', 'Give it more time (engine.startTimeout)'],
])('what waits as "%s" is to be mended by "%s"', (answer, cure) => {
  expect(waitCure(answer)).toContain(cure);
});
