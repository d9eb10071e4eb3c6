/** List prices on demand in US dollars an hour, AWS, us-east-1. They change: a price of your own, under hosts or benchmarks, is better. */
export const pricesAsOf = '2026-01-19';
export const pricesSource = `AWS list price, us-east-1, on demand, as of ${pricesAsOf}`;

const hourly: Readonly<Record<string, number>> = {
  'g4dn.xlarge': 0.526,
  'g4dn.12xlarge': 3.912,
  'g5.xlarge': 1.006,
  'g5.2xlarge': 1.212,
  'g5.12xlarge': 5.672,
  'g5.48xlarge': 16.288,
  'g6.xlarge': 0.8048,
  'g6.2xlarge': 0.9776,
  'g6.4xlarge': 1.3232,
  'g6.8xlarge': 2.0144,
  'g6.12xlarge': 4.6016,
  'g6.24xlarge': 6.6752,
  'g6.48xlarge': 13.3504,
  'g6e.xlarge': 1.861,
  'g6e.2xlarge': 2.24208,
  'g6e.12xlarge': 10.49264,
  'g6e.48xlarge': 30.13118,
  'p3.2xlarge': 3.06,
  'p4d.24xlarge': 21.957642,
  'p4de.24xlarge': 27.44705,
  'p5.4xlarge': 6.88,
  'p5.48xlarge': 55.04,
  'p5en.48xlarge': 63.296,
  'p6-b200.48xlarge': 113.9328,
};

/** Null: not in the list. */
export function listPrice(instanceType: string): number | null {
  return Object.hasOwn(hourly, instanceType) ? (hourly[instanceType] ?? null) : null;
}

/** What a cluster calls the kind of machine that a node is. */
export const instanceTypeLabel = 'node.kubernetes.io/instance-type';
