/** What was measured of one client: how many of its values were hits, of how many. */
export interface Cluster {
  readonly hits: number;
  readonly of: number;
}

/** The middle of a normal distribution that holds 95 % of it. */
const z = 1.959964;

/**
 * How many times wider the variance of a share is than if all values were independent of each other, where those of one client
 * are not. The variance is that of a ratio of means over clients (the delta method; Deng, Knoblich and Lu, "Applying the
 * delta method in metric analytics", KDD 2018, section 3). Each client is weighed as by leaving it out (CR3, the jackknife; MacKinnon,
 * Nielsen and Webb, "Cluster-robust inference", 2023, 2.2), so that one that has most of the values does not vouch for itself, and
 * Student's t with a degree of freedom fewer than clients takes the place of the normal (Cameron and Miller, "A practitioner's guide
 * to cluster-robust inference", 2015, VI). At least 1, and at most what it is when all values of a client are the same (Kish,
 * "Survey sampling", 1965: Σn²/Σn). `alone`: values that have no client in common with any other.
 */
export function designEffect(clusters: readonly Cluster[], alone: Cluster): number {
  const n = sum(clusters, ({ of }) => of) + alone.of;
  const m = clusters.length + alone.of;
  if (n === 0) return 1;
  const most = (sum(clusters, ({ of }) => of * of) + alone.of) / n;
  const share = (sum(clusters, ({ hits }) => hits) + alone.hits) / n;
  // Where all are hits, or none is, nothing tells how alike a client's values are.
  if (share === 0 || share === 1 || m < 2) return most;
  const apart =
    sum(clusters, ({ hits, of }) => ((hits - share * of) / (1 - of / n)) ** 2) +
    (alone.hits * (1 - share) ** 2 + (alone.of - alone.hits) * share ** 2) / (1 - 1 / n) ** 2;
  const between = (((m - 1) / m) * apart) / n;
  return Math.max(1, Math.min(most, (between / (share * (1 - share))) * (studentT(m - 1) / z) ** 2));
}

/** The middle 95 % of Student's t with so many degrees of freedom (Abramowitz and Stegun, 26.7.5). */
function studentT(freedom: number): number {
  return (
    z +
    (z ** 3 + z) / (4 * freedom) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * freedom ** 3)
  );
}

function sum<Of>(list: readonly Of[], of: (one: Of) => number): number {
  return list.reduce((total, one) => total + of(one), 0);
}
