import type { z } from 'zod';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { LeanFleetFile } from '../../lean-fleet-schema.ts';
import type { FleetFile } from '../../fleet-schema.ts';
import type { World } from '../../io/world.ts';
import { crossFaults } from '../checks/cross-checks.ts';
import { fillDefaults } from './defaults.ts';
import { readDotEnv, withDotEnv } from './dot-env.ts';
import { nameSecrets } from './named-secrets.ts';
import { openSecrets } from './open-secrets.ts';
import { identityOf, resolveFleet } from './resolve.ts';
import type { LoadedFleet } from './resolve.ts';
import { keyFaults } from '../checks/key-checks.ts';
import type { Opening } from '../checks/key-checks.ts';
import { secretFaults } from '../checks/secret-checks.ts';
import { fillSecrets } from './secret-table.ts';
import { readSources } from './sources.ts';
import { suppressionFaults } from '../checks/suppression-checks.ts';
import { writtenGateway } from './written-gateway.ts';
import { writtenSecrets } from '../checks/written-secrets.ts';
import { tlsFaults } from '../checks/tls-checks.ts';
import { pieceAt, toPlain } from './tree.ts';
import type { Located } from './tree.ts';

/**
 * Reads a fleet from its files: later ones over earlier ones, imports below the file that names them, defaults below each deployment.
 * `secrets: unused` is for commands that only look or stop; `opens` for one that opens the gateway. Throws CONFIG_INVALID with every
 * fault at once, CONFIG_MISSING or FILE_MISSING.
 */
export async function loadFleet(
  world: World,
  options: { files: readonly string[]; cwd: string; secrets?: 'needed' | 'unused'; opens?: Opening },
): Promise<LoadedFleet> {
  const sources = await readSources(world, options);
  const faults = [...sources.faults];
  if (sources.tree === null) throw invalid(faults);
  const tree = fillSecrets(fillDefaults(sources.tree));
  const plain = toPlain(tree);
  const schema = await schemaFor(tree);
  // Code of its own for each object, which zod would make, is worth it for files of a thousand deployments and more.
  const parsed = schema.safeParse(plain, { jitless: true });
  const dotEnv = await readDotEnv(world, sources.main, tree);
  if (!parsed.success) {
    // A valid file, the usual case, goes without the part that explains faults.
    const { schemaFaults } = await import('./schema-faults.ts');
    faults.push(...schemaFaults(schema, tree, plain, parsed.error.issues));
  }
  faults.push(...crossFaults(tree), ...(await suppressionFaults(tree)));
  faults.push(...writtenSecrets(tree, faults));
  if (options.secrets !== 'unused') {
    faults.push(...(await secretFaults(world, tree, dotEnv)), ...(await tlsFaults(world, tree)));
    faults.push(...(await keyFaults(world, tree, identityOf(tree, sources.main), options.opens ?? null)));
  }
  if (faults.length > 0 || !parsed.success) throw invalid(faults);
  const warnings = options.secrets === 'unused' ? [] : await openSecrets(world, tree, dotEnv);
  const loaded: LoadedFleet = {
    ...resolveFleet(withDotEnv(parsed.data, tree, dotEnv), tree, sources),
    written: writtenGateway(plain),
    warnings,
  };
  await nameSecrets(world, loaded);
  if (loaded.gateway.host === undefined) return loaded;
  const { insideOf } = await import('../gateway/inside-file.ts');
  return { ...loaded, inside: insideOf(tree, loaded) };
}

/** Benchmarks and publishers are known to the whole schema alone, which is loaded where a file has some. */
async function schemaFor(tree: Located): Promise<z.ZodType<FleetFile>> {
  const lean = ['benchmarks', 'publishers'].every((key) => pieceAt(tree, [key]) === null);
  if (lean) return LeanFleetFile;
  return (await import('../../fleet-schema.ts')).FleetFile;
}

/** In the order of the file; a fault of the defaults is told once, not for each deployment. */
function invalid(faults: readonly ConfigFault[]): BerthError<'CONFIG_INVALID'> {
  const once = new Map(faults.map((one) => [`${one.file}:${one.line}:${one.column}:${one.message}`, one]));
  const sorted = [...once.values()].toSorted(
    (a, b) => a.file.localeCompare(b.file) || a.line - b.line || a.column - b.column,
  );
  return new BerthError('CONFIG_INVALID', { faults: sorted });
}
