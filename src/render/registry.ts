import { kubernetesFormat } from './kubernetes.ts';
import { kustomizeFormat } from './kustomize.ts';

/** Every way of writing a fleet down for other tools. Add one: write its file beside this one, then name it here. */
export const renderFormats = [kubernetesFormat, kustomizeFormat] as const;
