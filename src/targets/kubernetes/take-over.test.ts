import { expect, test } from 'vitest';
import { handedOn, takenOver } from './take-over.ts';

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
