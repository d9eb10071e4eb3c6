/** An address such as "hf://OWNER/NAME", in place of a path or a name. */
export function isAddress(source: string): boolean {
  return /^[a-z0-9+]+:\/\//i.test(source);
}

/** "mistralai/Mistral-7B-v0.3" of "hf://mistralai/Mistral-7B-v0.3", which the engine itself fetches; null for a path. */
export function hubModel(source: string | null): string | null {
  return source?.startsWith('hf://') ? source.slice('hf://'.length) : null;
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
