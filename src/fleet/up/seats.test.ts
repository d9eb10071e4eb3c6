import { expect, test } from 'vitest';
import { Seats } from './seats.ts';

test('a pod keeps its number while others come and go, and a free number is given again', () => {
  const seats = new Seats();
  expect(Object.fromEntries(seats.take('a', ['x', 'y']))).toEqual({ x: 0, y: 1 });
  expect(Object.fromEntries(seats.take('a', ['y']))).toEqual({ y: 1 });
  expect(Object.fromEntries(seats.take('a', ['z', 'y', 'v']))).toEqual({ y: 1, z: 0, v: 2 });
  expect(Object.fromEntries(seats.take('b', ['y']))).toEqual({ y: 0 });
});
