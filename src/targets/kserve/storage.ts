import { posix } from 'node:path';
import type { Hole, LaunchSpec } from '../../domain/launch-spec.ts';
import { hubName, shownSource } from '../../domain/model-source.ts';
import { isOfCluster } from '../../domain/secret.ts';
import { isOneOfSeveral } from '../../domain/split-files.ts';
import { serviceAccountOf } from '../../kube/launched.ts';
import { podFiller } from '../../kube/volumes.ts';
import type { KserveOptions } from './options.ts';

/** Where KServe puts what it fetches or mounts. */
export const modelFolder = '/mnt/models';
export const containerPort = 8080;

interface Storage {
  /** Null: a controller of the platform writes it, by the connection that the service names. */
  readonly uri: string | null;
  readonly path: string;
  /** In place of the URI, where the keys of its place are an entry of the namespace's Secret "storage-config". */
  readonly key: { key: string; path: string; parameters: { bucket: string } } | null;
}

type Way = Pick<KserveOptions, 'connection' | 'serviceAccount'>;

const s3Form = /^s3:\/\/([^/]+)\/?(.*)$/;

/** Where KServe takes the model from, and what the engine opens then; null: the engine fetches it itself, or needs none. */
export function storageOf(spec: LaunchSpec, way: Way): Storage | null {
  const { model, modelSecret } = spec;
  if (model === null) return null;
  if (way.connection) return { uri: null, path: broughtTo(connectedPath(spec, way) ?? ''), key: null };
  const [, bucket, inside = ''] = s3Form.exec(model) ?? [];
  const named = modelSecret && 'secretRef' in modelSecret ? modelSecret.secretRef?.name : undefined;
  if (bucket === undefined) return plainStorage(model);
  const from = withItsParts(inside);
  const uri = from === inside ? model : `s3://${bucket}/${from}`;
  const key = named === undefined ? null : { key: named, path: from, parameters: { bucket } };
  return { uri, path: broughtTo(inside), key };
}

/** One of several files of a model is fetched with the others, which lie in its folder. */
function withItsParts(inside: string): string {
  if (!isOneOfSeveral(inside)) return inside;
  const folder = posix.dirname(inside);
  return folder === '.' ? '' : folder;
}

/** What is fetched from the place of a connection: what the file says, else what an S3 source names. */
export function connectionPath(spec: LaunchSpec, way: Way): string | null {
  const path = connectedPath(spec, way);
  return path === null ? null : withItsParts(path) || null;
}

function connectedPath({ model }: LaunchSpec, { connection }: Way): string | null {
  return connection?.path ?? (s3Form.exec(model ?? '')?.[2] || null);
}

/** Berth itself has the keys of its place, and makes the Secret and the account by which KServe finds them. */
export function hasOwnKeys({ model, modelSecret }: LaunchSpec): boolean {
  return modelSecret !== undefined && !isOfCluster(modelSecret) && s3Form.test(model ?? '');
}

/** Why KServe cannot have the keys of the model's place; null: it can, or needs none. */
export function storageRefusal(spec: LaunchSpec, way: Way): string | null {
  const { connection } = way;
  const { model, modelSecret } = spec;
  if (model === null)
    return connection ? 'target.connection brings a model, and the deployment has none' : null;
  if (connection && modelSecret)
    return 'target.connection and models.NAME.secret both say how the model is fetched: leave one out';
  if (connection && model.startsWith('pvc://'))
    return 'target.connection and models.NAME.at both say where the model is: leave one out';
  const unfetched = connection ? null : partRefusal(model);
  if (unfetched !== null) return unfetched;
  if (!modelSecret) return null;
  if (model.startsWith('oci://'))
    return `the image ${model} is fetched by its node: name the Secret with the keys of its registry in target.pullSecrets, and no models.NAME.secret`;
  if (hasOwnKeys(spec)) return accountRefusal(spec, way);
  if ('secretRef' in modelSecret && s3Form.test(model)) return null;
  return s3Form.test(model)
    ? `KServe fetches ${shownSource(model)} with keys that the cluster has: name its Secret as secretRef, without a key`
    : `berth has no way to give KServe the keys for ${shownSource(model)}: leave models.NAME.secret out, and name in target.serviceAccount an account whose Secrets hold them`;
}

/** Of the Hub KServe fetches whole repositories, and of a web server one file. */
function partRefusal(model: string): string | null {
  const shown = shownSource(model);
  const elsewhere = 'say under models.NAME.at which claim has it';
  if (/^https?:/.test(model) && isOneOfSeveral(model))
    return `KServe fetches one file of a web server, and ${shown} is one of several: ${elsewhere}, or name a folder of a bucket (s3://)`;
  if (!model.startsWith('hf://')) return null;
  const hub = hubName(model);
  if (hub === null || !hub.repo.includes('/'))
    return `KServe fetches OWNER/NAME of the Hub, and ${shown} is of another form`;
  return hub.path === null && hub.quant === null
    ? null
    : `KServe fetches whole repositories of the Hub, and ${shown} is a part of one: ${elsewhere}, or leave the revision out where the engine fetches it itself`;
}

/** One pod has one account: that which berth makes for its keys has no place beside another. */
function accountRefusal(spec: LaunchSpec, way: Way): string | null {
  const account = serviceAccountOf(spec, way);
  if (account === undefined) return null;
  const whose =
    way.serviceAccount === undefined
      ? `name no token of the account ${account}`
      : 'leave target.serviceAccount out';
  return `berth makes the service account that has the keys of ${spec.model}: ${whose}, or give ${account} the keys yourself and name its Secret as secretRef`;
}

/** A single file lies in the folder by its own name, all else is the folder itself. */
function broughtTo(from: string): string {
  return /\.gguf$/i.test(from) ? posix.join(modelFolder, posix.basename(from)) : modelFolder;
}

function plainStorage(model: string): Storage {
  const hub = hubName(model);
  // It writes a revision as others write a tag.
  if (hub)
    return {
      uri: `hf://${hub.repo}${hub.revision === null ? '' : `:${hub.revision}`}`,
      path: modelFolder,
      key: null,
    };
  const claim = /^pvc:\/\/([^/]+)\/?(.*)$/.exec(model);
  if (!claim) return { uri: model, path: broughtTo(model), key: null };
  const [, name = '', inside = ''] = claim;
  // A file is opened in its folder, since the folder is what is mounted.
  const isFile = /\.gguf$/i.test(inside);
  const mounted = isFile ? posix.dirname(inside) : inside;
  const uri = `pvc://${name}/${mounted === '.' ? '' : mounted}`;
  return { uri, path: broughtTo(inside), key: null };
}

/** KServe owns the port and the place of the model; all else is as in any pod. */
export function fillerOf(spec: LaunchSpec, way: Way): (hole: Hole) => string {
  const usual = podFiller(spec, containerPort);
  return (hole) => (hole.hole === 'model' ? (storageOf(spec, way)?.path ?? '') : usual(hole));
}
