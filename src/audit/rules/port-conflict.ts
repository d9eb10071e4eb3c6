import type { DefinedServer, ObservedHost } from '../../domain/audit/observation.ts';
import type { Found, Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const portConflict: Rule = {
  id: 'port-conflict',
  severity: 'warning',
  finds:
    'two definitions on one machine (units, containers of its own network) that want the same address and port',
  why: 'Only one of them can start; after a reboot it may be the other one.',
  find: ({ hosts }) => perHost(hosts, onHost),
};

/** Units that are there for a container: one that publishes nothing has its port to itself. */
const containerUnits = ['quadlet', 'container-run'];

interface Wants {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly serves: string;
  /** It starts a container, which is seen beside it. */
  readonly runs: boolean;
}

function isItsContainer(unit: Wants, other: Wants): boolean {
  return unit.runs && other.name.startsWith('container ') && unit.serves === other.serves;
}

function onHost(host: ObservedHost): Found[] {
  const wants = [
    ...host.units
      .filter((unit) => unit.enabled === true || unit.active === 'active')
      .filter((unit) => !containerUnits.includes(unit.madeBy ?? '') || unit.starts.port !== null)
      .map((unit) => [unit.name, unit.starts, unit.madeBy === 'container-run'] as const),
    ...host.containers
      .filter((one) => one.shares.includes('network') && one.restartPolicy !== 'no')
      .map((one) => [`container ${one.name}`, one.starts, false] as const),
  ].flatMap(([name, starts, runs]) => wantOf(name, starts, runs));
  return wants.flatMap((one, at) => {
    const other = wants
      .slice(at + 1)
      .find(
        (next) => next.port === one.port && meet(next.address, one.address) && !isItsContainer(one, next),
      );
    if (!other) return [];
    return [
      {
        object: `${one.name} and ${other.name}`,
        names: [one.name, other.name],
        message: `Both are defined to listen on port ${one.port} of the same network.`,
        evidence: [one, other].map(({ name, address, port }) => `${name}: ${address}:${port}`),
        cure: 'Give one of them another port, or disable the one that is not wanted.',
      },
    ];
  });
}

/** Where nothing is said: llama-server listens on loopback, vLLM on all addresses. */
function wantOf(name: string, starts: DefinedServer, runs: boolean): Wants[] {
  const { engine, host, port, model } = starts;
  const usual = engine === 'llama.cpp' ? 8080 : engine === 'vllm' ? 8000 : null;
  const wanted = port ?? usual;
  return wanted === null
    ? []
    : [{ name, address: addressOf(host, engine), port: wanted, serves: `${engine} ${model}`, runs }];
}

function addressOf(host: string | null, engine: string): string {
  if (host === null || host === '') return engine === 'vllm' ? '0.0.0.0' : '127.0.0.1';
  return host === 'localhost' ? '127.0.0.1' : host;
}

function meet(a: string, b: string): boolean {
  const all = ['0.0.0.0', '::'];
  return a === b || all.includes(a) || all.includes(b);
}
