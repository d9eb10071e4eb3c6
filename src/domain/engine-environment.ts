/** What a program of an engine may inherit: nothing that is withheld, and nothing of berth's own. */
export function engineEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  withheld: readonly string[],
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env))
    if (value !== undefined && !withheld.includes(name) && !name.startsWith('BERTH_')) kept[name] = value;
  return kept;
}
