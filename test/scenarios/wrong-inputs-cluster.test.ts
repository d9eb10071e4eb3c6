import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { servedCluster } from '../support/kube-server.ts';
import type { Asked } from '../support/kube-server.ts';
import { kubeStore } from '../support/kube-store.ts';
import { tryWrong } from '../support/wrong-input.ts';
import type { WrongInput } from '../support/wrong-input.ts';

vi.setConfig({ testTimeout: 120_000 });

/** What a cluster says no to, said by an API server at the wire that keeps what is applied and has no controller. */

type Answer = readonly [status: number, json: unknown];

let place: Place;

beforeEach(() => {
  place = makePlace();
});
afterEach(() => place.close());

const kinds = [
  { kind: 'kubernetes', object: 'deployments', objects: ['services', 'deployments'] },
  {
    kind: 'kserve',
    object: 'inferenceservices',
    objects: ['servingruntimes', 'inferenceservices', 'configmaps'],
  },
] as const;

describe.each(kinds)('the target $kind', ({ kind, object, objects }) => {
  function fleet(): string {
    return [
      'version: 1',
      'fleet: lab',
      'id: wrong5',
      'hosts: {box: {kubernetes: {context: k3s, namespace: llm}}}',
      'models: {toy: {source: ./m.gguf, at: {box: {pvc: weights, path: m.gguf}}}}',
      'deployments:',
      `  a: {model: toy, host: box, engine: {kind: llama.cpp, slots: 1, context: 256, startTimeout: 3s}, target: {kind: ${kind}, image: "a/b:1", entrypoint: [serve]}}`,
    ].join('\n');
  }

  /** Applies it in a cluster that refuses what it is told to; gives what was there before and after, and what was asked. */
  async function tried(
    refuse: (asked: Asked) => Answer | undefined,
    wrong: Omit<WrongInput, 'name' | 'fleet'>,
  ): Promise<{ before: unknown; after: unknown; asked: readonly Asked[] }> {
    const store = kubeStore();
    const { world, asked } = await servedCluster((one) => refuse(one) ?? store.answer(one));
    place.env['KUBECONFIG'] = world.home?.env['KUBECONFIG'] ?? '';
    place.write('GGUF', 'm.gguf');
    function traces(): string[] {
      return [...store.objects.keys()].filter((path) => !path.includes('/leases/'));
    }
    const outcome = await tryWrong({ ...place, traces }, { name: '', fleet, ...wrong });
    return { ...outcome, asked };
  }

  test('a field that another manager owns is told with its owner before anything is changed', async () => {
    const cause = {
      reason: 'FieldManagerConflict',
      message: 'conflict with "argocd-controller" using apps/v1',
      field: '.spec.replicas',
    };
    const { before, after, asked } = await tried(
      ({ key }) =>
        key.startsWith('PATCH') && key.includes(`/${object}/`)
          ? [409, { kind: 'Status', reason: 'Conflict', message: '1 conflict', details: { causes: [cause] } }]
          : undefined,
      { code: 1, object: 'a', cause: 'spec.replicas (argocd-controller)', cure: 'let go of these fields' },
    );
    expect(after).toEqual(before);
    expect(asked.filter((one) => isChange(one)).map(({ key }) => key)).toEqual([]);
  });

  const refusals = [
    {
      name: 'a right that its user lacks',
      answer: [403, { reason: 'Forbidden', message: 'User "bob" cannot patch it in the namespace "llm"' }],
      object: 'The cluster does not allow',
      cause: 'User "bob" cannot patch',
      cure: 'Have the rights given',
    },
    {
      name: 'a quota that is spent',
      answer: [403, { reason: 'Forbidden', message: '"a" is forbidden: exceeded quota: few, used: count=1' }],
      object: 'The namespace has no room for',
      cause: 'exceeded quota: few',
      cure: 'have the quota raised',
    },
    {
      name: 'a namespace that is being deleted',
      answer: [
        403,
        {
          reason: 'Forbidden',
          message:
            '"a" is forbidden: unable to create new content in namespace llm because it is being terminated',
        },
      ],
      object: 'The namespace llm',
      cause: 'is being deleted',
      cure: 'or name another one',
    },
    {
      name: 'a webhook that says no',
      answer: [400, { message: 'admission webhook "policy.lab" denied the request: no label "team"' }],
      object: 'a',
      cause: 'no label "team"',
      cure: 'Correct what it names',
    },
    {
      name: 'a policy that answers as of missing rights',
      answer: [
        403,
        {
          reason: 'Forbidden',
          message:
            'admission webhook "validation.gatekeeper.sh" denied the request: [labels] no label "team"',
        },
      ],
      object: 'a',
      cause: 'no label "team"',
      cure: 'Correct what it names',
    },
    {
      name: 'a login that has run out',
      answer: [401, { reason: 'Unauthorized', message: 'Unauthorized' }],
      object: 'The cluster at http',
      cause: 'does not know who the context k3s is',
      cure: 'Log in again',
    },
  ] as const;

  test.each(refusals)(
    '$name is told with its cause and its cure, and nothing half made is left',
    async (refusal) => {
      const { answer, name: _name, ...words } = refusal;
      const last = objects.at(-1) ?? '';
      const { before, after } = await tried((one) => (isChange(one, last) ? answer : undefined), {
        code: 1,
        ...words,
      });
      expect(after).toEqual(before);
    },
  );

  test('a quota that leaves no room for the lock is told as that, and nothing is made', async () => {
    const message = 'leases "berth" is forbidden: exceeded quota: few, used: count/leases=1';
    const { before, after } = await tried(
      ({ key }) =>
        key.startsWith('POST') && key.endsWith('/leases')
          ? [403, { reason: 'Forbidden', message }]
          : undefined,
      {
        code: 1,
        unseen: true,
        object: 'The namespace has no room for the Lease berth',
        cause: 'exceeded quota: few',
        cure: 'have the quota raised',
      },
    );
    expect(after).toEqual(before);
  });

  test.each(objects)('its %s, which the cluster refuses, leave nothing of the others', async (plural) => {
    const { before, after } = await tried(
      (one) =>
        isChange(one, plural) ? [422, { reason: 'Invalid', message: 'no such thing here' }] : undefined,
      { code: 1, object: 'a', cause: 'no such thing here', cure: 'Correct what it names' },
    );
    expect(after).toEqual(before);
  });
});

/** Of an object of that kind, or of any, and not of the lock. */
function isChange({ key, query }: Asked, plural?: string): boolean {
  const isOf = plural === undefined ? !key.includes('/leases/') : key.includes(`/${plural}/`);
  return key.startsWith('PATCH') && isOf && query.get('dryRun') === null;
}
