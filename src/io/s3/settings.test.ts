import { expect, test } from 'vitest';
import type { World } from '../world.ts';
import { s3Access, s3Settings } from './settings.ts';

const env = { AWS_ACCESS_KEY_ID: 'theirs', AWS_SECRET_ACCESS_KEY: 'x', AWS_SESSION_TOKEN: 'token of theirs' };
const files: Record<string, string> = {
  '/home/a/.aws/credentials': `[default]
aws_access_key_id = usual
aws_secret_access_key = of usual

[lab]
aws_access_key_id=lab
aws_secret_access_key=a/b+c=
`,
  '/home/a/.aws/config': `# of the laboratory
[default]
region = eu-usual-1

[profile lab]
region = eu-lab-1
services = minio
endpoint_url = https://all.lab
aws_session_token = of another key

[profile "whole"]
aws_access_key_id = whole
aws_secret_access_key = y
aws_session_token = z

[services minio]
ec2 =
  endpoint_url = https://ec2.lab
s3 =
  endpoint_url = https://minio.lab:9000/

[profile sso]
sso_session = lab
`,
  '/elsewhere': '[other]\naws_access_key_id = other\naws_secret_access_key = o\n',
};

/** A machine with these variables and the files above. */
function worldOf(given: Record<string, string>): World {
  return {
    env: { HOME: '/home/a', ...given },
    files: { read: async (path: string) => files[path] ?? null },
    clock: { wall: () => new Date('2026-01-01') },
  } as unknown as World;
}

const world = worldOf({ ...env });

test('the token of a session goes with the keys that it was given with, and with no others', async () => {
  const own = 'AWS_ACCESS_KEY_ID=ours\nAWS_SECRET_ACCESS_KEY=y\n';
  expect(await s3Settings(world, own)).toMatchObject({ keyId: 'ours', key: 'y', sessionToken: null });
  const whole = `${own}AWS_SESSION_TOKEN=token of ours\n`;
  expect(await s3Settings(world, whole)).toMatchObject({ keyId: 'ours', sessionToken: 'token of ours' });
  expect(await s3Settings(world, null)).toMatchObject({ keyId: 'theirs', sessionToken: 'token of theirs' });
});

test('keys, region and address come from the profile that is named, else from the usual one', async () => {
  expect(await s3Settings(worldOf({}), null)).toMatchObject({
    keyId: 'usual',
    key: 'of usual',
    region: 'eu-usual-1',
    endpoint: null,
  });
  expect(await s3Settings(worldOf({ AWS_PROFILE: 'lab' }), null)).toMatchObject({
    keyId: 'lab',
    key: 'a/b+c=',
    // One that stands in the other file belongs to other keys.
    sessionToken: null,
    region: 'eu-lab-1',
    endpoint: 'https://minio.lab:9000',
  });
  const whole = await s3Settings(worldOf({ AWS_PROFILE: 'whole' }), null);
  expect(whole).toMatchObject({ keyId: 'whole', key: 'y', sessionToken: 'z', region: 'us-east-1' });
  const elsewhere = worldOf({ AWS_PROFILE: 'other', AWS_SHARED_CREDENTIALS_FILE: '/elsewhere' });
  expect(await s3Settings(elsewhere, null)).toMatchObject({ keyId: 'other', key: 'o' });
});

test('variables come before a profile, and a secret before both', async () => {
  const both = worldOf({
    ...env,
    AWS_PROFILE: 'lab',
    AWS_REGION: 'us-theirs-1',
    AWS_ENDPOINT_URL: 'https://x',
  });
  expect(await s3Settings(both, null)).toMatchObject({
    keyId: 'theirs',
    key: 'x',
    sessionToken: 'token of theirs',
    region: 'us-theirs-1',
    endpoint: 'https://x',
  });
  expect(await s3Settings(both, 'AWS_PROFILE=whole')).toMatchObject({ keyId: 'theirs' });
  expect(await s3Settings(worldOf({ AWS_PROFILE: 'lab' }), 'AWS_PROFILE=whole')).toMatchObject({
    keyId: 'whole',
  });
});

test('a profile that is not there, or whose keys are to be asked for, is told where they are wanted', async () => {
  const gone = s3Settings(worldOf({ AWS_PROFILE: 'gone' }), null);
  await expect(gone).rejects.toThrow('The files of the AWS tools have no profile "gone".');
  const sso = s3Settings(worldOf({ AWS_PROFILE: 'sso' }), null);
  await expect(sso).rejects.toThrow('Profile "sso" of the AWS tools gets its keys by sso_session');
  expect(await s3Settings(worldOf({ ...env, AWS_PROFILE: 'gone' }), null)).toMatchObject({ keyId: 'theirs' });
  expect(await s3Settings(worldOf({ HOME: '/home/b' }), null)).toMatchObject({ keyId: null, key: null });
});

/** What is asked for keys of a container, and by what; it answers with keys. */
async function askedFor(given: Record<string, string>): Promise<unknown[]> {
  const asked: unknown[] = [];
  const world = {
    ...worldOf({ HOME: '/home/b', HTTP_PROXY: 'http://proxy.lab:3128', ...given }),
    http: {
      request: async (url: string, { headers, proxy }: { headers: unknown; proxy: unknown }) => {
        asked.push({ url, headers, proxy });
        return {
          status: 200,
          headers: {},
          text: '{"AccessKeyId": "lent", "SecretAccessKey": "x", "Token": "t"}',
        };
      },
    },
  };
  const settings = await s3Access(world as unknown as World, null);
  expect(settings).toMatchObject({ keyId: 'lent', key: 'x', sessionToken: 't' });
  return asked;
}

test('the place of a container that is told by its path is the one of its host, with its token and by no proxy', async () => {
  const given = {
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2/credentials/abc',
    // The path comes first.
    AWS_CONTAINER_CREDENTIALS_FULL_URI: 'https://keys.lab/',
    AWS_CONTAINER_AUTHORIZATION_TOKEN: 'token of it',
  };
  expect(await askedFor(given)).toEqual([
    {
      url: 'http://169.254.170.2/v2/credentials/abc',
      headers: { authorization: 'token of it' },
      proxy: null,
    },
  ]);
});

test('a path that names another host is refused before anything is sent', async () => {
  const given = { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '@keys.evil/v2', HOME: '/home/b' };
  await expect(s3Access(worldOf(given), null)).rejects.toMatchObject({ code: 'S3_KEYS_REFUSED' });
});
