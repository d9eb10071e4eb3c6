import { expect, test } from 'vitest';
import { takenOver } from './take-over.ts';

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
