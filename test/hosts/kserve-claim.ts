/** A claim "weights" in a namespace, with a volume for it that is a folder of the node. */
export function claimOf(folder: string, namespace: string): unknown {
  const capacity = { storage: '1Gi' };
  const base = { accessModes: ['ReadOnlyMany'], storageClassName: '', volumeName: 'weights' };
  const { volumeName: _name, ...volume } = base;
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name: 'weights' },
        spec: { ...volume, capacity, hostPath: { path: folder } },
      },
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'weights', namespace },
        spec: { ...base, resources: { requests: capacity } },
      },
    ],
  };
}
