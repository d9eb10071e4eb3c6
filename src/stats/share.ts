/** 95 % interval of a share of independent trials (Wilson 1927): of few trials it is wide, and it never leaves 0 to 1. */
export function wilsonInterval(share: number, trials: number): [low: number, high: number] {
  if (trials <= 0) return [0, 1];
  const z2 = 1.96 ** 2;
  const middle = (share + z2 / (2 * trials)) / (1 + z2 / trials);
  const half =
    (1.96 / (1 + z2 / trials)) * Math.sqrt((share * (1 - share)) / trials + z2 / (4 * trials ** 2));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}
