import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { freeLoopbackPort } from '../free-port.ts';
import { pipeOf } from '../pipe-child.ts';
import { forwardArgv, sessionArgv } from './arguments.ts';
import { lastLine, reasonOf } from './faults.ts';
import { limiter } from './limit.ts';
import { openMaster } from './master.ts';
import type { Master } from './master.ts';
import type { HostFacts } from './probe.ts';
import type { Framed } from './script.ts';
import { openSession } from './session.ts';
import type { OpenSession } from './session.ts';
import { createWorkers } from './workers.ts';

/** The way to one machine: connected once, and again when the connection is lost and nothing depended on it. */
export interface Connection {
  /** As `machineOf` names it. */
  readonly where: string;
  readonly facts: HostFacts;
  /** Runs a script to its end. Throws HOST_LOST and HOST_SLOW; null when `signal` gave it up. */
  readonly run: (script: string, how?: RunHow) => Promise<Framed | null>;
  /** The same, where any other end than a good one throws HOST_REFUSES with what it says. */
  readonly must: (what: string, script: string, how?: RunHow) => Promise<Framed>;
  /** Runs on while it is talked to. Throws HOST_LOST. */
  readonly talk: (script: string) => Promise<OpenSession>;
  /** A command there as one stream of bytes. Some at once; who comes then waits until one ends. Throws HOST_LOST. */
  readonly pipe: (command: string) => Promise<Duplex>;
  /** Where on this machine "HOST:PORT", or the socket of a path, of that one is reached, kept over every new connection. */
  readonly forward: (to: string) => Promise<string>;
  /** Until it is called, a lost connection stays lost: whoever holds something there must not go on as if he still did. */
  readonly hold: () => () => void;
  readonly close: () => Promise<void>;
}

export interface RunHow {
  readonly input?: string | Uint8Array;
  /** Default 30 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** For people: "reading /etc/hosts". */
  readonly doing?: string;
}

const runMs = 30_000;
const forwardMs = 10_000;
const portTries = 5;
const longestWaitMs = 30_000;
/** Time that open sessions get to end by themselves. */
const endMs = 2_000;

/** `ending`: who asks is about to end, and waits for no connection any longer. */
export async function connect(where: string, ending: AbortSignal): Promise<Connection> {
  const way = new Way(where, ending);
  try {
    const { facts } = await way.open();
    return { where, facts, ...way.asConnection() };
  } catch (error) {
    await way.close();
    throw error;
  }
}

class Way {
  readonly #where: string;
  readonly #ending: AbortSignal;
  readonly #folder = mkdtempSync(join(tmpdir().length < 60 ? tmpdir() : '/tmp', 'berth-ssh-'));
  readonly #workers = createWorkers();
  /** Beside the sessions of workers and locks, of the ten that sshd lets run at once. */
  readonly #pipes = limiter(3);
  /** Local addresses by where they lead. */
  readonly #forwards = new Map<string, Promise<string>>();
  readonly #talks = new Set<OpenSession>();
  #master: Promise<Master> | null = null;
  /** Sockets of this side so far: two that are asked for at once, or after one that failed, never share one. */
  #sockets = 0;
  #held = 0;
  #lost = '';
  #closed = false;
  #attempt = 0;

  constructor(where: string, ending: AbortSignal) {
    this.#where = where;
    this.#ending = ending;
  }

  get #ends(): { where: string; socket: string } {
    return { where: this.#where, socket: join(this.#folder, `c${this.#attempt}`) };
  }

  asConnection(): Omit<Connection, 'where' | 'facts'> {
    return {
      run: (script, how) => this.#run(script, how ?? {}),
      must: async (what, script, how) => {
        const done = await this.#run(script, { doing: what, ...how });
        if (done?.code === 0) return done;
        const said = done ? reasonOf(done.stderr) : 'it was given up';
        throw new BerthError('HOST_REFUSES', { host: this.#where, what, said });
      },
      talk: async (script) => {
        await this.open();
        const session = openSession(this.#ends, script);
        this.#talks.add(session);
        void session.ended.then(() => this.#talks.delete(session));
        return session;
      },
      pipe: (command) => this.#pipe(command),
      forward: (to) => {
        const known = this.#forwards.get(to) ?? this.#firstForward(to);
        this.#forwards.set(to, known);
        known.catch(() => this.#forwards.delete(to));
        return known;
      },
      hold: () => {
        this.#held += 1;
        let given = false;
        return () => {
          if (given) return;
          given = true;
          this.#held -= 1;
          if (this.#held === 0) this.#lost = '';
        };
      },
      close: () => this.close(),
    };
  }

  /** The connection that is there, or a new one. */
  open(): Promise<Master> {
    if (this.#lost !== '')
      return Promise.reject(new BerthError('HOST_LOST', { host: this.#where, said: this.#lost }));
    if (this.#closed)
      return Promise.reject(new BerthError('HOST_LOST', { host: this.#where, said: 'berth is ending' }));
    this.#master ??= this.#connect();
    return this.#master;
  }

  async #connect(): Promise<Master> {
    this.#attempt += 1;
    try {
      const master = await openMaster(this.#where, this.#ends.socket, this.#ending);
      void master.ended.then(() => this.#hasEnded(master));
      await Promise.all(
        [...this.#forwards].map(async ([to, from]) => this.#addForward(await from, to).catch(() => {})),
      );
      return master;
    } catch (error) {
      this.#master = null;
      throw error;
    }
  }

  #hasEnded(master: Master): void {
    this.#master = null;
    if (this.#closed) return;
    if (this.#held > 0) this.#lost = master.said() || 'ssh ended';
    if (this.#forwards.size > 0) void this.#reopen(1_000);
  }

  /** Others still come by the forwards: connects again by itself, however long that takes. */
  async #reopen(waitMs: number): Promise<void> {
    await new Promise((resolve) => void setTimeout(resolve, waitMs).unref());
    if (this.#closed || this.#master) return;
    if (this.#held > 0) return this.#reopen(waitMs);
    await this.open().catch(() => this.#reopen(Math.min(longestWaitMs, waitMs * 2)));
  }

  async #run(script: string, how: RunHow): Promise<Framed | null> {
    await this.open();
    const timeoutMs = how.timeoutMs ?? runMs;
    const options = {
      timeoutMs,
      ...(how.input === undefined ? {} : { input: how.input }),
      ...(how.signal ? { signal: how.signal } : {}),
    };
    const outcome = await this.#workers.run(this.#ends, script, options);
    if (outcome.done) return outcome.done;
    if (how.signal?.aborted) return null;
    if (outcome.late)
      throw new BerthError('HOST_SLOW', {
        host: this.#where,
        doing: how.doing ?? 'running a command',
        seconds: Math.round(timeoutMs / 1000),
      });
    const master = await this.#master;
    const refused =
      /refused by peer/.test(outcome.said) && 'sshd there refuses one more session (MaxSessions)';
    const said = refused || lastLine(outcome.said) || master?.said() || 'a session ended before its time';
    throw new BerthError('HOST_LOST', { host: this.#where, said });
  }

  async #pipe(command: string): Promise<Duplex> {
    await this.open();
    const place = Promise.withResolvers<void>();
    const { where, socket } = this.#ends;
    const [program = '', ...args] = sessionArgv(where, socket, command);
    return new Promise((resolve) => {
      void this.#pipes(async () => {
        const pipe = pipeOf(spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true }));
        pipe.once('close', place.resolve);
        resolve(pipe);
        await place.promise;
      });
    });
  }

  async #firstForward(to: string): Promise<string> {
    await this.open();
    if (to.startsWith('/')) {
      this.#sockets += 1;
      const socket = join(this.#folder, `s${this.#sockets}`);
      await this.#addForward(socket, to);
      return socket;
    }
    for (let tries = 1; ; tries += 1) {
      const from = `127.0.0.1:${await freeLoopbackPort()}`;
      try {
        await this.#addForward(from, to);
        return from;
      } catch (error) {
        // Another program may have taken the port in between.
        if (tries === portTries) throw error;
      }
    }
  }

  #addForward(from: string, to: string): Promise<void> {
    const { where, socket } = this.#ends;
    // A connection that was lost leaves its socket behind, and ssh takes none that is there.
    if (from.startsWith('/')) rmSync(from, { force: true });
    const [program = '', ...args] = forwardArgv(where, socket, { from, to });
    return new Promise((resolve, reject) => {
      execFile(program, args, { timeout: forwardMs }, (error, _stdout, stderr) => {
        if (!error) resolve();
        else
          reject(
            new BerthError('HOST_REFUSES', {
              host: where,
              what: `Forwarding ${to.startsWith('/') ? 'the socket' : 'a port to'} ${to}`,
              said: lastLine(stderr) || error.message,
            }),
          );
      });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#workers.end();
    const talks = [...this.#talks];
    for (const talk of talks) talk.closeInput();
    const timer = setTimeout(() => {
      for (const talk of talks) talk.cut();
    }, endMs);
    await Promise.all(talks.map(({ ended }) => ended));
    clearTimeout(timer);
    const master = await this.#master?.catch(() => null);
    await master?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
