import type { KubeApi } from '../io/kube/kube-api.ts';

/** What the lock of a namespace says before each change there, while this process has it. Throws once it is another's. */
export type HeldCheck = () => Promise<void>;

const checks = new WeakMap<KubeApi, Map<string, HeldCheck>>();

/** From now on, or no longer (null), changes of that namespace by this client are checked so. */
export function checkChanges(api: KubeApi, namespace: string, check: HeldCheck | null): void {
  const own = checks.get(api) ?? new Map<string, HeldCheck>();
  checks.set(api, own);
  if (check) own.set(namespace, check);
  else own.delete(namespace);
}

/**
 * The same client, which makes no change for a holder that has lost its lock: a machine that slept wakes in the midst of what it
 * did, and another may be at it by then. Questions and trials go through.
 */
export function guarded(api: KubeApi, namespace: string): KubeApi {
  return {
    ...api,
    ask: async (method, path, how) => {
      if (method !== 'GET' && !path.includes('dryRun=All')) await checks.get(api)?.get(namespace)?.();
      return api.ask(method, path, how);
    },
  };
}
