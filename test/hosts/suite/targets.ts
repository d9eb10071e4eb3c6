import { containerTarget } from './container.ts';
import type { SuiteTarget } from './contract.ts';
import { kserveTarget } from './kserve.ts';
import { kubePlayTarget } from './kube-play.ts';
import { kubernetesTarget } from './kubernetes.ts';
import { processTarget } from './process.ts';
import { sshContainerTarget } from './ssh-container.ts';
import { sshSystemdTarget } from './ssh-systemd.ts';
import { sshTarget } from './ssh.ts';
import { systemdTarget } from './systemd.ts';

/** Where the one suite for engines is run: a target is one file, and one line here. */
export const suiteTargets: readonly SuiteTarget[] = [
  processTarget,
  systemdTarget,
  containerTarget('docker'),
  containerTarget('podman'),
  kubePlayTarget,
  sshTarget,
  sshSystemdTarget,
  sshContainerTarget,
  kubernetesTarget,
  kserveTarget,
];
