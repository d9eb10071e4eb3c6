import { createHash } from 'node:crypto';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { proxyFor } from '../../io/proxy.ts';
import { s3ErrorCode } from '../../io/s3/error-code.ts';
import { objectUrl, s3Access } from '../../io/s3/settings.ts';
import type { S3Settings } from '../../io/s3/settings.ts';
import { signed } from '../../io/s3/sign.ts';
import type { World } from '../../io/world.ts';
import type { PublishedRun, RunContent, RunPublisher } from '../contract.ts';
import { S3PublisherOptions } from './options.ts';

const timeoutMs = 120_000;

/**
 * The files of a run below PREFIX/v1/model=MODEL/run=ID/, which tools that know such folders read as one table. `manifest.json`
 * comes last and has the hash of each: its presence says that the run is whole. Only `latest.json` is ever written over.
 */
export const s3Publisher = {
  kind: 's3',
  title: 'files in S3, or in what speaks like it',
  options: S3PublisherOptions,
  keepsFiles: true,
  publish,
} as const satisfies RunPublisher<'s3', S3PublisherOptions>;

async function publish(
  world: World,
  { report, files }: PublishedRun,
  options: S3PublisherOptions,
  secret: string | null,
): Promise<string> {
  const settings = await s3Access(world, secret, options);
  const { bucket } = options;
  const model = `${options.prefix}/v1/model=${plain(report.spec.target.deployment ?? report.server.model)}`;
  const folder = `${model}/run=${report.id}`;
  const uri = `s3://${bucket}/${folder}/`;
  for (const file of files) await put(world, { settings, bucket, key: `${folder}/${file.name}` }, file);
  const manifest = json('manifest.json', {
    schema: 1,
    run: report.id,
    name: report.name,
    startedAt: report.startedAt,
    berth: report.environment.berth,
    model: report.server.model,
    files: files.map(({ name, content }) => ({
      name,
      sha256: hashOf(content),
      bytes: Buffer.byteLength(content),
    })),
  });
  await put(world, { settings, bucket, key: `${folder}/${manifest.name}` }, manifest);
  const latest = json('latest.json', { run: report.id, uri, sha256: hashOf(manifest.content) });
  await put(world, { settings, bucket, key: `${model}/${latest.name}` }, latest);
  return uri;
}

/** A part of a key that no tool has to escape. */
function plain(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._-]+/g, '_');
}

function json(name: string, value: unknown): RunContent {
  return { name, contentType: 'application/json', content: `${JSON.stringify(value, null, 2)}\n` };
}

function hashOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

async function put(
  world: World,
  { settings, bucket, key }: { settings: S3Settings; bucket: string; key: string },
  { content, contentType }: RunContent,
): Promise<void> {
  const url = objectUrl(settings, bucket, key);
  const address = await signed(url, settings, { method: 'PUT' });
  const reply = await world.http
    .request(address.url, {
      method: 'PUT',
      headers: {
        ...address.headers,
        'content-type': contentType,
        'content-length': String(Buffer.byteLength(content)),
      },
      body: content,
      timeoutMs,
      proxy: proxyFor(world.env, address.url),
      ...settings.trust,
    })
    .catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new BerthError('PUBLISH_FAILED', { place: url.origin, reason }, { cause });
    });
  if (reply.status >= 200 && reply.status < 300) return;
  const code = s3ErrorCode(reply.text) ?? String(reply.status);
  const keys = settings.keyId === null ? ', and no keys were given' : '';
  throw new BerthError('PUBLISH_FAILED', {
    place: url.origin,
    reason: `bucket ${bucket} answers ${code}${keys}`,
  });
}
