/** An address such as "hf://OWNER/NAME", in place of a path or a name. */
export function isAddress(source: string): boolean {
  return /^[a-z0-9+]+:\/\//i.test(source);
}

/** The parts of an address of the Hub. */
export interface HubName {
  /** "OWNER/NAME", or a name alone, as a few old models have. */
  readonly repo: string;
  /** Branch, tag or commit; null: it names none. */
  readonly revision: string | null;
  /** A file or folder in there. */
  readonly path: string | null;
  readonly quant: string | null;
}

const hubForm = /^hf:\/\/([\w.-]+(?:\/[\w.-]+)?)(?:@([^/:]+))?(?:\/([^:]+))?(?::([\w.-]+))?$/;

/** Reads "hf://OWNER/NAME[@REVISION][/PATH][:QUANT]"; null for what is of another form. */
export function hubName(source: string | null): HubName | null {
  const [, repo, revision, path, quant] = hubForm.exec(source ?? '') ?? [];
  if (repo === undefined) return null;
  return {
    repo,
    // What a path would begin with is written so in a revision.
    revision: revision?.replaceAll(/%2f/gi, '/') ?? null,
    path: path ?? null,
    quant: quant ?? null,
  };
}

/** A source without what may be secret in it: credentials and a signed query. */
export function shownSource(source: string): string {
  return (
    source
      // A password may hold a slash that nobody encoded; what is behind a port is a path.
      .replace(/^([a-z0-9+.-]+:\/\/)[^/?#:@[]*:(?!\d*([/?#]|$))[^@]*@/i, '$1')
      .replace(/^([a-z0-9+.-]+:\/\/)[^/?#]*@/i, '$1')
      .replace(/\?[^#]*/, '?…')
  );
}
