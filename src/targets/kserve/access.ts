import type { Mark } from '../../domain/instance.ts';
import { objectName } from '../../kube/names.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { KserveOptions } from './options.ts';

type Replica = Pick<Mark, 'deployment' | 'replica'>;
type MetaOf = (name: string, more?: Partial<KubeObject['metadata']>) => KubeObject['metadata'];

const rbac = 'rbac.authorization.k8s.io';

/**
 * Who may ask a service whose Route wants a token: an account of its own with the right to see this one service, which is what
 * OpenShift AI checks tokens for. Names are those that its dashboard looks for. Pure.
 */
export function accessObjects(
  { deployment, replica }: Replica,
  { route }: Pick<KserveOptions, 'route'>,
  metaOf: MetaOf,
): KubeObject[] {
  if (!route?.auth) return [];
  const name = objectName(deployment, replica);
  const account = `${name}-sa`;
  const role = `${name}-view-role`;
  const shown = { labels: { 'opendatahub.io/dashboard': 'true' } };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metaOf(account, shown) },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'Role',
      metadata: metaOf(role, shown),
      rules: [
        {
          apiGroups: ['serving.kserve.io'],
          resources: ['inferenceservices'],
          resourceNames: [name],
          verbs: ['get'],
        },
      ],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata: metaOf(`${name}-view`, shown),
      roleRef: { apiGroup: rbac, kind: 'Role', name: role },
      // Without a namespace it is an account of the binding's own.
      subjects: [{ kind: 'ServiceAccount', name: account }],
    },
    ...(route.token ? [tokenSecret(name, { account, metaOf })] : []),
  ];
}

/** The cluster itself writes a token into it, which has no end until the Secret is removed. */
function tokenSecret(name: string, { account, metaOf }: { account: string; metaOf: MetaOf }): KubeObject {
  const metadata = metaOf(`${name}-token`, {
    labels: { 'opendatahub.io/dashboard': 'true' },
    annotations: {
      'kubernetes.io/service-account.name': account,
      'openshift.io/display-name': `${name}-token`,
    },
  });
  return { apiVersion: 'v1', kind: 'Secret', metadata, type: 'kubernetes.io/service-account-token' };
}
