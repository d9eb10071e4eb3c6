import { secretVariable } from '../audit/secret-variable.ts';
import { secretFlagsAt, standsForNothing, unquoted } from './redact.ts';

/** "$NAME", "${NAME}", "$(NAME)", "{key-file}" and the path of a file say where a secret lies, and are none. */
const elsewhere = /^(\$[A-Za-z_]\w*|\$?\{[^{}]+\}|\$\([^()]+\)|\/[\w.@-]+(\/[\w.@-]+)+)$/;

/** Flags that turn the asking for a secret on or off: the word behind them is none. */
const turning = /^--?(no|use|require|disable|enable|allow|skip)-/i;

/** Beginnings that those who give out secrets put before them, long enough that no name is taken for one. */
const forms: readonly (readonly [string, RegExp])[] = [
  ['a token of Hugging Face', /(?<![\w-])hf_[A-Za-z0-9]{20,}/],
  ['an API key', /(?<![\w-])sk-(ant-[a-z]+\d\d|proj|svcacct|lf)-(?=[\w-]*\d)[\w-]{20,}/],
  // Names of models have dashes and underscores where a key goes on unbroken.
  ['an API key', /(?<![\w-])sk-([\w-]*[_-])?(?=[a-z]*\d)[a-z0-9]{20,}/i],
  ['a key of AWS', /(?<!\w)(AKIA|ASIA)[A-Z0-9]{16}(?!\w)/],
  ['a token of GitHub', /(?<![\w-])(gh[oprsu]_[A-Za-z0-9]{30,}|github_pat_\w{30,})/],
  ['a token of GitLab', /(?<![\w-])glpat-[\w-]{20,}/],
  ['a key of NVIDIA', /(?<![\w-])nvapi-[\w-]{20,}/],
  ['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ['a user with a password', /:\/\/[^/\s:@"',]*:(?!\$)[^/\s@"',]+@/],
];

/** Most texts have none of them. */
const beginning = /hf_|sk-|A[KS]IA|gh[oprsu]_|github_pat_|glpat-|nvapi-|-----BEGIN|:\/\/[^/]*@/;

/** Whether a variable of this name and value is a secret that is written out. */
export function isWrittenSecret(name: string, value: string): boolean {
  return secretVariable.test(name) && isWritten(value);
}

function isWritten(value: string): boolean {
  return !standsForNothing(value) && !elsewhere.test(value);
}

/** The first flag in the word at `at` whose secret is written out in that word or the next; null when there is none. */
export function writtenFlagAt(argv: readonly string[], at: number): string | null {
  const found = secretFlagsAt(argv, at).find(
    ({ flag, value, joined }) =>
      // In the text of a shell its marks may follow without a space.
      isWritten(unquoted(value).replace(/[;&|)"']+$/, '')) &&
      !value.startsWith('`') &&
      (joined || !(value.startsWith('-') || turning.test(flag))),
  );
  return found?.flag ?? null;
}

/** Flags of a command line whose secret is written out there. */
export function writtenFlagsOf(argv: readonly string[]): string[] {
  return [...new Set(argv.flatMap((_word, at) => writtenFlagAt(argv, at) ?? []))];
}

/** What a text holds that is a secret by its looks, whatever it is called; null for other texts. */
export function secretByLooks(text: string): string | null {
  if (!beginning.test(text)) return null;
  return forms.find(([, form]) => form.test(text))?.[0] ?? null;
}

/** Variables that a text sets to a secret: "HF_TOKEN=…", alone, among others or before a command. */
export function secretAssignments(text: string): string[] {
  const found = text.matchAll(/(?<![\w-])([A-Z][A-Z0-9_]*)=("[^"]*"|'[^']*'|\$\([^)]*\)|[^\s;&|"']*)/g);
  return [...found].flatMap(([, name = '', value = '']) =>
    // A shell puts in its place what a variable holds or a command says.
    !/^"?[$`]/.test(value) && isWrittenSecret(name, unquoted(value)) ? [name] : [],
  );
}
