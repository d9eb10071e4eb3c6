import { composeFormat } from './compose.ts';
import { helmFormat } from './helm.ts';
import { kserveFormat } from './kserve.ts';
import { kubernetesFormat } from './kubernetes.ts';
import { kustomizeFormat } from './kustomize.ts';
import { quadletFormat } from './quadlet.ts';
import { systemdFormat } from './systemd.ts';

/** Every way of writing a fleet down for other tools. Add one: write its file beside this one, then name it here. */
export const renderFormats = [
  kubernetesFormat,
  kustomizeFormat,
  helmFormat,
  kserveFormat,
  systemdFormat,
  quadletFormat,
  composeFormat,
] as const;
