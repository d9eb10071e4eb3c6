import { standsForNothing } from '../command-line/redact.ts';

/** Names of variables that hold a secret themselves, not the path of one, nor a token of text such as EOS_TOKEN. */
export const secretVariable =
  /(^|_)((?<!(^|_)(EOS|BOS|PAD|UNK|SEP|CLS|MASK|STOP|MAX)_)TOKEN|API_?KEY|(SECRET|ACCESS|PRIVATE|LICEN[CS]E|AUTH|MASTER|ADMIN)(_ACCESS)?_?KEY|SECRET|PASSWORD|PASSWD|PASSPHRASE)$/i;

/** Whether a variable of a pod holds a secret itself: "$(OTHER)" only names another one, which may come from a Secret. */
export function showsSecret({ name, value }: { name: string; value?: string | null | undefined }): boolean {
  return secretVariable.test(name) && !standsForNothing(value ?? '') && !/^\$\(\w+\)$/.test(value ?? '');
}
