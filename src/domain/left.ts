/** What stays of an object that is removed, since it holds what was fetched, and how a person takes it away. */
export interface Left {
  readonly object: string;
  readonly command: string;
}

export function leftText({ object, command }: Left): string {
  return `${object} stays, with what it holds. Take it away: ${command}`;
}
