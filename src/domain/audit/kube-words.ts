import type { KubeObject } from './kube-object.ts';
import { quoteWord } from '../command-line/quote-word.ts';

/**
 * What removes an object of a cluster and keeps its definition; nothing where it is not known how its cluster is reached.
 * `withData`: what it holds is lost with it, which the command has to say.
 */
export function removeObject(
  kind: string,
  { metadata: { name, namespace }, cluster }: KubeObject,
  { withData = false } = {},
): string[] {
  const reach = cluster?.reach;
  if (!reach) return [];
  const where =
    reach.host === null ? `--context ${quoteWord(reach.context)}` : `--host ${quoteWord(reach.host)}`;
  return [`berth remove ${kind}:${namespace ?? 'default'}/${name} ${where}${withData ? ' --with-data' : ''}`];
}

/** "kubectl --context k3s -n llm": the beginning of a command about an object. */
export function kubectlFor({ metadata: { namespace }, cluster }: KubeObject): string {
  const context = cluster?.reach?.context;
  const named = context === undefined || context === 'in-cluster' ? '' : ` --context ${quoteWord(context)}`;
  return `kubectl${named} -n ${namespace ?? 'default'}`;
}
