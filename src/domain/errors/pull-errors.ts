import { formatBytes } from '../format.ts';
import { defineError } from './define.ts';

/** Faults of fetching models and of the folder that they are kept in. */
export const pullErrors = {
  MODEL_SOURCE_UNKNOWN: defineError<{ source: string; forms: readonly string[]; reason?: string }>(
    (f) =>
      `"${f.source}" names no place that a model can be fetched from.${f.reason === undefined ? '' : ` ${f.reason}`}`,
    (f) => `Write one of: ${f.forms.join(', ')}.`,
    'usage',
  ),
  MODEL_UNNAMED: defineError<{ name: string; models: readonly string[] }>(
    (f) => `The fleet file has no model or deployment "${f.name}".`,
    (f) => `Name a source, or one of its models: ${f.models.join(', ') || 'there are none'}.`,
    'usage',
  ),
  MODEL_NOT_PULLED: defineError<{ source: string; reason: string; cure: string }>(
    (f) => `${f.source} is not fetched by berth: ${f.reason}.`,
    (f) => f.cure,
    'usage',
  ),
  MODEL_NOT_FOUND: defineError<{ source: string; what: string; near: readonly string[] }>(
    (f) => `${f.source} does not exist: ${f.what}.`,
    (f) => (f.near.length > 0 ? `There is: ${f.near.join(', ')}.` : whereToLook(f.source)),
  ),
  MODEL_NOT_STORED: defineError<{ sources: readonly string[] }>(
    (f) => `The store does not hold ${f.sources.join(', ')}.`,
    () => '"berth models list" names what it holds, "berth pull" fetches what it lacks.',
    'usage',
  ),
  USES_UNSEEN: defineError<{ daemons: readonly string[]; unread: readonly string[] }>(
    (f) =>
      `${[...f.daemons.map((one) => `${one} does not tell what its containers are given`), ...f.unread.map((one) => `${one}, which a unit names or is, cannot be read`)].join('; ')}: something may want what would go, and nothing was taken away.`,
    (f) =>
      `${f.daemons.length > 0 ? 'Start that daemon, or run' : 'Run'} berth as a user who may ${f.unread.length > 0 ? 'read it' : 'ask it'}; "--unseen" takes it away once you have looked there yourself.`,
  ),
  MODEL_GATED: defineError<{ source: string; page: string; token: boolean }>(
    (f) =>
      `${f.source} is given out only to accounts that have accepted its terms${f.token ? ', and the account of this token has not' : ''}.`,
    (f) =>
      `Accept them at ${f.page}${f.token ? '' : ', then set HF_TOKEN, or "secret" of the model in the fleet file'}, and run the same again.`,
  ),
  MODEL_UNAUTHORIZED: defineError<{ source: string; said: string; cure: string }>(
    (f) => `${f.source} is not given out to us: ${f.said}.`,
    (f) => f.cure,
  ),
  MODEL_QUOTA: defineError<{ source: string; retryAfter: string | null }>(
    (f) => `The place of ${f.source} has had enough of our requests (429).`,
    (f) =>
      `Wait ${f.retryAfter === null ? 'a while' : `${f.retryAfter} s`}, or set a token, which has a larger quota; what was fetched is kept.`,
  ),
  MODEL_PLACE_FAILED: defineError<{ source: string; place: string; reason: string }>(
    (f) => `${f.place} did not give ${f.source}: ${f.reason}.`,
    () => 'Try again; what was fetched is kept. HF_ENDPOINT and AWS_ENDPOINT_URL name mirrors.',
  ),
  S3_PROFILE: defineError<{ profile: string; by: string | null }>(
    (f) =>
      f.by === null
        ? `The files of the AWS tools have no profile "${f.profile}".`
        : `Profile "${f.profile}" of the AWS tools gets its keys by ${f.by}, which berth does not ask.`,
    (f) =>
      f.by === null
        ? 'Set AWS_PROFILE to one that ~/.aws/config or ~/.aws/credentials has.'
        : `Set the keys as variables first: eval "$(aws configure export-credentials --profile ${f.profile} --format env)".`,
    'usage',
  ),
  S3_KEYS_REFUSED: defineError<{ by: string; reason: string }>(
    (f) => `Keys for S3 are to come by ${f.by}, and did not: ${f.reason}.`,
    () => 'Mend that, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, which come before it.',
  ),
  PROXY_UNUSABLE: defineError<{ name: string; reason: string }>(
    (f) => `${f.name} ${f.reason}.`,
    (f) => `Set it to http://HOST:PORT or https://HOST:PORT, or take it away: unset ${f.name}.`,
    'usage',
  ),
  PLACE_UNUSABLE: defineError<{ name: string; reason: string; example: string }>(
    (f) => `${f.name} ${f.reason}.`,
    (f) => `Set it to such as ${f.example}, or take it away: unset ${f.name}.`,
    'usage',
  ),
  MODEL_CHOICE: defineError<{ source: string; reason: string; choices: readonly string[]; form: string }>(
    (f) => `${f.source} does not say which file is meant: ${f.reason}.`,
    (f) => `Write ${f.form} with one of: ${f.choices.join(', ')}.`,
    'usage',
  ),
  DOWNLOAD_CHANGED: defineError<{ source: string; file: string; reason: string }>(
    (f) => `${f.file} of ${f.source} changed while it was fetched: ${f.reason}.`,
    () => 'Run the same again: the place is listed anew. A revision that is named stays what it is.',
  ),
  DOWNLOAD_CORRUPT: defineError<{ source: string; file: string; expected: string; found: string }>(
    (f) =>
      `${f.file} of ${f.source} came again and again with wrong bytes: ${f.found} in place of ${f.expected}.`,
    () =>
      'Nothing of it was kept. A proxy or mirror on the way changes it, or the sum is wrong that its place or its address tells.',
  ),
  MODEL_NO_ROOM: defineError<{ path: string; needed: number | null; free: number }>(
    (f) =>
      `There is no room in ${f.path}: ${f.needed === null ? '' : `${formatBytes(f.needed)} are needed, `}${formatBytes(f.free)} are free.`,
    () =>
      'Make room ("berth models prune" removes what no fleet file names), then run the same again: it goes on where it stopped.',
  ),
  MODEL_NOT_PLACED: defineError<{ source: string; to: string; reason: string }>(
    (f) => `${f.source} cannot be put at ${f.to}: ${f.reason}.`,
    () => 'Name a folder, or the file by the name that it has there.',
    'usage',
  ),
  MODEL_SUM_WRONG: defineError<{ source: string; file: string; expected: string; found: string | null }>(
    (f) =>
      f.found === null
        ? `${f.source} has no file ${f.file}, whose SHA-256 is stated.`
        : `The SHA-256 of ${f.file} of ${f.source} is ${f.found}, not ${f.expected}.`,
    () => 'Nothing of it was kept. Look which of both is right: the stated sum, or what its place gives out.',
  ),
  MODEL_DAMAGED: defineError<{ models: readonly string[] }>(
    (f) => `Of ${f.models.join(', ')} not all files are as they were fetched.`,
    () => 'Run "berth pull" for it again: what is damaged is fetched anew.',
  ),
};

function whereToLook(source: string): string {
  if (source.startsWith('s3://'))
    return 'Check bucket and prefix, and which store is asked (AWS_ENDPOINT_URL, AWS_REGION).';
  return source.startsWith('hf://')
    ? 'Check owner, name and revision; a private one looks as if it were not there, without a token.'
    : 'Check the address.';
}
