/** One replica of a fleet. */
export interface ReplicaPlace {
  readonly fleet: string;
  readonly fleetId: string;
  readonly deployment: string;
  readonly replica: number;
}

/** One replica of a fleet, all of a deployment, or all of it. */
export interface FleetPart extends Pick<ReplicaPlace, 'fleet' | 'fleetId'> {
  readonly deployment?: string;
  readonly replica?: number;
}

/** Two objects of one replica: the second is there while it takes over from the first. Pure. */
export function isSamePlace(a: ReplicaPlace | null, b: ReplicaPlace): boolean {
  return (
    a?.fleet === b.fleet &&
    a.fleetId === b.fleetId &&
    a.deployment === b.deployment &&
    a.replica === b.replica
  );
}

/** Whether "DEPLOYMENT-REPLICA", as things of a place are called within their fleet, belongs to this part of it. Pure. */
export function isInPart(inside: string, { deployment, replica }: FleetPart): boolean {
  const place = placeCalled(inside);
  return (
    place !== null &&
    (deployment === undefined || place.deployment === deployment) &&
    (replica === undefined || place.replica === replica)
  );
}

/** The place that is called so; null: none is. Pure. */
export function placeCalled(inside: string): Pick<ReplicaPlace, 'deployment' | 'replica'> | null {
  const [, deployment, replica] = /^(.+)-(\d+)$/.exec(inside) ?? [];
  return deployment === undefined ? null : { deployment, replica: Number(replica) };
}
