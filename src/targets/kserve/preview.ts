import type { Finding } from '../../domain/finding.ts';
import type { Mark } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import type { Place } from '../../kube/client.ts';
import { getObject, Live } from '../../kube/client.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { foresee, isSameMark } from '../../kube/foresee.ts';
import { givenObjects, tryFiles } from '../../kube/given-files.ts';
import { namedBy, namedFindings } from '../../kube/named-objects.ts';
import type { NamedObject } from '../../kube/named-objects.ts';
import type { KubeMeta, KubeObject } from '../../kube/object.ts';
import type { StartRequest } from '../contract.ts';
import { missingKnative, modeFinding, roomFindings } from './knative-findings.ts';
import { changesMode, isKnative } from './knative-spec.ts';
import { manifestsOf, serviceKind } from './manifests.ts';
import { allMarks, markOf } from './marks.ts';
import { runtimeFindings } from './named-runtime.ts';
import { look } from './observe.ts';
import type { KserveOptions } from './options.ts';
import { storageOf } from './storage.ts';

/** What KServe and its cluster would say to a service. Reads only. */
export async function preview(
  world: World,
  { mark }: StartRequest,
  options: KserveOptions,
): Promise<Finding[]> {
  const place = await placeOf(world);
  const served = await look(place, mark);
  const there = served && markOf(await allMarks(place), served.service);
  const isSame = isSameMark(there?.mark ?? null, mark);
  const anew = served !== null && changesMode(served.service, mark);
  const findings = await foresee(place, mark, {
    objects: [
      ...(await givenObjects(world, place, mark)),
      ...(await tried(place, manifestsOf(mark, options))),
    ],
    force: isSame,
    makesNamespace: Boolean(world.cluster?.createNamespace),
    // KServe would refuse it of the service that is there.
    instead: (object) =>
      anew && object.kind === serviceKind.kind ? Promise.resolve(null) : tryFiles(place, object),
  });
  // A cluster without KServe has said so already.
  const isKnown = !findings.some(({ evidence }) => evidence.includes('KUBE_KIND_MISSING'));
  return [
    ...findings,
    ...(isKnown ? await runtimeFindings(place, mark.deployment, options) : []),
    ...(isKnown && isKnative(options) ? await missingKnative(place, mark) : []),
    ...(anew ? [modeFinding(mark)] : []),
    ...(served?.made && !isSame && !anew ? roomFindings(mark, options) : []),
    ...(await namedFindings(place, mark, namedByService(mark, options))),
  ];
}

/** Who may not give away all rights is asked for the role of a binding, which is there only once it has been made. */
async function tried(place: Place, objects: readonly KubeObject[]): Promise<readonly KubeObject[]> {
  const role = objects.find(({ kind }) => kind === 'Role');
  if (!role || (await getObject(place, { ...role, name: role.metadata.name }, Live))) return objects;
  return objects.filter(({ kind }) => kind !== 'RoleBinding');
}

/** KServe fetches nothing without these. */
function namedByService({ spec }: Mark, options: KserveOptions): NamedObject[] {
  const needs = { kind: 'Secret', severity: 'critical', without: 'could not be given their model' } as const;
  const { connection } = options;
  return [
    ...namedBy(spec, options),
    ...(storageOf(spec, options)?.key ? [{ ...needs, name: 'storage-config' }] : []),
    ...(connection
      ? [
          {
            ...needs,
            name: connection.secret,
            lacks: ({ annotations }: Pick<KubeMeta, 'annotations'>) =>
              annotations?.[protocol] === undefined
                ? `is no connection of OpenShift AI: it lacks the annotation ${protocol}`
                : null,
          },
        ]
      : []),
  ];
}

const protocol = 'opendatahub.io/connection-type-protocol';
