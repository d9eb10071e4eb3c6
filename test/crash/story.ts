import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { freePorts, ownPorts, until } from '../support/berth.ts';
import { enginesWith, runBerth } from './machine.ts';
import type { CrashMachine, DeploymentOptions, Moment } from './machine.ts';

/**
 * What is changed between two applies: one engine is replaced in its place, one beside itself with a key of its own, one is
 * stopped and another started; "flip" does all of that at once. In "fail" the new engine crashes, so that the old one has to come
 * back.
 */
export const changes = ['flip', 'fail', 'in place', 'beside', 'stop and start'] as const;
export type Change = (typeof changes)[number];

/** A fleet that goes to and fro between two states of each of its parts. */
export interface Story {
  /** Kinds of the effects of one change that nobody disturbs. */
  readonly effects: (change: Change) => Promise<string[]>;
  /** One change that ends by SIGKILL at that moment, then an apply that has to converge. Null: the change was done before. */
  readonly crash: (change: Change, moment: Moment) => Promise<string | null>;
  readonly end: () => Promise<void>;
}

/** Slots of the engines, and which of the other two runs. */
interface State {
  readonly a: 1 | 2;
  readonly b: 1 | 2;
  readonly lone: 'c' | 'd';
}

function changed({ a, b, lone }: State, change: Change): State {
  const all = change === 'flip';
  return {
    a: all || change === 'in place' ? (a === 1 ? 2 : 1) : a,
    b: all || change === 'beside' ? (b === 1 ? 2 : 1) : b,
    lone: all || change === 'stop and start' ? (lone === 'c' ? 'd' : 'c') : lone,
  };
}

/** Keys that engines are given lie in the state, whatever runs them. */
function keysIn(folder: string): string[] {
  const paths = readdirSync(join(folder, 'state'), { recursive: true, encoding: 'utf8' });
  return paths.filter((path) => /\/(secrets|engine-keys)\/[^/]+$/.test(path)).map((path) => `key ${path}`);
}

/** By which deployment it is: names have the port or the turn of a replacement too ("-b"), and the third one goes by two names. */
function byDeployment(line: string): string {
  const named = line.replace(/(?<=crash-)[cd](?![a-z])/, 'lone');
  return named.replaceAll(/(?<=crash-(?:a|b|lone))(?:-b(?![a-z])|[-_]?\d[-\d]*)/g, '');
}

/** Files of berth's own that were being written when their writer died. */
function unfinishedFiles(folder: string): string[] {
  const names = readdirSync(join(folder, 'state'), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.tmp'));
}

export async function tellStory(machine: CrashMachine): Promise<Story> {
  const id = randomBytes(8).toString('hex');
  const log = join(machine.folder, 'effects.log');
  const [pinned = 0] = await freePorts(1);
  const hosts = ownPorts();
  let state: State = { a: 1, b: 1, lone: 'c' };

  function write({ a, b, lone }: State, fails = false): void {
    function line(
      name: string,
      slots: number,
      {
        port = null,
        ownKey = false,
        crashes = false,
      }: Partial<Omit<DeploymentOptions, 'word' | 'slots'>> = {},
    ): string {
      const word = `${id}/${name}/${crashes ? 'crash' : slots}`;
      return `  ${name}: ${machine.deployment({ word, slots, port, crashes, ownKey })}`;
    }
    const lines = [
      'version: 1',
      'fleet: crash',
      `id: "${id}"`,
      hosts,
      ...machine.more,
      'deployments:',
      line('a', a, { port: pinned, crashes: fails }),
      line('b', b, { ownKey: true }),
      line(lone, 1),
    ];
    writeFileSync(join(machine.folder, 'berth.yaml'), `${lines.join('\n')}\n`);
  }

  function words({ a, b, lone }: State): string[] {
    return [`${id}/a/${a}`, `${id}/b/${b}`, `${id}/${lone}/1`];
  }

  async function objects(): Promise<string[]> {
    return [...(await machine.objects()), ...keysIn(machine.folder)].map(byDeployment).toSorted();
  }
  /** What there is of a fleet that has converged, whether it runs or not: nothing more and nothing less, each time. */
  let made: string[] | null = null;

  /** One engine of each deployment, as the file says, and the strangers as they were. */
  async function expectConverged(where: string): Promise<void> {
    const ran = await runBerth(machine, ['apply', '--json', '--yes'], { log, moment: null });
    expect(ran.code, `${where}: ${ran.stdout}${ran.stderr}`).toBe(0);
    expect(
      enginesWith(`${id}/`)
        .map(({ word }) => word)
        .toSorted(),
      where,
    ).toEqual(words(state));
    expect(enginesWith(`stranger-${id}`), where).toEqual(strangers);
    expect(unfinishedFiles(machine.folder), where).toEqual([]);
    const there = await objects();
    made ??= there;
    expect(there, where).toEqual(made);
  }

  function effectsSoFar(): string[] {
    return existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(0, -1) : [];
  }

  async function change(kind: Change, moment: Moment | null): Promise<{ killed: boolean }> {
    rmSync(log, { force: true });
    state = changed(state, kind);
    write(state, kind === 'fail');
    const ran = await runBerth(machine, ['apply', '--yes'], { log, moment });
    if (!ran.killed) expect(ran.code, ran.stdout + ran.stderr).toBe(kind === 'fail' ? 7 : 0);
    write(state);
    return ran;
  }

  const endStranger = await machine.startStranger(`stranger-${id}`);
  await until(() => enginesWith(`stranger-${id}`).length > 0, 'the stranger');
  const strangers = enginesWith(`stranger-${id}`);
  expect(strangers).toHaveLength(1);
  write(state);
  await expectConverged('at first');

  return {
    effects: async (kind) => {
      await change(kind, null);
      const found = effectsSoFar();
      await expectConverged(`after a whole ${kind}`);
      return found;
    },
    crash: async (kind, moment) => {
      const { killed } = await change(kind, moment);
      const hit = killed ? (moment.kind ?? effectsSoFar().at(moment.effect) ?? null) : null;
      await expectConverged(`${kind}, killed ${moment.when} effect ${moment.effect} (${hit ?? 'none'})`);
      return hit;
    },
    end: async () => {
      const ran = await runBerth(machine, ['down'], { log, moment: null });
      expect(ran.code, ran.stderr).toBe(0);
      expect(enginesWith(`${id}/`)).toEqual([]);
      expect(await machine.objects()).toEqual([]);
      expect(enginesWith(`stranger-${id}`)).toEqual(strangers);
      await endStranger();
    },
  };
}

/** The effects of some changes, each done once. */
export async function effectsOf(
  story: Story,
  of: readonly Change[],
): Promise<(readonly [Change, readonly string[]])[]> {
  const found: (readonly [Change, readonly string[]])[] = [];
  for (const change of of) found.push([change, await story.effects(change)]);
  return found;
}
