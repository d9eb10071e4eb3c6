import type { Asked } from './kube-server.ts';

interface Stored {
  readonly metadata: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: object;
    readonly [key: string]: unknown;
  };
  readonly data?: object;
  readonly immutable?: boolean;
}

/**
 * Keeps what is applied, field by field of the annotations and data that several owners have, refuses what may not be changed, and
 * forgets what is deleted; it has no controller.
 */
export function kubeStore(): {
  answer: (asked: Asked) => readonly [number, unknown];
  objects: Map<string, Stored>;
  names: (plural: string) => string[];
} {
  const objects = new Map<string, Stored>();
  return {
    objects,
    names: (plural) =>
      [...objects.keys()].flatMap((path) =>
        path.includes(`/${plural}/`) ? [path.split('/').at(-1) ?? ''] : [],
      ),
    answer: ({ key, query, body }) => {
      const [method = '', path = ''] = key.split(' ');
      const there = objects.get(path);
      if (method === 'PATCH') {
        const sent = body as Stored;
        const data = sent.data && { ...there?.data, ...sent.data };
        if (there?.immutable && JSON.stringify(data) !== JSON.stringify(there.data))
          return [422, { kind: 'Status', reason: 'Invalid', message: 'data: field is immutable' }];
        const annotations = { ...there?.metadata.annotations, ...sent.metadata.annotations };
        const metadata = { ...there?.metadata, ...sent.metadata, annotations, uid: path };
        const live = { ...there, ...sent, metadata, ...(data ? { data } : {}) };
        if (query.get('dryRun') === null) objects.set(path, live);
        return [200, live];
      }
      if (method === 'DELETE') return [objects.delete(path) ? 200 : 404, {}];
      if (there) return [200, there];
      if (!/\/[a-z]+s$/.test(path)) return [404, {}];
      const wanted = (query.get('labelSelector') ?? '').split(',').map((one) => one.split('='));
      const items = [...objects].flatMap(([one, object]) =>
        one.replace(/\/[^/]+$/, '') === path &&
        wanted.every(([name = '', value]) => {
          const has = object.metadata.labels?.[name];
          return name === '' || (value === undefined ? has !== undefined : has === value);
        })
          ? [object]
          : [],
      );
      return [200, { items }];
    },
  };
}
