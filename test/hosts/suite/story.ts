import { expect } from 'vitest';
import { until } from '../../support/berth.ts';
import type { ReplicaLoad } from '../../../src/domain/fleet-load.ts';
import type { SuiteHost } from './contract.ts';
import type { Completion, Load, Stage, Wish } from './stage.ts';

const small = 512;
const large = 768;

/** The life of a fleet on one host, in steps that follow one another. */
export interface Story {
  /** Engines that serve, are seen and tell their logs. */
  readonly apply: () => Promise<void>;
  /** All engines are changed under load, and no stream is other than undisturbed. */
  readonly change: () => Promise<void>;
  /** Engines that are killed come back by themselves. */
  readonly kill: () => Promise<void>;
  /** The change is undone under load. Who would wait longer than is allowed is refused with 503 and Retry-After. */
  readonly rollback: () => Promise<void>;
  /** What the host had before there was a fleet, and what it has after it. */
  readonly down: () => Promise<{ before: string[]; after: string[] }>;
}

export async function tellStory(stage: Stage): Promise<Story> {
  const { host } = stage;
  const names = host.deployments.map(({ name }) => name);
  /** What each model says to a client that nothing disturbs. */
  const undisturbed = new Map<string, Completion>();
  const before = await host.inventory();
  let gateway = '';

  function isWhole(one: Completion): boolean {
    const alone = undisturbed.get(one.model);
    return one.status === 200 && one.done && one.text === alone?.text && one.tokens === alone.tokens;
  }

  function wishes(count: number): Wish[] {
    return names.map((model) => ({ url: gateway, model, count }));
  }

  async function areServed(): Promise<boolean> {
    return (await stage.complete('gateway', wishes(1))).every(isWhole);
  }

  /** So many clients of each model, once each model has been served. */
  async function loadOf(clients: number): Promise<Load> {
    const load = stage.load(wishes(clients));
    await served(load);
    return load;
  }

  /** Every model has answered twice more. */
  async function served(load: Load): Promise<void> {
    const from = load.ended.length;
    function count(name: string): number {
      return load.ended.slice(from).filter((one) => one.model === name && one.status === 200).length;
    }
    await until(() => names.every((name) => count(name) >= 2), 'the clients to be served');
  }

  async function seenAtWork(): Promise<void> {
    let top: ReadonlyMap<string, ReplicaLoad> = new Map();
    await until(async () => {
      top = await stage.top();
      return names.every((name) => isAtWork(host, top.get(name)));
    }, '"berth top" to show engines at work').catch((error: unknown) => {
      throw new Error(`It showed ${JSON.stringify([...top.values()])}.`, { cause: error });
    });
  }

  return {
    apply: async () => {
      stage.write(small, '100s');
      await stage.apply();
      const replicas = [...(await stage.replicas())];
      expect(replicas.map(([name, { state, outdated }]) => [name, state, outdated])).toEqual(
        names.map((name) => [name, 'ready', false]),
      );
      const direct = replicas.map(([model, { url }]) => ({ url: url ?? '', model, count: 1 }));
      for (const one of await stage.complete('engine', direct)) {
        expect([one.status, one.tokens, one.done], one.said).toEqual([200, 48, true]);
        expect(one.text).not.toBe('');
        undisturbed.set(one.model, one);
      }
      for (const { name, says } of host.deployments) expect(await stage.logs(name)).toContain(says);
      if (!host.byHand) expect(await stage.planned()).toEqual(names.map(() => 'keep'));
    },
    change: async () => {
      gateway = await stage.up();
      expect(await areServed()).toBe(true);
      await stage.verify();
      const old = await stage.replicas();
      const load = await loadOf(2);
      if (!host.byHand) await seenAtWork();
      stage.write(large, '100s');
      await stage.apply();
      await served(load);
      const other = (await load.stop()).filter((one) => !isWhole(one));
      if (host.byHand) expect(other.filter((one) => !isHonest(one))).toEqual([]);
      else expect(other).toEqual([]);
      for (const [name, { since }] of await stage.replicas()) expect(since).not.toBe(old.get(name)?.since);
    },
    kill: async () => {
      const old = await stage.replicas();
      for (const [name, replica] of old) await host.kill(replica, name);
      await until(async () => {
        const now = await stage.replicas();
        return names.every(
          (name) => now.get(name)?.state === 'ready' && now.get(name)?.since !== old.get(name)?.since,
        );
      }, 'all to come back');
      await until(areServed, 'all to serve again');
    },
    rollback: async () => {
      stage.write(large, '50ms');
      await stage.apply();
      const load = await loadOf(2);
      await stage.rollback();
      await served(load);
      const ended = await load.stop();
      for (const { name, inPlace } of host.deployments) {
        const other = ended.filter((one) => one.model === name && !isWhole(one));
        for (const one of other) {
          if (host.byHand) expect(isHonest(one), `${name}: ${JSON.stringify(one)}`).toBe(true);
          else
            expect([one.status, Number(one.retryAfter) > 0], `${name}: ${JSON.stringify(one)}`).toEqual([
              503,
              true,
            ]);
        }
        if (inPlace) expect(other.length, name).toBeGreaterThan(0);
        else expect(other, name).toEqual([]);
      }
      // It is what the file said before, not what it says.
      expect([...(await stage.replicas()).values()].map((one) => one.outdated)).toEqual(
        names.map(() => true),
      );
    },
    down: async () => {
      await stage.down();
      // What is left at the end of the time is told by whoever compares.
      if (host.removesLater)
        await until(
          async () => (await host.inventory()).join() === before.join(),
          'it to be as before',
        ).catch(() => {});
      return { before, after: await host.inventory() };
    },
  };
}

/** As `berth top` shows it, with all that every target can tell. */
function isAtWork({ inCluster }: SuiteHost, load: ReplicaLoad | undefined): boolean {
  const { state, slots, running, outputTokensPerSecond, memoryBytes, pid, cores } = load ?? {};
  // A daemon in a process namespace of its own names no process that its machine knows.
  const counted = pid === null || (cores ?? 0) > 0;
  const held = inCluster === true || ((memoryBytes ?? 0) > 1e6 && counted);
  const busy = (slots ?? 0) >= 1 && (running ?? 0) >= 1 && (outputTokensPerSecond ?? 0) > 0;
  return state === 'ready' && busy && held;
}

/** A reply that says that it is none, or a stream that does not say that it came to its end. */
function isHonest({ status, done, retryAfter }: Completion): boolean {
  return (
    (status === 200 && !done) ||
    (status >= 502 && status <= 504 && (status !== 503 || Number(retryAfter) > 0))
  );
}
