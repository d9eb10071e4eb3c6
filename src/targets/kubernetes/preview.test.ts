import { expect, test } from 'vitest';
import { bareSpec } from '../../../test/support/bare-spec.ts';
import { servedCluster } from '../../../test/support/kube-server.ts';
import type { Mark } from '../../domain/instance.ts';
import { adoptedAnnotation } from '../../kube/names.ts';
import { KubernetesOptions } from './options.ts';
import { preview } from './preview.ts';

const options = KubernetesOptions.parse({ kind: 'kubernetes', strategy: 'Recreate', entrypoint: ['serve'] });

const mark: Mark = {
  fleet: 'lab',
  fleetId: 'k3x9',
  deployment: 'chat',
  replica: 0,
  target: options,
  address: '0.0.0.0',
  port: 8080,
  logFile: '',
  declared: {},
  spec: {
    ...bareSpec,
    args: ['--port', { hole: 'port' }],
  },
};

const request = { mark, address: '0.0.0.0', port: 8080, logFile: '', stateDir: '', withheld: [] };

const refusal = "spec.strategy.rollingUpdate: may not be specified when strategy `type` is 'Recreate'";

const rolling = { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%' } };

/** A Deployment of kubectl's: what an apply leaves out of it stays, as another has set it. */
async function foreseen(annotations: object): Promise<{ messages: string[]; patches: unknown[] }> {
  const labels = { 'berth.dev/fleet': 'lab', 'berth.dev/fleet-id': 'k3x9', team: 'a' };
  const live = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'chat', uid: 'u', resourceVersion: '7', labels, annotations },
    spec: { strategy: rolling },
  };
  const { world, asked } = await servedCluster(({ key, body }) => {
    if (!key.includes('/deployments/chat')) return key.startsWith('PATCH') ? [200, live] : undefined;
    if (key.startsWith('GET')) return [200, live];
    const whole = Array.isArray(body) ? (body as { path: string; value: object }[]) : [];
    const spec = (whole.find(({ path }) => path === '/spec')?.value ?? {}) as { strategy?: object };
    const { strategy } = spec;
    return strategy && !('rollingUpdate' in strategy)
      ? [200, live]
      : [422, { kind: 'Status', reason: 'Invalid', message: refusal }];
  });
  const findings = await preview(world, request, options);
  const patches = asked.filter(({ key }) => /^PATCH .*deployments/.test(key)).map(({ body }) => body);
  return { messages: findings.map(({ message }) => message), patches };
}

test('what is tried of a Deployment that was adopted is all that berth writes, since the rest goes before it is applied', async () => {
  const { messages, patches } = await foreseen({ [adoptedAnnotation]: 'then', note: 'theirs' });
  expect(messages).toEqual([]);
  expect(patches).toEqual([
    [
      {
        op: 'add',
        path: '/metadata/labels',
        value: expect.objectContaining({ team: 'a', 'app.kubernetes.io/managed-by': 'berth' }),
      },
      {
        op: 'add',
        path: '/metadata/annotations',
        value: expect.objectContaining({ note: 'theirs', 'berth.dev/mark': expect.any(String) }),
      },
      { op: 'replace', path: '/spec', value: expect.objectContaining({ strategy: { type: 'Recreate' } }) },
    ],
  ]);
});

test("of one that is berth's an apply is tried, and what the cluster says is told", async () => {
  const { messages } = await foreseen({});
  expect(messages).toEqual([
    expect.stringMatching(/^The cluster refuses "apply Deployment chat" with 422: .*rollingUpdate/),
  ]);
});

/** What is tried of a new Deployment on a server of this version. */
async function triedPause(version: object | null): Promise<unknown> {
  const { world, asked } = await servedCluster(({ key, body }) => {
    if (key === 'GET /version') return version ? [200, version] : undefined;
    return key.startsWith('PATCH')
      ? [200, { ...(body as object), metadata: { name: 'chat', uid: 'u' } }]
      : undefined;
  });
  expect(await preview(world, request, options)).toEqual([]);
  const [tried] = asked.filter(({ key }) => /^PATCH .*deployments/.test(key));
  const made = tried?.body as
    | { spec: { template: { spec: { containers: [{ lifecycle: unknown }] } } } }
    | undefined;
  return made?.spec.template.spec.containers[0].lifecycle;
}

test('the pause at the end of a pod is an action of its own where the server knows it, and a program where it may not', async () => {
  const program = { preStop: { exec: { command: ['sleep', '5'] } } };
  expect(await triedPause({ major: '1', minor: '30' })).toEqual({ preStop: { sleep: { seconds: 5 } } });
  expect(await triedPause({ major: '1', minor: '33+' })).toEqual({ preStop: { sleep: { seconds: 5 } } });
  expect(await triedPause({ major: '1', minor: '29' })).toEqual(program);
  expect(await triedPause(null)).toEqual(program);
});
