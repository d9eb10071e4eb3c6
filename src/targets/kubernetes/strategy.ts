import type { LaunchSpec } from '../../domain/launch-spec.ts';
import { gpusOf } from '../../kube/launched.ts';
import type { KubernetesOptions } from './options.ts';

/** Beside the old pod the new one comes first, where there is room for both. A claim of one node at a time makes no such room. */
export function strategyOf(spec: LaunchSpec, options: KubernetesOptions): Record<string, unknown> {
  const exclusive = gpusOf(spec, options) !== null || options.cache?.access === 'ReadWriteOnce';
  const type = options.strategy ?? (exclusive ? 'Recreate' : 'RollingUpdate');
  return type === 'Recreate' ? { type } : { type, rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
}

/**
 * Old and new pod serve beside each other, and can be told apart: a port of the nodes leads to both. What a patch says of it is
 * not looked into.
 */
export function rolls(spec: LaunchSpec, options: KubernetesOptions): boolean {
  if (options.service.type === 'NodePort') return false;
  const { strategy } = (options.patch?.['spec'] ?? {}) as { strategy?: unknown };
  return strategy === undefined && strategyOf(spec, options)['type'] === 'RollingUpdate';
}
