import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { isAddress } from '../../domain/model-source.ts';
import { modelSources } from '../../model-sources/registry.ts';
import { engineIn } from './engine-in.ts';
import { fault } from '../file/fault.ts';
import { entriesAt, pieceAt, scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';
import { hostOf, isCluster } from './port-checks.ts';

/** Parameters by which signed addresses of the usual stores, and servers with tokens, let somebody in. */
const keyParameter =
  /^(x-(amz|goog)-(signature|credential|security-token)|signature|sig|(access_|auth_)?token|(api_?)?key|password|secret)$/i;

/** An address in place of a path is of a kind that `berth pull` fetches, or the engine itself, and holds no key: plans and marks show it. */
export function sourceFaults(tree: Located): ConfigFault[] {
  return entriesAt(tree, ['models']).flatMap(([name, model]) =>
    ['source', 'mmproj'].flatMap((key) => {
      const piece = pieceAt(model, [key]);
      return piece ? addressFaults(tree, name, piece) : [];
    }),
  );
}

function addressFaults(tree: Located, model: string, piece: Located): ConfigFault[] {
  const source = scalarAt(piece, []);
  if (typeof source !== 'string' || !isAddress(source)) return [];
  const what = keyIn(source);
  if (what !== null)
    return [
      fault(
        piece,
        piece.at,
        `The address holds ${what}, and plans and marks show addresses.`,
        'Download the file once, with "berth pull" or otherwise, and write its path; a token for hf:// or s3:// is told by secret.',
      ),
    ];
  const place = modelSources.find(({ owns }) => owns(source));
  const reason = place?.misshapen(source) ?? null;
  if (place && reason !== null && isHeldToForm(tree, model, source))
    return [fault(piece, piece.at, reason, `Write ${place.form}.`)];
  if (place) return [];
  const scheme = source.slice(0, source.indexOf(':'));
  return [
    fault(
      piece,
      piece.at,
      `Models from ${scheme}:// are not supported yet.`,
      `Write a path, or one of: ${modelSources.map(({ form }) => form).join(', ')}.`,
    ),
  ];
}

/** Whether berth, or what fetches by the same form, is to fetch it for some deployment. */
function isHeldToForm(tree: Located, name: string, source: string): boolean {
  return entriesAt(tree, ['deployments']).some(([, deployment]) => {
    if (scalarAt(deployment, ['model']) !== name) return false;
    const engine = engineIn(deployment);
    if (engine && 'external' in engine) return false;
    const host = hostOf(tree, deployment);
    const place = pieceAt(tree, ['models', name, 'at', host]);
    if (place) return pieceAt(place, ['fetch']) !== null;
    if (source.startsWith('hf://')) return !(engine && 'takesAnyHubName' in engine);
    // KServe also takes buckets whose names are older than the rules for them.
    return !isCluster(tree, host);
  });
}

/** What lets somebody in that is written in an address; null: nothing. */
function keyIn(source: string): string | null {
  if (!URL.canParse(source)) return null;
  const { username, password, searchParams } = new URL(source);
  if (username !== '' || password !== '') return 'a name or password';
  const name = [...searchParams.keys()].find((one) => keyParameter.test(one));
  return name === undefined ? null : `a key (${name})`;
}
