import { join } from 'node:path';
import { z } from 'zod';
import { parseJson } from '../domain/json.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import { hubName, shownSource } from '../domain/model-source.ts';
import type { HubName } from '../domain/model-source.ts';
import type { ListedModel } from '../domain/listed-model.ts';
import type { HttpReply } from '../io/http.ts';
import { proxyFor } from '../io/proxy.ts';
import type { World } from '../io/world.ts';
import { secondsToWait } from '../io/download/wait-of.ts';
import { askAgain } from '../io/download/ask-again.ts';
import type { ModelSource, Refusal, SourceAccess } from './contract.ts';

export const hfSource = {
  kind: 'hf',
  form: 'hf://OWNER/NAME[@REVISION][/FILE or :QUANT]',
  title: 'Hugging Face Hub, or a mirror of it that HF_ENDPOINT names',
  owns: (source) => source.startsWith('hf://'),
  misshapen: (source) =>
    hubName(source)?.repo.includes('/')
      ? null
      : 'It wants an owner and a name, and behind them a file or a quantization.',
  endpoint: async (world) => (endpointOf(world) === usual ? null : endpointOf(world)),
  wanted: (source) => {
    const { path, quant } = readName(source);
    return { path, quant };
  },
  list: listRepo,
  address: async (world, source, model, file, access) => {
    const { repo, revision } = readName(source);
    const path = file.path.split('/').map(encodeURIComponent).join('/');
    const url = `${usableEndpoint(world)}/${repo}/resolve/${encodeURIComponent(model.revision ?? revision)}/${path}`;
    return { url, headers: headersOf(await tokenOf(world, access)) };
  },
  refusal: async (world, source, access, reply) =>
    refusal(world, source, (await tokenOf(world, access)) !== null, reply),
} as const satisfies ModelSource;

function readName(source: string): HubName & { readonly revision: string } {
  const found = hubName(source);
  if (!found?.repo.includes('/'))
    throw new BerthError('MODEL_SOURCE_UNKNOWN', { source: shownSource(source), forms: [hfSource.form] });
  return { ...found, revision: found.revision ?? 'main' };
}

/** The part of the Hub's answer to /api/models/REPO/revision/REV?blobs=true that is used here. */
const Repo = z.object({
  sha: z.string().optional(),
  cardData: z.object({ license: z.union([z.string(), z.array(z.string())]).optional() }).nullish(),
  siblings: z
    .array(
      z.object({
        rfilename: z.string(),
        size: z.number().optional(),
        blobId: z
          .string()
          .regex(/^[0-9a-f]{40}$/)
          .optional()
          .catch(undefined),
        lfs: z.object({ sha256: z.string().optional(), size: z.number().optional() }).nullish(),
      }),
    )
    .default([]),
});

async function listRepo(world: World, source: string, access: SourceAccess): Promise<ListedModel> {
  const { repo, revision } = readName(source);
  const token = await tokenOf(world, access);
  const url = `${usableEndpoint(world)}/api/models/${repo}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const reply = await ask(world, source, url, headersOf(token), access.signal);
  if (reply.status !== 200) throw refusal(world, source, token !== null, reply);
  const read = Repo.safeParse(parseJson(reply.text));
  if (!read.success)
    throw new BerthError('MODEL_PLACE_FAILED', {
      source,
      place: shownEndpoint(world),
      reason: 'its answer is no list of files',
    });
  const licence = read.data.cardData?.license;
  return {
    revision: read.data.sha ?? null,
    licence: Array.isArray(licence) ? licence.join(', ') : (licence ?? null),
    files: read.data.siblings.map(({ rfilename, size, blobId, lfs }) => ({
      path: rfilename,
      size: lfs?.size ?? size ?? null,
      sha256: lfs?.sha256 ?? null,
      // What git has of a file in LFS is a pointer to it.
      ...(lfs || blobId === undefined ? {} : { gitName: blobId }),
    })),
  };
}

/** A repository that was renamed is redirected within the Hub. */
async function ask(
  world: World,
  source: string,
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<HttpReply> {
  let at = url;
  for (let redirects = 0; ; redirects += 1) {
    const asked = at;
    const proxy = proxyFor(world.env, asked);
    const reply = await askAgain(world.clock, signal, () =>
      world.http.request(asked, { headers, signal, timeoutMs: 60_000, proxy }),
    ).catch((cause: unknown) => {
      if (signal.aborted) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new BerthError('MODEL_PLACE_FAILED', { source, place: shownEndpoint(world), reason }, { cause });
    });
    const { location } = reply.headers;
    if (![301, 302, 307, 308].includes(reply.status) || location === undefined || redirects === 5)
      return reply;
    const next = new URL(location, at);
    if (next.origin !== new URL(at).origin) return reply;
    at = next.href;
  }
}

function refusal(world: World, source: string, token: boolean, reply: Refusal): BerthError {
  const { repo, revision } = readName(source);
  const page = `${shownEndpoint(world)}/${repo}`;
  const code = String(reply.headers['x-error-code'] ?? '');
  const { status } = reply;
  if (code === 'GatedRepo' || (status === 403 && token))
    return new BerthError('MODEL_GATED', { source, page, token });
  if (code === 'RevisionNotFound')
    return new BerthError('MODEL_NOT_FOUND', {
      source,
      what: `${repo} has no revision ${revision}`,
      near: [],
    });
  if (code === 'RepoNotFound' || status === 404)
    return new BerthError('MODEL_NOT_FOUND', {
      source,
      what: `the Hub has no ${repo}${token ? '' : ' that is public'}`,
      near: [],
    });
  if (status === 401 || status === 403) {
    const cure = token
      ? 'Make a new token; this one has ended or may not read models.'
      : 'Set HF_TOKEN, or "secret" of the model in the fleet file; check owner and name too.';
    return new BerthError('MODEL_UNAUTHORIZED', { source, said: `the Hub answers ${status}`, cure });
  }
  if (status === 429)
    return new BerthError('MODEL_QUOTA', {
      source,
      retryAfter: secondsToWait(reply.headers, world.clock.wall()),
    });
  const { location } = reply.headers;
  const moved = typeof location === 'string' && URL.canParse(location) ? new URL(location).origin : null;
  return new BerthError('MODEL_PLACE_FAILED', {
    source,
    place: shownEndpoint(world),
    reason: `it answers ${status}${moved === null ? '' : `, and leads to ${moved}: set HF_ENDPOINT to that if you trust it with your token`}`,
  });
}

const usual = 'https://huggingface.co';

function endpointOf(world: World): string {
  return (world.env['HF_ENDPOINT'] || usual).replace(/\/+$/, '');
}

function usableEndpoint(world: World): string {
  const endpoint = endpointOf(world);
  if (/^https?:\/\//i.test(endpoint) && URL.canParse(endpoint)) return endpoint;
  throw new BerthError('PLACE_UNUSABLE', {
    name: 'HF_ENDPOINT',
    reason: 'is no address of a web server',
    example: 'https://hub.lan',
  });
}

/** A mirror may have a password in its address. */
function shownEndpoint(world: World): string {
  return shownSource(endpointOf(world));
}

function headersOf(token: string | null): Record<string, string> {
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

/** The model's own secret, then what the Hub's tools look at, in their order. */
async function tokenOf({ env, files }: World, { secret }: SourceAccess): Promise<string | null> {
  if (secret !== null) return secret.trim();
  if (env['HF_TOKEN']) return env['HF_TOKEN'].trim();
  const home =
    env['HF_HOME'] ?? join(env['XDG_CACHE_HOME'] ?? join(env['HOME'] ?? '/', '.cache'), 'huggingface');
  const text = await files.read(env['HF_TOKEN_PATH'] ?? join(home, 'token')).catch(() => null);
  return text?.trim() || null;
}
