/** A figure that the project promises, with its bound. `value` null: it could not be measured here, `note` says why. */
export interface Goal {
  /** Dotted, without spaces: "startup.help". */
  readonly name: string;
  readonly value: number | null;
  readonly bound: { readonly atMost: number } | { readonly atLeast: number };
  readonly note?: string;
}

export type Verdict = 'met' | 'short' | 'absent';

export function verdictOf(goal: Goal): Verdict {
  if (goal.value === null || Number.isNaN(goal.value)) return 'absent';
  const met = 'atMost' in goal.bound ? goal.value <= goal.bound.atMost : goal.value >= goal.bound.atLeast;
  return met ? 'met' : 'short';
}

/** `goal NAME VALUE BOUND met|short|absent`, and a note in brackets: the last lines of every benchmark of the project. */
export function goalLine(goal: Goal): string {
  const value = goal.value === null || Number.isNaN(goal.value) ? '-' : threeDigits(goal.value);
  const bound = 'atMost' in goal.bound ? `<=${goal.bound.atMost}` : `>=${goal.bound.atLeast}`;
  const note = goal.note ? ` (${goal.note})` : '';
  return `goal ${goal.name} ${value} ${bound} ${verdictOf(goal)}${note}`;
}

/** Prints the goal lines and sets the exit code: 1 when one is short. An absent one is no failure, only said. */
export function reportGoals(goals: readonly Goal[]): void {
  for (const goal of goals) console.log(goalLine(goal));
  if (goals.some((goal) => verdictOf(goal) === 'short')) process.exitCode = 1;
}

function threeDigits(value: number): string {
  return Number(value.toPrecision(3)).toString();
}
