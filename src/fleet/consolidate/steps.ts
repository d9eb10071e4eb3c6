import { parseDocument } from 'yaml';
import { machineOf, thisMachine } from '../../domain/host-access.ts';
import { engineOf } from '../../engines/registry.ts';
import type { Deployment, LoadedFleet } from '../file/resolve.ts';
import { destinationOf, isAt, lostAt, movedTo, placeName } from '../relocate/destination.ts';
import { setField } from '../relocate/set-field.ts';
import { contextNotes, duplicatesOf, merged } from './merge.ts';
import type { Duplicate, Served } from './merge.ts';
import { takenOver } from './take-over.ts';
import type { Reached } from './take-over.ts';
import { useOf } from './use.ts';

export interface Wishes {
  /** Where all are to run; null: where they are. */
  readonly to: string | null;
  /** Ports by deployment. */
  readonly ports: ReadonlyMap<string, number>;
  readonly reserve: readonly number[];
  /** Of duplicates, those that are to stay. */
  readonly keep: readonly string[];
}

/** One change of the fleet file, which is carried out before the next. */
export interface Step {
  readonly title: string;
  /** Deployments that it concerns. */
  readonly only: readonly string[];
  readonly text: string;
}

export interface Consolidation {
  readonly steps: readonly Step[];
  readonly duplicates: readonly Duplicate[];
  /** What stays where it is though it was to move, and what goes on though it is not asked any longer. */
  readonly notes: readonly string[];
}

export interface Known {
  readonly text: string;
  readonly loaded: LoadedFleet;
  /** Servers of this machine that are only reached, by deployment. */
  readonly reached: ReadonlyMap<string, Reached>;
  /** Of paths of models on this machine, the device and inode. */
  readonly fileIds: ReadonlyMap<string, string>;
}

/** What has to be done one after the other so that each model is served once, where it was asked for. Pure. */
export function consolidationOf(known: Known, wishes: Wishes): Consolidation {
  const served = servedIn(known);
  const duplicates = duplicatesOf(served, wishes.keep);
  const steps: Step[] = [];
  const notes: string[] = contextNotes(served, wishes.keep);
  let { text } = known;
  function add(title: string, only: readonly string[], next: string): void {
    if (next !== text) steps.push({ title, only, text: next });
    text = next;
  }
  for (const one of duplicates)
    add(`${one.keep} serves for ${one.drop.join(' and ')}`, [...one.drop, one.keep], merged(text, one));
  const dropped = new Set(duplicates.flatMap((one) => one.drop));
  for (const deployment of known.loaded.deployments.filter((one) => !dropped.has(one.name))) {
    const { name } = deployment;
    const next = placed(text, deployment, known, wishes);
    if (typeof next === 'string') {
      notes.push(...lossesOf(deployment, known.loaded, wishes));
      add(titleOf(deployment, known.loaded, wishes), [name], next);
    }
    if (typeof next !== 'string') notes.push(`${name} stays where it is: ${next.reason}`);
  }
  for (const name of known.reached.keys()) {
    const server = known.reached.get(name)?.server;
    const now = known.loaded.deployments.find((one) => one.name === name);
    const left = server && now && !steps.every((step) => !step.only.includes(name));
    if (left)
      notes.push(
        `process ${server.process.pid} (${server.owner.name}), which served ${name}, goes on and is asked no longer; berth ends nothing that is not its own`,
      );
  }
  const host = hostOfReserve(known.loaded, wishes.to);
  if (wishes.reserve.length > 0)
    add(
      `ports ${wishes.reserve.join(', ')} are reserved`,
      [],
      reserved(text, known.loaded, host, wishes.reserve),
    );
  return { steps: exchanging(steps, known.loaded, wishes), duplicates, notes };
}

/** Who gets a port that another has until a later step gets it in one step with that one: in between the file would be none. */
function exchanging(steps: readonly Step[], { deployments }: LoadedFleet, { ports }: Wishes): Step[] {
  function lastBefore(step: Step): number {
    const wanted = step.only.map((name) => ports.get(name));
    const holders = deployments.filter(({ port, name }) => wanted.includes(port ?? 0) && ports.has(name));
    return steps.findLastIndex(({ only }) => holders.some(({ name }) => only.includes(name)));
  }
  const joined: Step[] = [];
  for (let from = 0; from < steps.length;) {
    let last = from;
    for (let at = from; at <= last; at += 1)
      for (const step of steps.slice(at, at + 1)) last = Math.max(last, lastBefore(step));
    const group = steps.slice(from, last + 1);
    joined.push({
      title: group.map(({ title }) => title).join(', '),
      only: [...new Set(group.flatMap(({ only }) => only))],
      text: group.at(-1)?.text ?? '',
    });
    from = last + 1;
  }
  return joined;
}

function titleOf(deployment: Deployment, { hosts }: LoadedFleet, { to, ports }: Wishes): string {
  const place = to === null ? null : destinationOf(hosts, deployment, to);
  const port = ports.get(deployment.name);
  return [
    deployment.name,
    ...(place && !isAt(deployment, place) ? [`runs at ${placeName(place)}`] : []),
    ...(port === undefined || port === deployment.port ? [] : [`has port ${port}`]),
  ].join(' ');
}

function lossesOf(deployment: Deployment, { hosts }: LoadedFleet, { to }: Wishes): string[] {
  if (to === null || isExternal(deployment)) return [];
  const place = destinationOf(hosts, deployment, to);
  return lostAt(deployment, place).map((what) => `${deployment.name}: ${what}`);
}

/** Paths that lead to one file are one model. */
function servedIn({ loaded, reached, fileIds }: Known): Served[] {
  return loaded.deployments
    .filter((one) => one.onDemand === null)
    .map((one) => {
      const machine = machineOf(loaded.hosts[one.host]);
      const path = one.model?.path ?? reached.get(one.name)?.model ?? null;
      return {
        name: one.name,
        model: (machine === thisMachine && path !== null ? fileIds.get(path) : undefined) ?? path,
        ...useOf(one, reached.get(one.name)),
        machine,
        gpus: one.gpus || (reached.get(one.name)?.server.gpus.length ?? 0),
        slots: Number((one.engine as { slots?: unknown }).slots ?? 0),
        external: isExternal(one),
      };
    });
}

function isExternal({ engine }: Deployment): boolean {
  return !engineOf(engine.kind).launch;
}

function placed(
  text: string,
  deployment: Deployment,
  { loaded, reached }: Known,
  { to, ports }: Wishes,
): string | { readonly reason: string } {
  const { name } = deployment;
  const asked = ports.get(name);
  const place = to === null ? null : destinationOf(loaded.hosts, deployment, to);
  if (isExternal(deployment)) {
    if (place === null) return text;
    const server = reached.get(name);
    if (!server) return { reason: 'it is only reached, and its server was not found on this machine' };
    const port = asked ?? freeOf(text, loaded, deployment, server);
    return takenOver(text, { name, port, to: place }, server);
  }
  const moved = place === null || isAt(deployment, place) ? text : movedTo(text, deployment, place);
  return asked === undefined || asked === deployment.port
    ? moved
    : setField(moved, ['deployments', name, 'port'], asked);
}

/** The port that it has elsewhere, where nobody of the file has it here. */
function freeOf(
  text: string,
  { deployments }: LoadedFleet,
  { name }: Deployment,
  { server }: Reached,
): number | null {
  const port = server.endpoints[0]?.port ?? null;
  const others = deployments.filter((one) => one.name !== name && one.port === port);
  const file = parseDocument(text);
  return others.some((one) => file.hasIn(['deployments', one.name])) ? null : port;
}

/** The host that everything goes to, else the only one that is named, else this machine. */
function hostOfReserve({ hosts }: LoadedFleet, to: string | null): string {
  const [place = ''] = to?.split('/') ?? [];
  if (hosts[place]) return place;
  const [only, second] = Object.keys(hosts).filter(
    (name) => name !== 'local' && hosts[name]?.kubernetes === undefined,
  );
  return only !== undefined && second === undefined ? only : 'local';
}

function reserved(text: string, { hosts }: LoadedFleet, host: string, ports: readonly number[]): string {
  const now = hosts[host]?.reserve ?? [];
  const all = [...new Set([...now, ...ports])].toSorted((a, b) => a - b);
  return setField(text, ['hosts', host, 'reserve'], all);
}
