import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { freePorts, ownPorts, until } from '../support/berth.ts';
import { enginesWith, runBerth } from './machine.ts';
import type { CrashMachine, Moment } from './machine.ts';

/**
 * A fleet that goes to and fro between two states, with every kind of action in each change: one engine is replaced in its
 * place, one beside itself with a key of its own, one is stopped and one started. In the third kind of change the new engine
 * crashes, so that the old one has to come back.
 */
export interface Story {
  /** Kinds of the effects of one change that nobody disturbs. */
  readonly effects: (change: 'flip' | 'fail') => Promise<string[]>;
  /** One change that ends by SIGKILL at that moment, then an apply that has to converge. Null: the change was done before. */
  readonly crash: (change: 'flip' | 'fail', moment: Moment) => Promise<string | null>;
  readonly end: () => Promise<void>;
}

type State = 'even' | 'odd';

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
  let state: State = 'even';

  function write(target: State, fails = false): void {
    const slots = target === 'even' ? 1 : 2;
    function line(name: string, port: number | null, ownKey = false, crashes = false): string {
      const word = `${id}/${name}/${crashes ? 'crash' : slots}`;
      return `  ${name}: ${machine.deployment({ word, slots, port, crashes, ownKey })}`;
    }
    const lone = target === 'even' ? 'c' : 'd';
    const lines = [
      'version: 1',
      'fleet: crash',
      `id: "${id}"`,
      hosts,
      ...machine.more,
      'deployments:',
      line('a', pinned, false, fails),
      line('b', null, true),
      line(lone, null),
    ];
    writeFileSync(join(machine.folder, 'berth.yaml'), `${lines.join('\n')}\n`);
  }

  function words(target: State): string[] {
    const slots = target === 'even' ? 1 : 2;
    return ['a', 'b', target === 'even' ? 'c' : 'd'].map((name) => `${id}/${name}/${slots}`);
  }

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
  }

  function effectsSoFar(): string[] {
    return existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(0, -1) : [];
  }

  async function change(kind: 'flip' | 'fail', moment: Moment | null): Promise<{ killed: boolean }> {
    rmSync(log, { force: true });
    if (kind === 'flip') state = state === 'even' ? 'odd' : 'even';
    write(state, kind === 'fail');
    const ran = await runBerth(machine, ['apply', '--yes'], { log, moment });
    if (!ran.killed) expect(ran.code, ran.stdout + ran.stderr).toBe(kind === 'flip' ? 0 : 7);
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
      expect(enginesWith(`stranger-${id}`)).toEqual(strangers);
      await endStranger();
    },
  };
}
