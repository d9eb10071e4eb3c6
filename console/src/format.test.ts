import { expect, test } from 'vitest';
import { bytes, count, duration, figure, milliseconds, modelName, percent } from './format.ts';

test('an unknown figure is a dash and never 0', () => {
  expect([bytes(null), figure(null), figure(undefined), milliseconds(null), percent(null)]).toEqual(
    Array(5).fill('–'),
  );
});

test('sizes are in powers of 1024, with a digit behind the point where it says something', () => {
  expect([0, 1023, 1024, 1536 * 1024, 5_368_709_120, 25e9].map(bytes)).toEqual([
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.5 MiB',
    '5.0 GiB',
    '23 GiB',
  ]);
});

test('durations name the two largest units at most', () => {
  expect([-5, 45_000, 61_000, 3_600_000, 5_400_000, 90_000_000].map(duration)).toEqual([
    '0 s',
    '45 s',
    '1 min',
    '1 h 0 min',
    '1 h 30 min',
    '1 d 1 h',
  ]);
});

test('figures have three digits that count', () => {
  expect([0.123, 1.234, 12.34, 123.4, 1234.5].map(figure)).toEqual(['0.12', '1.23', '12.3', '123', '1,235']);
  expect([12.34, 45_600].map(milliseconds)).toEqual(['12.3 ms', '45.6 s']);
});

test('nouns follow their number', () => {
  expect([count(0, 'replica'), count(1, 'replica'), count(2, 'entry', 'entries')]).toEqual([
    '0 replicas',
    '1 replica',
    '2 entries',
  ]);
});

test('a model that is a file goes by its name, a repository by its whole', () => {
  expect([modelName('/srv/models/m.gguf'), modelName('org/m'), modelName('hf://org/m')]).toEqual([
    'm.gguf',
    'org/m',
    'hf://org/m',
  ]);
});
