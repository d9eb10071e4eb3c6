import { BerthError } from '../../domain/errors/berth-error.ts';
import { jsonLines } from '../../io/docker-api.ts';
import type { DockerApi } from '../../io/docker-api.ts';
import type { World } from '../../io/world.ts';
import { PullLine } from './answers.ts';
import { asked, wayFault } from './daemon.ts';
import type { DockerOptions } from '../../container/options.ts';
import { registryAuth } from './registry-auth.ts';
import type { RegistryAuth } from './registry-auth.ts';
import { registryOf } from './registry-logins.ts';

export async function hasImage(world: World, api: DockerApi, image: string): Promise<boolean> {
  return (await asked(world, api, 'GET', `/images/${encodeURIComponent(image)}/json`)).status === 200;
}

/** Sees to it that the image is there. Throws IMAGE_MISSING or IMAGE_REFUSED with the reason that the daemon gives. */
export async function ensureImage(world: World, api: DockerApi, about: PullRequest): Promise<void> {
  const { image, deployment, options } = about;
  const there = await hasImage(world, api, image);
  if (options.pull !== 'always' && there) return;
  const program = programOf(about);
  if (options.pull === 'never')
    throw new BerthError('IMAGE_MISSING', { deployment, image, reason: 'pull is "never"', program });
  const auth = await registryAuth(world, image, about);
  const reason = await pull(world, api, { ...about, auth });
  if (reason === null) return;
  if (!refused.test(reason)) throw new BerthError('IMAGE_MISSING', { deployment, image, reason, program });
  const { registry } = registryOf(image);
  const { machine } = world;
  throw new BerthError('IMAGE_REFUSED', { deployment, image, registry, reason, machine, asked: auth.told });
}

/** By which a person does the same on that machine. */
export function programOf({ podman }: { readonly podman: boolean }): 'docker' | 'podman' {
  return podman ? 'podman' : 'docker';
}

interface PullRequest {
  readonly image: string;
  readonly deployment: string;
  readonly podman: boolean;
  readonly options: DockerOptions;
  readonly onProgress: (line: string) => void;
}

/** How registries say no: Docker's and podman's daemons hand on their words. */
const refused =
  /unauthorized|access.* denied|denied:|no basic auth|authentication required|invalid username|\b40[13]\b/i;

/** Why it failed, as the end of a sentence; null when it did not. */
async function pull(
  world: World,
  api: DockerApi,
  about: PullRequest & { auth: RegistryAuth },
): Promise<string | null> {
  const silence = new AbortController();
  const layers = new Map<string, { current: number; total: number }>();
  let told = 0;
  let timer = quiet(world, silence, about.options.pullTimeout);
  try {
    const { status, body } = await api.open(
      'POST',
      `/images/create?fromImage=${encodeURIComponent(withTag(about.image))}`,
      {
        signal: silence.signal,
        headers: about.auth.header === null ? {} : { 'x-registry-auth': about.auth.header },
      },
    );
    let fault: string | null = null;
    for await (const value of jsonLines(body)) {
      timer.abort();
      timer = quiet(world, silence, about.options.pullTimeout);
      const line = PullLine.safeParse(value).data;
      const said = line?.error ?? (status === 200 ? null : messageOf(value));
      fault = said ?? fault;
      const { current, total } = line?.progressDetail ?? {};
      if (line?.id && total) layers.set(line.id, { current: current ?? 0, total });
      if (world.clock.now() - told < tellEveryMs || layers.size === 0) continue;
      told = world.clock.now();
      about.onProgress(`Fetching ${about.image}: ${percentOf(layers)} %`);
    }
    return fault ?? (status === 200 ? null : `the daemon answers ${status}`);
  } catch (error) {
    if (silence.signal.aborted) return 'nothing came for too long';
    throw await wayFault(world, api.where, error);
  } finally {
    timer.abort();
  }
}

const tellEveryMs = 2_000;

function quiet(world: World, silence: AbortController, ms: number): AbortController {
  const timer = new AbortController();
  world.clock.sleep(ms, timer.signal).then(
    () => silence.abort(),
    () => {},
  );
  return timer;
}

function messageOf(value: unknown): string | null {
  const { message } = (value ?? {}) as { message?: unknown };
  return typeof message === 'string' ? message : null;
}

function percentOf(layers: ReadonlyMap<string, { current: number; total: number }>): number {
  const all = [...layers.values()];
  const total = all.reduce((sum, one) => sum + one.total, 0);
  return Math.floor((all.reduce((sum, one) => sum + one.current, 0) / total) * 100);
}

/** Without a tag all tags of the image would be fetched. */
function withTag(image: string): string {
  const last = image.slice(image.lastIndexOf('/') + 1);
  return /[:@]/.test(last) ? image : `${image}:latest`;
}
