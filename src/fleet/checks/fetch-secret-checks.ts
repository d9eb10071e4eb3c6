import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { fault } from '../file/fault.ts';
import { entriesAt, pieceAt, scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';
import { hostOf } from './port-checks.ts';

/** Keys of a model that the Job which fetches it into a claim would never be given. */
export function fetchSecretFaults(tree: Located): ConfigFault[] {
  const told = new Set<Located>();
  return entriesAt(tree, ['deployments']).flatMap(([, deployment]) => {
    const name = scalarAt(deployment, ['model']);
    if (typeof name !== 'string' || scalarAt(deployment, ['target', 'kind']) === 'kserve') return [];
    const fetch = pieceAt(tree, ['models', name, 'at', hostOf(tree, deployment), 'fetch']);
    if (!fetch || told.has(fetch)) return [];
    told.add(fetch);
    const named = pieceAt(fetch, ['secret']);
    return named ? ofThisFile(tree, named) : notGiven(fetch, pieceAt(tree, ['models', name, 'secret']));
  });
}

/** Everywhere else the name of a secret is one of the file. */
function ofThisFile(tree: Located, named: Located): ConfigFault[] {
  const name = scalarAt(named, []);
  const own = typeof name === 'string' ? pieceAt(tree, ['secrets', name]) : null;
  if (!own) return [];
  const object = scalarAt(own, ['secretRef', 'name']);
  if (object === name) return [];
  return [
    fault(
      named,
      named.at,
      `A Secret of the cluster is named here, and ${String(name)} is a secret of this file.`,
      typeof object === 'string' ? `Write the name of the Secret: ${object}.` : inCluster,
    ),
  ];
}

const inCluster =
  'Put the key into a Secret of the cluster (kubectl create secret generic NAME --from-env-file=FILE, with HF_TOKEN or the keys of S3 as variables), and write the name of that one.';

function notGiven(fetch: Located, secret: Located | null): ConfigFault[] {
  if (!secret) return [];
  const object = scalarAt(secret, ['secretRef', 'name']);
  return [
    fault(
      fetch,
      fetch.keyAt,
      'The Job that fetches the model is not given its secret.',
      typeof object === 'string'
        ? `Name the Secret for the Job, too, which has all of it as variables: fetch.secret: ${object}.`
        : `Name one for the Job as fetch.secret. ${inCluster}`,
    ),
  ];
}
