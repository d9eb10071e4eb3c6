import { z } from 'zod';
import type { NewNamespace } from '../domain/host-access.ts';
import { applyObject, getObject, Live, must } from './client.ts';
import type { Place } from './client.ts';
import type { KubeObject } from './object.ts';

const managed = { 'app.kubernetes.io/managed-by': 'berth' };
const meta = { name: 'berth', labels: managed };

/** A namespace as berth makes it, and what stands in it before anything else. Pure. */
export function namespaceObjects(
  name: string,
  { labels, quota, containers }: Partial<NewNamespace>,
): { namespace: KubeObject; inside: KubeObject[] } {
  const limits = containers && {
    type: 'Container',
    defaultRequest: texts(containers.requests),
    default: texts(containers.limits),
  };
  return {
    namespace: { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { ...labels, ...managed } } },
    inside: [
      ...(quota
        ? [{ apiVersion: 'v1', kind: 'ResourceQuota', metadata: meta, spec: { hard: texts(quota) } }]
        : []),
      ...(limits
        ? [{ apiVersion: 'v1', kind: 'LimitRange', metadata: meta, spec: { limits: [limits] } }]
        : []),
    ],
  };
}

function texts(amounts: Readonly<Record<string, string | number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, String(amount)]));
}

const Namespace = z.object({
  metadata: z.object({ labels: z.record(z.string(), z.string()).nullish() }),
});

/** Makes it where it is missing. In one that berth has made, what was to stand in it is made too, should an apply have ended in between. */
export async function ensureNamespace(place: Place, wish: Partial<NewNamespace>): Promise<void> {
  const { api, namespace: name } = place;
  const { namespace, inside } = namespaceObjects(name, wish);
  const { status, json } = await api.ask('GET', `/api/v1/namespaces/${name}`);
  if (status === 404)
    await must({ api }, { method: 'POST', path: '/api/v1/namespaces', body: namespace, fine: [201, 409] });
  else if (!isOwn(json)) return;
  for (const object of inside) {
    const { apiVersion, kind, metadata } = object;
    const live = await getObject(place, { apiVersion, kind, name: metadata.name }, Live);
    if (!live) await applyObject(place, object);
  }
}

function isOwn(json: unknown): boolean {
  const { labels } = Namespace.safeParse(json).data?.metadata ?? {};
  return labels?.['app.kubernetes.io/managed-by'] === 'berth';
}
