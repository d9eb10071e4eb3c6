import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { s3Keys, startS3 } from '../../support/s3-server.ts';
import type { S3Server } from '../../support/s3-server.ts';

vi.setConfig({ testTimeout: 120_000 });

let place: Place;
let s3: S3Server;
let lender: http.Server;
let seen: string[];
let answer: (asked: { line: string; headers: http.IncomingHttpHeaders; body: string }) => string | null;
let sessions: unknown[];

beforeEach(async () => {
  place = makePlace();
  s3 = await startS3(null);
  s3.objects.set('models/m/weights.bin', Buffer.alloc(5000, 7));
  sessions = [];
  s3.answer = ({ headers }) => {
    sessions.push(headers['x-amz-security-token']);
    return null;
  };
  seen = [];
  lender = http.createServer((request, reply) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      const line = `${request.method} ${request.url}`;
      seen.push(line);
      const text = answer({ line, headers: request.headers, body });
      reply.writeHead(text === null ? 403 : 200).end(text ?? '<Error><Code>AccessDenied</Code></Error>');
    });
  });
  await new Promise<void>((done) => void lender.listen(0, '127.0.0.1', done));
  place.env['HOME'] = place.folder;
  place.env['AWS_ENDPOINT_URL_S3'] = s3.url;
  place.env['AWS_REGION'] = s3Keys.region;
});

afterEach(async () => {
  await place.close();
  await s3.stop();
  lender.close();
  lender.closeAllConnections();
});

function lenderUrl(): string {
  return `http://127.0.0.1:${(lender.address() as AddressInfo).port}`;
}

/** Keys as all but the token service write them. */
function lentKeys(more: object = {}): string {
  return JSON.stringify({
    AccessKeyId: s3Keys.id,
    SecretAccessKey: s3Keys.secret,
    Token: 'session-canary',
    Expiration: '2099-01-01T00:00:00Z',
    ...more,
  });
}

async function expectPulled(): Promise<void> {
  const ran = await place.berth('pull', 's3://models/m', '--json');
  expect(ran.code, ran.stderr + ran.stdout).toBe(0);
  expect(ran.stdout + ran.stderr).not.toContain('canary');
  expect(new Set(sessions)).toEqual(new Set(['session-canary']));
}

test('keys come for the token of a pod, once for all requests, and a refusal is told', async () => {
  place.write('pod-token-canary\n', 'token');
  place.env['AWS_WEB_IDENTITY_TOKEN_FILE'] = join(place.folder, 'token');
  place.env['AWS_ROLE_ARN'] = 'arn:aws:iam::1:role/models';
  place.env['AWS_ENDPOINT_URL_STS'] = lenderUrl();
  answer = ({ body }) => {
    const asked = new URLSearchParams(body);
    expect(asked.get('Action')).toBe('AssumeRoleWithWebIdentity');
    if (asked.get('WebIdentityToken') !== 'pod-token-canary' || !asked.get('RoleArn')) return null;
    return `<AssumeRoleWithWebIdentityResponse><Credentials><AccessKeyId>${s3Keys.id}</AccessKeyId><SecretAccessKey>${s3Keys.secret}</SecretAccessKey><SessionToken>session-canary</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResponse>`;
  };
  await expectPulled();
  expect(seen).toEqual(['POST /']);
  answer = () => null;
  await place.berth('models', 'prune', '--all', '--yes');
  const ran = await place.berth('pull', 's3://models/m');
  const said = 'come by web identity, and did not: 127.0.0.1';
  expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining(said)]);
  expect(ran.stderr).toContain('403 (AccessDenied)');
  expect(ran.stderr).not.toContain('canary');
});

test('keys come from the place that a container is told of, with its token, and from nobody that it is not safe to ask', async () => {
  place.write('container-canary\n', 'token');
  place.env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] = `${lenderUrl()}/v1/keys`;
  place.env['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'] = join(place.folder, 'token');
  answer = ({ headers }) => (headers.authorization === 'container-canary' ? lentKeys() : null);
  await expectPulled();
  expect(seen).toEqual(['GET /v1/keys']);
  place.env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] = 'http://keys.example/v1/keys';
  await place.berth('models', 'prune', '--all', '--yes');
  const ran = await place.berth('pull', 's3://models/m');
  expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining('neither of this machine nor https')]);
});

test('keys come from the role of the machine, by a token that is asked for first', async () => {
  place.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] = lenderUrl();
  answer = ({ line, headers }) => {
    if (line === 'PUT /latest/api/token')
      return headers['x-aws-ec2-metadata-token-ttl-seconds'] ? 'imds-canary' : null;
    if (headers['x-aws-ec2-metadata-token'] !== 'imds-canary') return null;
    return line.endsWith('/security-credentials/') ? 'models-role' : lentKeys({ Code: 'Success' });
  };
  await expectPulled();
  expect(seen).toEqual([
    'PUT /latest/api/token',
    'GET /latest/meta-data/iam/security-credentials/',
    'GET /latest/meta-data/iam/security-credentials/models-role',
  ]);
});

test('keys come from the program that a profile names, and what it says on its way shows nowhere', async () => {
  mkdirSync(join(place.folder, '.aws'));
  place.env['AWS_PROFILE'] = 'lab';
  const { Token: _, ...keys } = JSON.parse(lentKeys()) as Record<string, string>;
  place.write(JSON.stringify({ Version: 1, ...keys, SessionToken: 'session-canary' }), 'keys.json');
  place.write(
    `[profile lab]\ncredential_process = cat "${join(place.folder, 'keys.json')}"\n`,
    '.aws/config',
  );
  await expectPulled();
  await place.berth('models', 'prune', '--all', '--yes');
  place.write('[profile lab]\ncredential_process = echo canary; echo canary >&2; exit 3\n', '.aws/config');
  const ran = await place.berth('pull', 's3://models/m');
  expect([ran.code, ran.stderr]).toEqual([
    1,
    expect.stringContaining('come by credential_process, and did not: it ends with 3'),
  ]);
  expect(ran.stdout + ran.stderr).not.toContain('canary');
});

test('a machine that has no keys is asked once, and not by each command anew', async () => {
  place.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] = lenderUrl();
  answer = () => null;
  for (let times = 0; times < 2; times += 1) {
    expect((await place.berth('pull', 's3://models/m')).code).toBe(1);
    expect(seen).toEqual(['PUT /latest/api/token']);
  }
  // Another address is another machine.
  place.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] = `${lenderUrl()}/`;
  expect((await place.berth('pull', 's3://models/m')).code).toBe(1);
  expect(seen).toHaveLength(2);
});
