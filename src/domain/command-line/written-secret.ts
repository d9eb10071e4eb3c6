import { secretVariable } from '../audit/secret-variable.ts';

/** Words that stand where a program wants something and is given nothing. */
const nothing = /^(none|null|empty|dummy|true|false|yes|no|on|off|[01])?$/i;

/** "$NAME", "${NAME}", "$(NAME)", "{key-file}" and the path of a file say where a secret lies, and are none. */
const elsewhere = /^(\$[A-Za-z_]\w*|\$?\{[^{}]+\}|\$\([^()]+\)|\/[\w.@-]+(\/[\w.@-]+)+)$/;

/** Beginnings that those who give out secrets put before them, long enough that no name is taken for one. */
const forms: readonly (readonly [string, RegExp])[] = [
  ['a token of Hugging Face', /(?<![\w-])hf_[A-Za-z0-9]{20,}/],
  ['an API key', /(?<![\w-])sk-(?=[\w-]*\d)[\w-]{20,}/],
  ['a key of AWS', /(?<!\w)(AKIA|ASIA)[A-Z0-9]{16}(?!\w)/],
  ['a token of GitHub', /(?<![\w-])(gh[oprsu]_[A-Za-z0-9]{30,}|github_pat_\w{30,})/],
  ['a token of GitLab', /(?<![\w-])glpat-[\w-]{20,}/],
  ['a key of NVIDIA', /(?<![\w-])nvapi-[\w-]{20,}/],
  ['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ['a user with a password', /:\/\/[^/\s:@]*:(?!\$)[^/\s@]+@/],
];

/** Most texts have none of them. */
const beginning = /hf_|sk-|A[KS]IA|gh[oprsu]_|github_pat_|glpat-|nvapi-|-----BEGIN|:\/\/[^/]*@/;

/** Whether a variable of this name and value is a secret that is written out. */
export function isWrittenSecret(name: string, value: string): boolean {
  return secretVariable.test(name) && !nothing.test(value) && !elsewhere.test(value);
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
    isWrittenSecret(name, value.replace(/^(["'])(.*)\1$/, '$2')) ? [name] : [],
  );
}
