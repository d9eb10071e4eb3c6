/** Names of variables that hold a secret themselves, not the path of one. */
export const secretVariable = /(^|_)(TOKEN|API_?KEY|SECRET(_ACCESS)?_?KEY|SECRET|PASSWORD|PASSWD)$/i;

/** Whether a variable of a pod holds a secret itself: "$(OTHER)" only names another one, which may come from a Secret. */
export function showsSecret({ name, value }: { name: string; value?: string | null | undefined }): boolean {
  return Boolean(value) && secretVariable.test(name) && !/^\$\(\w+\)$/.test(value ?? '');
}
