import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Mark } from '../../domain/instance.ts';
import { secretTitle } from '../../domain/secret.ts';
import { resolveSecret } from '../../io/secret-values.ts';
import { s3Settings } from '../../io/s3/settings.ts';
import type { S3Settings } from '../../io/s3/settings.ts';
import type { World } from '../../io/world.ts';
import { fleetIdLabel, fleetLabel, objectName } from '../../kube/names.ts';
import type { KubeObject } from '../../kube/object.ts';
import { hasOwnKeys } from './storage.ts';

/** What the Secret with the keys of the model's place is called, and the account that has it. */
export function storageName({ deployment, replica }: Pick<Mark, 'deployment' | 'replica'>): string {
  return `${objectName(deployment, replica)}-storage`;
}

/**
 * The Secret by which KServe fetches from S3: keys in it, the place in its annotations. Keys and place come from the model's secret
 * (lines NAME=VALUE), and where that does not say from the shell, as for "berth pull". Never print what comes back.
 */
export async function storageSecret(world: World, mark: Mark): Promise<KubeObject[]> {
  const { modelSecret } = mark.spec;
  if (!modelSecret || !hasOwnKeys(mark.spec)) return [];
  const home = world.home ?? world;
  const settings = await s3Settings(home, await resolveSecret(home, modelSecret));
  const { keyId, key, sessionToken } = settings;
  if (keyId === null || key === null)
    throw new BerthError('SECRET_MISSING', {
      where: `line AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY of ${secretTitle(modelSecret)}`,
    });
  const values = {
    AWS_ACCESS_KEY_ID: keyId,
    AWS_SECRET_ACCESS_KEY: key,
    ...(sessionToken === null ? {} : { AWS_SESSION_TOKEN: sessionToken }),
  };
  const metadata = {
    name: storageName(mark),
    labels: {
      'app.kubernetes.io/managed-by': 'berth',
      [fleetLabel]: mark.fleet,
      [fleetIdLabel]: mark.fleetId,
    },
    annotations: placeAnnotations(settings),
  };
  const data = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, Buffer.from(value, 'utf8').toString('base64')]),
  );
  return [{ apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data }];
}

/** As KServe reads where a bucket is: host and port, and whether by TLS. Pure. */
export function placeAnnotations({
  endpoint,
  region,
}: Pick<S3Settings, 'endpoint' | 'region'>): Record<string, string> {
  const place = endpoint === null ? {} : endpointAnnotations(endpoint);
  return { ...place, 'serving.kserve.io/s3-region': region };
}

function endpointAnnotations(endpoint: string): Record<string, string> {
  return {
    'serving.kserve.io/s3-endpoint': endpoint.replace(/^https?:\/\//, ''),
    'serving.kserve.io/s3-usehttps': endpoint.startsWith('http://') ? '0' : '1',
  };
}
