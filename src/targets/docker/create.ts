import { BerthError } from '../../domain/errors/berth-error.ts';
import { isSamePlace } from '../../domain/fleet-part.ts';
import type { Ending, Instance, Mark } from '../../domain/instance.ts';
import { jsonLines } from '../../io/docker-api.ts';
import type { DockerApi } from '../../io/docker-api.ts';
import { engineFileText } from '../../io/given-file.ts';
import { isGiven } from '../../domain/secret.ts';
import type { World } from '../../io/world.ts';
import type { Started, StartRequest } from '../contract.ts';
import { forget, forgetGone, isForeign } from './adopt.ts';
import { Created, Event } from './answers.ts';
import type { Inspected } from './answers.ts';
import { asked, daemonOf, must, sayingOf } from './daemon.ts';
import { giveFiles, ownFiles } from './give-files.ts';
import { gpuGroups } from '../../container/gpu-groups.ts';
import { expectNotKept } from './kept-by-unit.ts';
import { containerLogs } from './logs.ts';
import { apiOf, instanceOf, inspect, isUp, markedContainers } from './observe.ts';
import type { DockerOptions } from '../../container/options.ts';
import { ensureImage, programOf } from './pull.ts';
import { dropUnused } from './record.ts';
import { containerName, imageOf, renderContainer } from '../../container/render.ts';
import type { ContainerBody, HostFacts } from '../../container/render.ts';
import { withWritten } from './written.ts';

const startTimeoutMs = 120_000;

/** Fetches the image, makes the container and starts it. What could not be started is removed again. */
export async function create(world: World, request: StartRequest, options: DockerOptions): Promise<Started> {
  const { mark } = request;
  const { api, podman } = await daemonOf(world);
  const facts = { podman, stateDir: request.stateDir, gpuGroups: await gpuGroups(world) };
  await ensureImage(world, api, {
    image: imageOf(mark.spec, options) ?? '',
    deployment: mark.deployment,
    podman,
    options,
    onProgress: request.onProgress ?? (() => {}),
  });
  await writeFiles(world, request);
  await clearPlace(world, mark);
  await forgetGone(world, api, mark);
  const id = await makeAndStart(world, api, { request, options, facts });
  return startedOf(world, { api, id, mark });
}

/** A daemon that may not raise the limit that locked memory wants starts it without: the engine serves, and locks what it may. */
async function makeAndStart(
  world: World,
  api: DockerApi,
  { request, options, facts }: { request: StartRequest; options: DockerOptions; facts: HostFacts },
): Promise<string> {
  const { mark } = request;
  const body = withWritten(renderContainer(mark, options, facts), facts);
  const id = await make(world, api, { mark, body, program: programOf(facts) });
  try {
    await giveFiles(world, api, { id, request });
  } catch (error) {
    await discard(world, api, id);
    throw error;
  }
  const answer = await asked(world, api, 'POST', `/containers/${id}/start`, { timeoutMs: startTimeoutMs });
  if (answer.status === 204 || answer.status === 304) return id;
  await discard(world, api, id);
  const said = sayingOf(answer);
  if (!mark.spec.lockedMemory || facts.fixedLimits || !/rlimit/i.test(said))
    throw startFault(mark, body.Image, said);
  request.onProgress?.(
    `berth: the container engine may not raise the limit of locked memory: ${mark.deployment} holds in memory what fits its own.`,
  );
  return makeAndStart(world, api, { request, options, facts: { ...facts, fixedLimits: true } });
}

/** The same container once more. Throws CONTAINER_KEPT. */
export async function restart(world: World, instance: Instance): Promise<Started> {
  const { api, id } = await apiOf(world, instance);
  const container = await inspect(api, id);
  if (container) expectNotKept(container);
  const graceMs = instance.mark?.spec.stop.graceMs ?? 0;
  await must(world, api, {
    method: 'POST',
    path: `/containers/${id}/restart?t=${Math.ceil(graceMs / 1000)}`,
    fine: [204],
    timeoutMs: graceMs + startTimeoutMs,
  });
  return startedOf(world, { api, id, mark: instance.mark });
}

/** Asks it to end, waits, removes it; nothing is left but volumes with caches, and all volumes of one that others have made. Throws CONTAINER_KEPT. */
export async function remove(
  world: World,
  instance: Instance,
  { graceMs, ends = false }: { graceMs: number; ends?: boolean },
): Promise<void> {
  const { api, id } = await apiOf(world, instance);
  const container = await inspect(api, id);
  if (container) expectNotKept(container);
  // The signal stands in the container's own definition.
  await must(world, api, {
    method: 'POST',
    path: `/containers/${id}/stop?t=${Math.ceil(graceMs / 1000)}`,
    fine: [204, 304, 404],
    timeoutMs: graceMs + startTimeoutMs,
  });
  await discard(world, api, id);
  if (ends && instance.mark) await dropUnused(world, instance.mark);
}

async function discard(world: World, api: DockerApi, id: string): Promise<void> {
  const container = await inspect(api, id);
  // One that cannot be looked at may be of others: its volumes stay.
  const own = container !== null && !isForeign(container);
  const path = `/containers/${id}?force=true&v=${own}`;
  await must(world, api, { method: 'DELETE', path, fine: [204, 200, 404, 409], timeoutMs: startTimeoutMs });
  const until = world.clock.now() + startTimeoutMs;
  while ((await inspect(api, id)) && world.clock.now() < until) await world.clock.sleep(100);
  if (!own) await forget(world, api, id);
}

/** A container of the same place that does not run is taken over: its successor has what it said. */
async function clearPlace(world: World, mark: Mark): Promise<void> {
  for (const one of await markedContainers(world)) {
    if (isSamePlace(one.mark, mark) && !one.alive) {
      const { api, id } = await apiOf(world, one);
      await discard(world, api, id);
    }
  }
}

async function make(
  world: World,
  api: DockerApi,
  { mark, body, program }: { mark: Mark; body: ContainerBody; program: 'docker' | 'podman' },
): Promise<string> {
  const name = containerName(mark);
  const path = `/containers/create?name=${encodeURIComponent(name)}`;
  const answer = await asked(world, api, 'POST', path, { body, timeoutMs: startTimeoutMs });
  const created = answer.status === 201 ? Created.safeParse(answer.json).data : undefined;
  if (created) return created.Id;
  const said = sayingOf(answer);
  if (answer.status === 409 || /name .* is already in use/i.test(said))
    throw new BerthError('CONTAINER_NAME_TAKEN', { deployment: mark.deployment, name, program });
  throw startFault(mark, body.Image, said);
}

function startFault({ deployment, address, port }: Mark, image: string, answer: string): BerthError {
  if (/port is already allocated|address already in use/i.test(answer))
    return new BerthError('PORT_TAKEN', { port, address, holder: 'another program or container' });
  if (/could not select device driver|nvidia|unresolvable CDI|\/dev\/(kfd|dri)/i.test(answer))
    return new BerthError('DOCKER_NO_GPU', { deployment, answer });
  return new BerthError('CONTAINER_NOT_STARTED', { deployment, image, answer });
}

async function writeFiles(world: World, request: StartRequest): Promise<void> {
  const { spec } = request.mark;
  const { secret, work } = ownFiles(request);
  for (const [name, ref] of Object.entries(spec.secrets)) {
    const text = await engineFileText(world, request, { name, there: () => world.files.read(secret(name)) });
    await world.files.write(secret(name), text, isGiven(ref) ? 0o644 : 0o600);
  }
  for (const name of spec.writable) await world.files.makeDir(work(name));
}

async function startedOf(
  world: World,
  { api, id, mark }: { api: DockerApi; id: string; mark: Mark | null },
): Promise<Started> {
  const container = await inspect(api, id);
  const instance = container && (await instanceOf(world, api, container, { adopted: mark }));
  if (!container || !instance)
    throw new BerthError('DOCKER_REFUSED', {
      question: 'the container that was just started',
      status: 404,
      answer: 'it is gone already',
    });
  const since = Math.floor(Date.parse(container.State.StartedAt ?? '') / 1000) || 0;
  const before = container.RestartCount ?? 0;
  return {
    instance,
    ending: async () => endingOf(world, await inspect(api, id), { api, id, since, before }),
    lines: async (count) => {
      const lines: string[] = [];
      const how = { lines: count, follow: false, signal: AbortSignal.timeout(10_000), since };
      for await (const line of containerLogs(world, instance, how)) lines.push(line);
      return lines;
    },
  };
}

/** A daemon that starts it again hides that it ended: then its events tell how. */
async function endingOf(
  world: World,
  container: Inspected | null,
  { api, id, since, before }: { api: DockerApi; id: string; since: number; before: number },
): Promise<Ending | null> {
  if (
    container &&
    isUp(container.State) &&
    !container.State.Restarting &&
    (container.RestartCount ?? 0) <= before
  )
    return null;
  const until = Math.floor(world.clock.wall().getTime() / 1000);
  const told = await eventsOf(api, id, { since, until }).catch(() => ({ code: null, outOfMemory: false }));
  const code = container?.State.ExitCode || told.code;
  return {
    code: code ?? null,
    signal: null,
    outOfMemory: Boolean(container?.State.OOMKilled) || told.outOfMemory,
  };
}

async function eventsOf(
  api: DockerApi,
  id: string,
  { since, until }: { since: number; until: number },
): Promise<{ code: number | null; outOfMemory: boolean }> {
  const filters = encodeURIComponent(JSON.stringify({ container: [id] }));
  const { body } = await api.open('GET', `/events?since=${since}&until=${until}&filters=${filters}`, {
    signal: AbortSignal.timeout(5_000),
  });
  let code: number | null = null;
  let outOfMemory = false;
  for await (const value of jsonLines(body)) {
    const event = Event.safeParse(value).data;
    const attributes = event?.Actor?.Attributes;
    const action = event?.Action ?? event?.status;
    if (action === 'oom') outOfMemory = true;
    if ((action === 'die' || action === 'died') && code === null)
      code = Number(attributes?.['exitCode'] ?? attributes?.['containerExitCode'] ?? Number.NaN);
  }
  return { code: Number.isNaN(code) ? null : code, outOfMemory };
}
