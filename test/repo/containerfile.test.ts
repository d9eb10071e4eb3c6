import { expect, test } from 'vitest';
import { imageHome, imageParts, runtimePackages } from '../../scripts/image.mjs';
import { copiedByContainerfile, instructions } from '../hosts/berth-image.ts';
import { textOf } from './source-tree.ts';

test('the Containerfile copies all that "npm run image" lays out, and nothing else', () => {
  const copied = copiedByContainerfile().flatMap(({ from }) => from);
  expect(copied.toSorted()).toEqual([...imageParts, 'node_modules', imageHome].toSorted());
});

test('an image has the packages that berth runs with, and none for building or testing it', () => {
  const { packages } = JSON.parse(textOf('package-lock.json')) as {
    packages: Record<string, { dev?: boolean; devOptional?: boolean; link?: boolean }>;
  };
  const needed = Object.entries(packages).flatMap(([path, { dev, devOptional, link }]) =>
    path.startsWith('node_modules/') && !dev && !devOptional && !link ? [path] : [],
  );
  expect(runtimePackages()).toEqual(needed.toSorted());
});

test('the base of an image is an argument, and it runs as nobody in particular', () => {
  expect(instructions('ARG')).toEqual([expect.stringMatching(/^BASE=/)]);
  expect(instructions('FROM')).toEqual(['${BASE}']);
  expect(instructions('USER')).toEqual([expect.stringMatching(/^[1-9]\d+:[1-9]\d+$/)]);
});
