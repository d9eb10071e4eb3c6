import { expect, test } from 'vitest';
import type { World } from '../world.ts';
import { s3Settings } from './settings.ts';

const env = { AWS_ACCESS_KEY_ID: 'theirs', AWS_SECRET_ACCESS_KEY: 'x', AWS_SESSION_TOKEN: 'token of theirs' };
const world = { env } as unknown as World;

test('the token of a session goes with the keys that it was given with, and with no others', async () => {
  const own = 'AWS_ACCESS_KEY_ID=ours\nAWS_SECRET_ACCESS_KEY=y\n';
  expect(await s3Settings(world, own)).toMatchObject({ keyId: 'ours', key: 'y', sessionToken: null });
  const whole = `${own}AWS_SESSION_TOKEN=token of ours\n`;
  expect(await s3Settings(world, whole)).toMatchObject({ keyId: 'ours', sessionToken: 'token of ours' });
  expect(await s3Settings(world, null)).toMatchObject({ keyId: 'theirs', sessionToken: 'token of theirs' });
});
