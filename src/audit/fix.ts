import type { ObservedFleet } from '../domain/audit/observation.ts';
import type { Finding } from '../domain/finding.ts';

/** What a plan does about findings, and why it does nothing about the others. */
export interface Fixes {
  /** Deployments that the plan is confined to. */
  readonly deployments: readonly string[];
  /** Of those, the ones that are started again though their file says the same. */
  readonly restart: readonly string[];
  readonly fixed: readonly Finding[];
  readonly left: readonly { readonly finding: Finding; readonly why: string }[];
}

/** Only what carries the mark of the fleet is ever planned: what is protected, or anybody else's, is left with the reason. Pure. */
export function fixesFor(findings: readonly Finding[], fleet: ObservedFleet | null): Fixes {
  const judged = findings.map((finding) => ({ finding, why: whyNot(finding, fleet) }));
  const fixed = judged.flatMap(({ finding, why }) => (why === null ? [finding] : []));
  const fixes = fixed.flatMap(({ fix }) => fix ?? []);
  return {
    deployments: unique(fixes.flatMap((fix) => fix.deployments)),
    restart: unique(fixes.flatMap((fix) => (fix.restart ? fix.deployments : []))),
    fixed,
    left: judged.flatMap(({ finding, why }) => (why === null ? [] : [{ finding, why }])),
  };
}

function whyNot({ fix, names, rule, commands }: Finding, fleet: ObservedFleet | null): string | null {
  const [removal] = (commands ?? []).filter((one) => one.startsWith('berth remove '));
  if (removal !== undefined && !fix)
    return `It is not of a fleet: whoever means it names it, by "${removal}".`;
  if (rule === 'open-secret-file' && !fix)
    return 'Its server is not of the fleet: whoever means it takes the right away by hand.';
  if (fleet === null) return 'There is no fleet file, and berth changes only what one describes.';
  const held = fix?.deployments.find((name) =>
    fleet.instances.some((one) => one.deployment === name && one.alive && one.protect),
  );
  if (held !== undefined) return `${held} is protected: "berth apply --only ${held}" names it.`;
  if (fix) return null;
  if (rule === 'host-unreachable') return 'Nothing is changed on a host that does not answer.';
  const known = [
    ...fleet.deployments.map((one) => one.name),
    ...fleet.instances.map((one) => one.deployment),
  ];
  if (names?.some((name) => known.includes(name)) || rule === 'rate-above-measured')
    return 'What the file should say instead is for you to choose; "berth apply" then carries it out.';
  return `It does not carry the mark of ${fleet.name}: berth leaves it as it is.`;
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)].toSorted();
}
