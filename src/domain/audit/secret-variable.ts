/** Names of variables that hold a secret themselves, not the path of one. */
export const secretVariable = /(^|_)(TOKEN|API_?KEY|SECRET(_ACCESS)?_?KEY|SECRET|PASSWORD|PASSWD)$/i;
