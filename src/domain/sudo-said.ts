const hostNameUnknown = /^sudo: unable to resolve host .*\n?/gm;

/** What a command through sudo said, without what sudo says on a machine that does not know its own name, and then goes on. Pure. */
export function withoutHostWarning(stderr: string): string {
  return stderr.replace(hostNameUnknown, '');
}
