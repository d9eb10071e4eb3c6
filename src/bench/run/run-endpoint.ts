import { BerthError } from '../../domain/errors/berth-error.ts';
import type { PromptUse } from '../../domain/prompt-use.ts';
import type { RunSpec } from '../../domain/run/spec.ts';
import type { Exchange } from '../../io/timed-request.ts';
import type { BenchPrompt } from '../contract.ts';
import type { Answer, Asked, BenchEndpoint } from '../endpoints/contract.ts';
import { benchEndpoints } from '../endpoints/registry.ts';

/** The endpoint of a run with its options filled in. */
export interface RunEndpoint {
  readonly kind: string;
  readonly path: string;
  readonly generates: boolean;
  readonly takes: readonly PromptUse[];
  readonly countsTexts: boolean;
  readonly leastOutput: number;
  readonly texts: number;
  readonly inputs: (prompt: BenchPrompt) => number;
  readonly body: (asked: Omit<Asked<never>, 'options'>) => Record<string, unknown>;
  readonly read: (exchange: Exchange, keepText: boolean) => Answer;
}

type AnyEndpoint = Omit<BenchEndpoint, 'texts' | 'body'> & {
  texts?: (options: never) => number;
  body: (asked: Asked<never>) => Record<string, unknown>;
};

const found = new WeakMap<object, RunEndpoint>();

/** What the run asks. Throws USAGE when the registry does not know it. */
export function endpointOf(spec: Pick<RunSpec, 'target' | 'endpoint'>): RunEndpoint {
  // Asked for at each request, of the same target.
  const known = found.get(spec.target);
  if (known) return known;
  const endpoint = endpointFor(spec.endpoint ?? { kind: spec.target.api });
  found.set(spec.target, endpoint);
  return endpoint;
}

/** Throws USAGE when the registry does not know these options. */
export function endpointFor(options: { kind: string }): RunEndpoint {
  const all: readonly AnyEndpoint[] = benchEndpoints;
  const entry = all.find(({ kind }) => kind === options.kind);
  if (!entry) {
    const kinds = all.map(({ kind }) => kind).join(', ');
    throw usage(`there is no "${options.kind}"; there are: ${kinds}`);
  }
  const parsed = entry.options.safeParse(options);
  if (!parsed.success)
    throw usage(
      parsed.error.issues.map(({ path, message }) => [...path.map(String), message].join(': ')).join('; '),
    );
  // The entry's own schema has checked them, so they are of the type that its functions take.
  const filled = parsed.data as never;
  const {
    kind,
    path,
    generates,
    takes = ['prompt'],
    countsTexts,
    leastOutput,
    texts,
    inputs,
    body,
    read,
  } = entry;
  return {
    kind,
    path,
    generates,
    takes,
    countsTexts,
    leastOutput,
    read,
    texts: texts?.(filled) ?? 1,
    inputs: (prompt) => inputs?.(prompt) ?? 0,
    body: (asked) => body({ ...asked, options: filled }),
  };
}

function usage(reason: string): BerthError {
  return new BerthError('USAGE', {
    detail: `--endpoint is a kind, or kind=embeddings,inputs=8: ${reason}.`,
    command: 'bench',
  });
}
