const units: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 0.001,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
  Pi: 1024 ** 5,
  Ei: 1024 ** 6,
};

/** "4000m" is 4, "250000000n" a quarter, "12Gi" its bytes, "12e9" and "12E9" a power of ten; null for what is no amount. */
export function amountOf(text: string | number | null | undefined): number | null {
  const match = /^(\d+(?:\.\d*)?|\.\d+)(?:([eE][+-]?\d+)|(n|u|m|k|[MGTPE]|[KMGTPE]i))?$/.exec(
    String(text ?? ''),
  );
  if (!match) return null;
  return Number(`${match[1]}${match[2] ?? ''}`) * (units[match[3] ?? ''] ?? 1);
}
