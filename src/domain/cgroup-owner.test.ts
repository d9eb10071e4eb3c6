import { expect, test } from 'vitest';
import { ownerOfCgroup } from './cgroup-owner.ts';

const id = 'a1b2c3d4e5f6'.padEnd(64, '0');
const uid = '0f3c9a52-1111-2222-3333-444455556666';

const cases: readonly (readonly [string, string, Record<string, unknown>])[] = [
  ['a system unit', '0::/system.slice/llama.service', { kind: 'system-unit', name: 'llama.service' }],
  [
    'an instance of a template',
    '0::/system.slice/system-berth\\x2dllama.slice/berth-llama@kimi.service',
    { kind: 'system-unit', name: 'berth-llama@kimi.service' },
  ],
  [
    'a user unit',
    '0::/user.slice/user-1000.slice/user@1000.service/app.slice/ollama.service',
    { kind: 'user-unit', name: 'ollama.service', uid: 1000 },
  ],
  [
    'a login session',
    '0::/user.slice/user-1000.slice/session-3.scope',
    { kind: 'session', name: 'session 3', uid: 1000 },
  ],
  [
    'a terminal of a desktop',
    '0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-org.gnome.Terminal.slice/vte-spawn-9f.scope',
    { kind: 'session', uid: 1000 },
  ],
  [
    'docker by systemd',
    `0::/system.slice/docker-${id}.scope`,
    { kind: 'container', name: 'docker a1b2c3d4e5f6' },
  ],
  [
    'docker by cgroupfs, version 1',
    `12:memory:/docker/${id}\n1:name=systemd:/docker/${id}`,
    { name: 'docker a1b2c3d4e5f6' },
  ],
  [
    'podman',
    `0::/machine.slice/libpod-${id}.scope/container`,
    { kind: 'container', name: 'podman a1b2c3d4e5f6' },
  ],
  ['podman by cgroupfs', `2:memory:/libpod_parent/${id}\n1:name=systemd:/`, { name: 'podman a1b2c3d4e5f6' }],
  [
    'a quadlet',
    `0::/system.slice/berth-mistral.service/libpod-payload-${id}`,
    { kind: 'system-unit', name: 'berth-mistral.service' },
  ],
  [
    'a pod by systemd',
    `0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${uid.replaceAll('-', '_')}.slice/cri-containerd-${id}.scope`,
    { kind: 'pod', name: uid },
  ],
  [
    'a pod by cgroupfs',
    `11:cpu,cpuacct:/kubepods/burstable/pod${uid}/${id}\n1:name=systemd:/`,
    { kind: 'pod', name: uid },
  ],
  ['a guaranteed pod in a nested system', `0::/../kubepods/pod${uid}/${id}`, { kind: 'pod', name: uid }],
  ['nerdctl', `0::/system.slice/nerdctl-${id}.scope`, { kind: 'container', name: 'containerd a1b2c3d4e5f6' }],
  ['LXC', '0::/lxc.payload.ai/system.slice', { kind: 'container', name: 'lxc ai' }],
  [
    'a hybrid system',
    '4:memory:/user.slice\n1:name=systemd:/user.slice/user-0.slice/session-1.scope\n0::/',
    { kind: 'session', uid: 0 },
  ],
  ['the root', '0::/', { kind: 'unknown' }],
  ['init', '0::/init.scope', { kind: 'unknown' }],
  ['nothing readable', '', { kind: 'unknown' }],
];

test.each(cases)('%s is told by its control group', (_, text, expected) => {
  expect(ownerOfCgroup(text)).toMatchObject(expected);
});
