import type { AnySecret } from '../domain/secret.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import { resolveSecret } from '../io/secret-values.ts';
import type { World } from '../io/world.ts';
import type { Report } from '../domain/run/report.ts';
import type { ReadRecords, RunContent, RunPublisher } from './contract.ts';
import { runPublishers } from './places/registry.ts';
import { filePublishers } from './registry.ts';

/** A publisher of the fleet file: told apart by `kind`, whose schema has parsed it. */
export interface StatedPublisher {
  readonly kind: string;
  readonly secret?: AnySecret;
  readonly auth?: AnySecret;
}

export interface Published {
  readonly publisher: string;
  /** Where the run is to be found; null: it could not be told there. */
  readonly address: string | null;
  readonly error: { readonly code: string; readonly message: string; readonly cure: string } | null;
}

/** What is uploaded of a run; all that can be made again from the records stays out. */
const formats = ['json', 'csv', 'html', 'parquet'];

/**
 * Tells one run to all of these, those that keep files first. One that fails keeps the others from nothing: what became of
 * each is in the result, which has an entry for every name.
 */
export async function publishRun(
  world: World,
  run: { report: Report; records: ReadRecords },
  places: readonly { name: string; options: StatedPublisher }[],
): Promise<Published[]> {
  const files = await filesOf(run);
  const known = places.map(({ name, options }) => ({ name, options, publisher: publisherOf(options.kind) }));
  const sorted = known.toSorted((a, b) => Number(b.publisher.keepsFiles) - Number(a.publisher.keepsFiles));
  const published: Published[] = [];
  let reportUri: string | null = null;
  for (const { name, options, publisher } of sorted) {
    try {
      const ref = options.secret ?? options.auth;
      const secret = ref === undefined ? null : await resolveSecret(world, ref);
      const told = { report: run.report, files, reportUri };
      const address = await publisher.publish(world, told, options, secret);
      if (publisher.keepsFiles) reportUri ??= address;
      published.push({ publisher: name, address, error: null });
    } catch (error) {
      if (!(error instanceof BerthError)) throw error;
      const { code, message, cure } = error;
      published.push({ publisher: name, address: null, error: { code, message, cure } });
    }
  }
  return published;
}

function publisherOf(kind: string): RunPublisher {
  const found = runPublishers.find((one) => one.kind === kind);
  if (!found) throw new Error(`There is no publisher ${kind}.`);
  return found as unknown as RunPublisher;
}

function filesOf({ report, records }: { report: Report; records: ReadRecords }): Promise<RunContent[]> {
  const wanted = filePublishers.filter(({ kind }) => formats.includes(kind));
  return Promise.all(
    wanted.map(async ({ fileName, contentType, render }) => ({
      name: fileName,
      contentType,
      content: await render(report, records),
    })),
  );
}
