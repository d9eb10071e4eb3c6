/** "4000m" is 4, "250000000n" a quarter, "12Gi" its bytes; null for what is no amount. */
export function amountOf(text: string | number | null | undefined): number | null {
  const match = /^(\d+(?:\.\d+)?)(n|u|m|k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(String(text ?? ''));
  if (!match) return null;
  const units: Readonly<Record<string, number>> = {
    n: 1e-9,
    u: 1e-6,
    m: 0.001,
    k: 1e3,
    M: 1e6,
    G: 1e9,
    T: 1e12,
    Ki: 1024,
    Mi: 1024 ** 2,
    Gi: 1024 ** 3,
    Ti: 1024 ** 4,
  };
  return Number(match[1]) * (units[match[2] ?? ''] ?? 1);
}
