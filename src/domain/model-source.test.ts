import { expect, test } from 'vitest';
import { shownSource } from './model-source.ts';

test.each([
  ['https://u:pw@host/m.gguf?X-Amz-Signature=ab#f', 'https://host/m.gguf?…#f'],
  ['https://token@host/m.gguf', 'https://host/m.gguf'],
  ['s3://AKIA0:wJalrXU/tnFEMI@bucket/p', 's3://bucket/p'],
])('%s is shown as %s', (source, shown) => {
  expect(shownSource(source)).toBe(shown);
});

test.each([
  'hf://a/b@main:Q4_K_M',
  'oci://r:5000/m@sha256:ab',
  'http://[::1]:80/m@1.gguf',
  'https://h:8443/m@1.gguf',
  './m@1.gguf',
])('%s is shown as it is', (source) => {
  expect(shownSource(source)).toBe(source);
});
