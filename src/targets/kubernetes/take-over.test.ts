import { expect, test } from 'vitest';
import type { KubeAnswer, KubeApi, KubeQuestion } from '../../io/kube/kube-api.ts';
import { handedOn, takeOver, takenOver } from './take-over.ts';

const apiVersion = 'apps/v1';
const image = { 'f:template': { 'f:image': {} } };

test('what others have set in the spec becomes what berth has applied, and all else stays theirs', () => {
  const kubectl = { manager: 'kubectl', operation: 'Update', apiVersion, fieldsType: 'FieldsV1' };
  const scaler = { manager: 'hpa', operation: 'Update', apiVersion, subresource: 'scale' };
  const robot = { manager: 'robot', operation: 'Apply', apiVersion };
  const berth = { manager: 'berth', operation: 'Apply', apiVersion };
  const scaled = { ...scaler, fieldsV1: { 'f:spec': { 'f:replicas': {} } } };
  const made = takenOver([
    { ...kubectl, fieldsV1: { 'f:metadata': { 'f:labels': {} }, 'f:spec': image } },
    scaled,
    { ...robot, fieldsV1: { 'f:spec': { 'f:template': { 'f:env': {} }, 'f:strategy': {} } } },
    { ...berth, fieldsV1: { 'f:metadata': { 'f:annotations': {} } } },
  ]);
  expect(made).toEqual([
    { ...kubectl, fieldsV1: { 'f:metadata': { 'f:labels': {} } } },
    scaled,
    {
      ...berth,
      fieldsType: 'FieldsV1',
      fieldsV1: {
        'f:metadata': { 'f:annotations': {} },
        'f:spec': { 'f:template': { 'f:image': {}, 'f:env': {} }, 'f:strategy': {} },
      },
    },
  ]);
});

test('fields of another version of the kind are left to whoever has set them', () => {
  const old = {
    manager: 'old',
    operation: 'Update',
    apiVersion: 'apps/v1beta1',
    fieldsV1: { 'f:spec': image },
  };
  expect(takenOver([old])[0]).toEqual(old);
});

test('what a change had taken over and not applied is handed on, and taken over again as it was', () => {
  const scaler = { manager: 'hpa', operation: 'Update', apiVersion, subresource: 'scale' };
  const scaled = { ...scaler, fieldsV1: { 'f:spec': { 'f:replicas': {} } } };
  const berth = { manager: 'berth', operation: 'Apply', apiVersion, fieldsType: 'FieldsV1' };
  const marks = { 'f:metadata': { 'f:labels': {} } };
  const taken = [scaled, { ...berth, fieldsV1: { ...marks, 'f:spec': image } }];
  const left = handedOn(taken);
  const former = { ...berth, manager: 'before-berth', operation: 'Update' };
  expect(left).toEqual([scaled, { ...berth, fieldsV1: marks }, { ...former, fieldsV1: { 'f:spec': image } }]);
  expect(takenOver(left)).toEqual(taken);
  const more = { ...berth, fieldsV1: { 'f:spec': { 'f:strategy': {} } } };
  const before = { ...former, fieldsV1: { 'f:spec': image } };
  expect(handedOn([before, more]).at(-1)).toEqual({
    ...former,
    fieldsV1: { 'f:spec': { ...image, 'f:strategy': {} } },
  });
});

/** A Deployment whose state is written again just before each of the first few patches; `respecified`: its spec as well. */
function busy(times: number, { respecified = false } = {}) {
  let version = 1;
  let generation = 3;
  let left = times;
  const patched: unknown[] = [];
  function live() {
    return {
      metadata: { name: 'chat', uid: 'u', generation, resourceVersion: String(version), managedFields: [] },
    };
  }
  async function ask(method: string, _path: string, how?: KubeQuestion): Promise<KubeAnswer> {
    if (method === 'GET') return { status: 200, json: live() };
    if (left > 0) {
      left -= 1;
      version += 1;
      if (respecified) generation += 1;
    }
    const [held] = how?.body ? (how.body as { value: unknown }[]) : [];
    if (held?.value !== String(version))
      return { status: 409, json: { reason: 'Conflict', message: 'the object has been modified' } };
    patched.push(how?.body);
    return { status: 200, json: {} };
  }
  return { place: { api: { server: 'https://c', ask } as KubeApi, namespace: 'n' }, live: live(), patched };
}

test('a state that the cluster writes meanwhile is no reason to give a change up', async () => {
  const { place, live, patched } = busy(3);
  await takeOver(place, live);
  expect(patched).toHaveLength(1);
});

test('who changes the spec meanwhile comes first', async () => {
  const { place, live, patched } = busy(1, { respecified: true });
  await expect(takeOver(place, live)).rejects.toMatchObject({ code: 'KUBE_REFUSED', facts: { status: 409 } });
  expect(patched).toEqual([]);
});
