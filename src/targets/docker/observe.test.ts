import { expect, test } from 'vitest';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { faultOf } from './observe.ts';

const gone = new BerthError('DOCKER_UNREACHABLE', { where: ['unix:///a'], reason: 'ECONNREFUSED' });
const forbidden = new BerthError('DOCKER_FORBIDDEN', { where: 'unix:///a', user: 'op' });
const refused = new BerthError('DOCKER_REFUSED', { question: 'GET /x', status: 500, answer: 'no' });

test('what runs is known where the daemon that new containers go to answers', () => {
  expect(faultOf([[]])).toBeNull();
  expect(faultOf([[], gone])).toBeNull();
  expect(faultOf([forbidden, []])).toBeNull();
});

test('a daemon that cannot be asked before the first that answers may have what is looked for', () => {
  expect(faultOf([gone, []])).toBe(gone);
  expect(faultOf([forbidden, refused, []])).toBe(refused);
});

test('where none answers the fault that can be mended comes first', () => {
  expect(faultOf([forbidden, gone])).toBe(gone);
  expect(faultOf([forbidden])).toBe(forbidden);
});
