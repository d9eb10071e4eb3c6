import { findLlamaServer } from '../llama-server.ts';
import type { SuiteDeployment } from './contract.ts';

interface Where {
  readonly name: string;
  /** As a flow mapping; empty: a process. */
  readonly target?: string;
  readonly port?: number;
  readonly gpus?: number;
  /** More keys of the engine. */
  readonly engine?: string;
  readonly inPlace?: boolean;
}

/** A deployment of the real llama-server with the suite's model. */
export function llamaDeployment(where: Where): SuiteDeployment {
  const own = where.engine ?? `binary: "${findLlamaServer()}"`;
  return {
    name: where.name,
    inPlace: where.inPlace ?? where.port !== undefined,
    says: 'listening on http',
    line: (context) =>
      line(
        where,
        `kind: llama.cpp, slots: 1, context: ${context}, threads: 1, cacheRam: 0, startTimeout: 90s, ${own}`,
      ),
  };
}

/** A deployment of berth's own engine. */
export function embeddedDeployment(where: Where): SuiteDeployment {
  return {
    name: where.name,
    inPlace: where.port !== undefined,
    says: 'toy',
    line: (context) => line(where, `kind: embedded, slots: 1, context: ${context}`),
  };
}

function line({ name, target, port, gpus }: Where, engine: string): string {
  const place = [
    'model: toy',
    ...(port === undefined ? [] : [`port: ${port}`]),
    ...(gpus === undefined ? [] : [`gpus: ${gpus}`]),
    ...(target === undefined ? [] : [`target: ${target}`]),
  ];
  return `  ${name}: {${place.join(', ')}, engine: {${engine}}}`;
}
