import { z } from 'zod';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { DeploymentLive } from '../../kube/answers.ts';
import { getObject, listObjects, Live } from '../../kube/client.ts';
import type { Place } from '../../kube/client.ts';
import { madeBy } from '../../kube/made.ts';
import type { Made } from '../../kube/state.ts';

const apiVersion = 'serving.knative.dev/v1';
const kind = { apiVersion, kind: 'Service' } as const;

/** A Service of Knative, which KServe makes of an InferenceService: each change of its template is a revision. */
export const KnativeLive = Live.extend({
  spec: z.looseObject({}),
  status: z
    .object({
      observedGeneration: z.number().nullish(),
      latestCreatedRevisionName: z.string().nullish(),
      latestReadyRevisionName: z.string().nullish(),
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), message: z.string().nullish() }))
        .nullish(),
    })
    .nullish(),
});
export type KnativeLive = z.infer<typeof KnativeLive>;

/** What Knative has of an InferenceService; null: not yet. */
export interface Revisions {
  readonly knative: KnativeLive | null;
  /** The Deployment of the newest revision, ready or not. */
  readonly made: Made | null;
  /** That of the revision which serves until the newest one is ready. */
  readonly before: Made | null;
}

/** The Service of Knative that KServe makes for an InferenceService, with the Deployments of its revisions. */
export async function lookAtRevisions(place: Place, service: string): Promise<Revisions> {
  const knative = await getObject(place, { ...kind, name: `${service}-predictor` }, KnativeLive);
  const { latestCreatedRevisionName: newest, latestReadyRevisionName: ready } = knative?.status ?? {};
  const made = newest ? await madeOf(place, newest) : null;
  return { knative, made, before: ready && ready !== newest ? await madeOf(place, ready) : null };
}

/** Found by its label, since Knative shortens names that are too long. */
async function madeOf(place: Place, revision: string): Promise<Made | null> {
  const labels = revisionLabel(revision);
  const wanted = { apiVersion: 'apps/v1', kind: 'Deployment', labels };
  const [deployment] = await listObjects(place, wanted, DeploymentLive);
  return deployment ? madeBy(place, deployment, { labels }) : null;
}

/** How the server is asked for what a revision has. Pure. */
export function revisionLabel(revision: string): string {
  return `serving.knative.dev/revision=${revision}`;
}

/**
 * The newest revision is of the template as it is now, is ready, and has the requests. While Knative has not yet compared a
 * change, Ready is unknown, though the names are those of before. Pure.
 */
export function isInPlace({ metadata, status }: KnativeLive): boolean {
  const newest = status?.latestCreatedRevisionName;
  return (
    (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0) &&
    Boolean(newest) &&
    newest === status?.latestReadyRevisionName &&
    stateOf({ status }, 'Ready')?.status === 'True'
  );
}

/** What Knative waits for or has failed at, as the end of a sentence; null: it says nothing. Pure. */
export function knativeTrouble({ metadata, status }: KnativeLive): string | null {
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0)) return null;
  const ready = stateOf({ status }, 'Ready');
  if (!ready || ready.status === 'True') return null;
  const said = ready.message?.trim().replace(/\.$/, '');
  if (ready.status === 'False') return `is not run by Knative: ${said || 'it gives no reason'}`;
  return said ? `waits for Knative: ${said}` : null;
}

/** Which image Knative cannot find at its registry, without which it makes no pod; null: none. Pure. */
export function missingImage(live: KnativeLive): { image: string; reason: string } | null {
  const said = knativeTrouble(live) ?? '';
  const [, image, reason] = /Unable to fetch image "([^"]+)": (.*)$/s.exec(said) ?? [];
  return image && reason ? { image, reason } : null;
}

function stateOf(
  { status }: Pick<KnativeLive, 'status'>,
  type: string,
): { status: string; message?: string | null | undefined } | undefined {
  return status?.conditions?.find((one) => one.type === type);
}

/** Throws KNATIVE_MISSING where KServe would wait for ever. */
export async function expectKnative({ api }: Pick<Place, 'api'>, deployment: string): Promise<void> {
  const { status } = await api.ask('GET', `/apis/${apiVersion}`);
  if (status === 404) throw new BerthError('KNATIVE_MISSING', { deployment, server: api.server });
}
