/** Settings of one profile; those below "s3 =" are called "s3.NAME". */
export type Profile = ReadonlyMap<string, string>;

type Sections = ReadonlyMap<string, Profile>;

/** What the AWS tools' two files say of a profile; null where neither has it. What the credentials file says comes first. */
export function profileIn(
  name: string,
  { credentials, config }: { readonly credentials: string | null; readonly config: string | null },
): Profile | null {
  const settings = sectionsOf(config ?? '');
  const keys = sectionsOf(credentials ?? '').get(name);
  const rest = settings.get(`profile ${name}`) ?? (name === 'default' ? settings.get('default') : undefined);
  if (keys === undefined && rest === undefined) return null;
  const services = settings.get(`services ${rest?.get('services')}`) ?? new Map<string, string>();
  const others = [...services, ...(rest ?? [])];
  // Keys of two files are no pair.
  const fitting = keys?.has('aws_access_key_id') ? others.filter(([one]) => !pair.includes(one)) : others;
  return new Map([...fitting, ...(keys ?? [])]);
}

const pair = ['aws_access_key_id', 'aws_secret_access_key', 'aws_session_token'];

function sectionsOf(text: string): Sections {
  const sections = new Map<string, Map<string, string>>();
  let section = new Map<string, string>();
  let group = '';
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(?:[#;]|$)/.test(line)) continue;
    const [, title] = /^\s*\[\s*(.*?)\s*\]/.exec(line) ?? [];
    if (title !== undefined) {
      const name = title.replaceAll(/["']/g, '').replaceAll(/\s+/g, ' ');
      section = sections.get(name) ?? new Map<string, string>();
      sections.set(name, section);
      group = '';
      continue;
    }
    const [, indent = '', name = '', value = ''] = /^(\s*)([^=\s]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === '') continue;
    const nested = indent !== '' && group !== '';
    section.set((nested ? `${group}.${name}` : name).toLowerCase(), value);
    if (!nested) group = value === '' ? name : '';
  }
  return sections;
}

const borrowed = ['sso_session', 'sso_start_url', 'role_arn', 'login_session'];

/** By what a profile gets keys that nobody here can ask for; null where nothing says so. */
export function borrowsBy(profile: Profile): string | null {
  if (profile.has('credential_process') || profile.has('web_identity_token_file')) return null;
  return borrowed.find((name) => profile.has(name)) ?? null;
}
