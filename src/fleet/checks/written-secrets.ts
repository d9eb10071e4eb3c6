import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import {
  isWrittenSecret,
  secretAssignments,
  secretByLooks,
  writtenFlagAt,
} from '../../domain/command-line/written-secret.ts';
import { fault } from '../file/fault.ts';
import { fetchesIn } from '../file/secret-places.ts';
import { entriesAt, scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';

const cure =
  'Leave it out. In a cluster write {secret: …} as a variable of "env"; else have the program read a file that only its user can read, or a variable of the shell that runs berth, which a process inherits.';

const cureOfFetch =
  'Leave it out: put it into a Secret of the cluster under the name of its variable, and write the name of that as fetch.secret.';

/**
 * Secrets that are written into the file: by the names of variables and flags in what an engine and its target are given, and
 * by their looks anywhere. No fault repeats one, and there is none where a place has a fault already.
 */
export function writtenSecrets(tree: Located, others: readonly ConfigFault[]): ConfigFault[] {
  const named: Named[] = [
    ...entriesAt(tree, ['deployments']).flatMap(([, deployment]) => [
      ...entriesAt(deployment, ['engine']).flatMap(([key, piece]) => inEngine(key, piece)),
      ...entriesAt(deployment, ['target']).flatMap(([, piece]) => inTarget(piece)),
    ]),
    ...fetchesIn(tree).flatMap((fetch) =>
      entriesAt(fetch, [])
        .flatMap(([key, piece]) => inEngine(key === 'entrypoint' ? 'command' : key, piece))
        .map((one) => ({ ...one, cure: cureOfFetch })),
    ),
  ];
  const told = new Set(named.flatMap(({ piece, behind = piece }) => [piece, behind]));
  const faults = [
    ...named.map(({ piece, name, cure: own = cure }) =>
      fault(piece, piece.at, `${name} would put a secret into the fleet file.`, own),
    ),
    ...byLooks(tree)
      .filter(({ piece }) => !told.has(piece))
      .map(({ piece, what }) =>
        fault(piece, piece.at, `This looks like ${what}, and the fleet file is no place for one.`, cure),
      ),
  ];
  const taken = new Set(others.map(placeOf));
  return faults.filter((one) => !taken.has(placeOf(one)));
}

function placeOf({ file, line, column }: ConfigFault): string {
  return `${file}:${line}:${column}`;
}

interface Named {
  readonly piece: Located;
  readonly name: string;
  /** The word that has the value, where it is the next. */
  readonly behind?: Located | undefined;
  readonly cure?: string;
}

function inEngine(key: string, piece: Located): Named[] {
  if (key === 'env') return entriesAt(piece, []).flatMap(([name, value]) => inVariable(name, value));
  return key === 'command' || key === 'args' ? inCommand(piece) : [];
}

/** Flags with a secret behind them, and variables that a shell sets before a command. */
function inCommand({ content }: Located): Named[] {
  if (content.kind !== 'list') return [];
  const words = content.items.map((item) => {
    const word = scalarAt(item, []);
    return typeof word === 'string' ? word : '';
  });
  return content.items.flatMap((piece, at) => {
    const flag = writtenFlagAt(words, at);
    if (flag !== null) return [{ piece, name: flag, behind: content.items[at + 1] }];
    return secretAssignments(words[at] ?? '')
      .slice(0, 1)
      .map((name) => ({ piece, name }));
  });
}

/** Whatever is passed on as it is: variables by key, as NAME=VALUE, or as the pairs {name, value} of a pod. */
function inTarget(piece: Located): Named[] {
  const { content } = piece;
  if (content.kind === 'list') return [...inCommand(piece), ...content.items.flatMap(below)];
  if (content.kind === 'map') {
    const [name, value] = [scalarAt(piece, ['name']), content.entries.get('value')];
    const pair = typeof name === 'string' && value ? inVariable(name, value) : [];
    return [...pair, ...[...content.entries].flatMap(([key, one]) => inEntry(key, one))];
  }
  return inText(piece);
}

function inEntry(key: string, piece: Located): Named[] {
  // In other letters it is a key of ours, such as the name of a Secret.
  return /^[A-Z][A-Z0-9_]*$/.test(key) && piece.content.kind === 'scalar'
    ? inVariable(key, piece)
    : inTarget(piece);
}

function below(item: Located): Named[] {
  return item.content.kind === 'scalar' ? [] : inTarget(item);
}

function inVariable(name: string, piece: Located): Named[] {
  const value = scalarAt(piece, []);
  return typeof value === 'string' && isWrittenSecret(name, value) ? [{ piece, name }] : [];
}

function inText(piece: Located): Named[] {
  const text = scalarAt(piece, []);
  if (typeof text !== 'string') return [];
  const name = writtenFlagAt([text], 0) ?? secretAssignments(text)[0];
  return name === undefined ? [] : [{ piece, name }];
}

function byLooks(piece: Located): { piece: Located; what: string }[] {
  const { content } = piece;
  if (content.kind === 'map') return [...content.entries.values()].flatMap(byLooks);
  if (content.kind === 'list') return content.items.flatMap(byLooks);
  const what = typeof content.value === 'string' ? secretByLooks(content.value) : null;
  return what === null ? [] : [{ piece, what }];
}
