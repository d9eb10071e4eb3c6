import { BerthError } from '../../domain/errors/berth-error.ts';
import type { World } from '../../io/world.ts';
import type { PublishedRun, RunPublisher } from '../contract.ts';
import { openRegistry } from './client.ts';
import type { Entity, Properties, RegistryClient } from './client.ts';
import { bestStage, describedWith, prefix, stageFigures, versionFigures } from './figures.ts';
import { ModelRegistryOptions } from './options.ts';

/** Somebody else may write between a read and a write: there is no condition that the registry would keep. */
const tries = 3;

/**
 * Kubeflow Model Registry, and that of OpenShift AI: the figures of the best level as properties of a model's version, and an
 * artifact for each run with all levels. Properties of others stay as they are.
 */
export const modelRegistryPublisher = {
  kind: 'model-registry',
  title: 'properties and an artifact in a Kubeflow Model Registry',
  options: ModelRegistryOptions,
  keepsFiles: false,
  publish,
} as const satisfies RunPublisher<'model-registry', ModelRegistryOptions>;

async function publish(
  world: World,
  { report, reportUri }: PublishedRun,
  options: ModelRegistryOptions,
  secret: string | null,
): Promise<string> {
  const best = bestStage(report);
  if (!best)
    throw new BerthError('PUBLISH_FAILED', {
      place: options.url,
      reason: `run ${report.id} measured nothing that could be told`,
    });
  const ca = options.caFile === undefined ? null : await world.files.read(options.caFile);
  if (options.caFile !== undefined && ca === null)
    throw new BerthError('FILE_MISSING', {
      path: options.caFile,
      what: 'file of authorities for the registry',
    });
  const registry = await openRegistry(world, { base: options.url, token: secret, ca });
  const deployment = report.spec.target.deployment ?? report.server.model;
  const { name, version } = options.models[deployment] ?? { name: deployment, version: 'current' };
  const model = await sureOf(
    registry,
    { find: 'registered_model', make: 'registered_models' },
    { name },
    { name },
  );
  const made = await sureOf(
    registry,
    { find: 'model_version', make: 'model_versions' },
    { name: version, parentResourceId: model.id },
    { name: version, registeredModelId: model.id },
  );
  await change(registry, `model_versions/${made.id}`, {
    find: () =>
      sure(registry.find('model_version', { name: version, parentResourceId: model.id }), options.url),
    properties: versionFigures(report, best, reportUri),
    describe: options.as.includes('description') ? (before) => describedWith(before, report, best) : null,
    isProperties: options.as.includes('properties'),
  });
  await keepArtifact(registry, made.id, { report, reportUri, url: options.url });
  return `${options.url.replace(/\/+$/, '')} (model ${name}, version ${version})`;
}

async function sure(found: Promise<Entity | null>, place: string): Promise<Entity> {
  const entity = await found;
  if (!entity) throw new BerthError('PUBLISH_FAILED', { place, reason: 'what was just made is not there' });
  return entity;
}

/** What is there, else what is made; of two that make it at once the first one's. */
async function sureOf(
  registry: RegistryClient,
  at: { find: string; make: string },
  query: Record<string, string>,
  body: object,
): Promise<Entity> {
  const found = (await registry.find(at.find, query)) ?? (await registry.create(at.make, body));
  return found ?? sure(registry.find(at.find, query), at.make);
}

interface Wanted {
  readonly find: () => Promise<Entity>;
  readonly properties: Properties;
  readonly describe: ((before: string) => string) | null;
  readonly isProperties: boolean;
}

/** A change replaces all properties: they are read, ours exchanged, written, and looked at again. */
async function change(registry: RegistryClient, path: string, wanted: Wanted): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const { customProperties, description } = await wanted.find();
    const others = Object.entries(customProperties ?? {}).filter(([key]) => !key.startsWith(prefix));
    await registry.change(path, {
      ...(wanted.isProperties
        ? { customProperties: { ...Object.fromEntries(others), ...wanted.properties } }
        : {}),
      ...(wanted.describe ? { description: wanted.describe(description ?? '') } : {}),
    });
    if (!wanted.isProperties) return;
    const now = (await wanted.find()).customProperties ?? {};
    if (Object.keys(wanted.properties).every((key) => key in now)) return;
    if (attempt === tries)
      throw new BerthError('PUBLISH_FAILED', {
        place: path,
        reason: 'somebody else writes its properties at the same time',
      });
  }
}

/** One for each run, known by the run's id, so that telling it again changes it. */
async function keepArtifact(
  registry: RegistryClient,
  versionId: string,
  { report, reportUri, url }: Pick<PublishedRun, 'report' | 'reportUri'> & { url: string },
): Promise<void> {
  const externalId = `berth:${report.id}`;
  const body = {
    artifactType: 'doc-artifact',
    customProperties: stageFigures(report),
    ...(reportUri === null ? {} : { uri: reportUri }),
  };
  const path = `model_versions/${versionId}/artifacts`;
  const made = await registry.create(path, { ...body, name: `bench-${report.id}`, externalId });
  if (made) return;
  const found = await sure(registry.find('artifact', { externalId }), url);
  await registry.change(`artifacts/${found.id}`, body);
}
